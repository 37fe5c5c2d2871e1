"""After this page a student can say what a vision-language model's answer rests on, and what GPT-4's report omits."""

import streamlit as st

from lecture_core import catalog, scenes
from lecture_core.catalog import ModelSpec
from lecture_core.engine.pictures import Picture
from lecture_core.errors import InvalidInputError
from lecture_core.multimodal_code import photo_code, scene_code
from lecture_core.scene_questions import DESCRIBE
from lecture_core.ui import inputs, page, photo_answers, picture_answers, scene_editor, unicorn
from lecture_core.ui.errors import user_errors
from lecture_core.ui.tables import lecture_table

STEM = "multimodal"
SCENE = "small-blue-circle-1-1.small-blue-circle-3-2.small-blue-star-2-3.small-blue-circle-4-4.small-blue-circle-1-4"
SCENES = {
    "One is unusual": SCENE,
    "One differs in colour": "big-green-square-1-2.big-green-square-2-4.big-purple-square-4-1.big-green-square-3-3",
    "Five to count": "big-red-star-1-1.small-red-star-3-1.big-blue-square-2-2.small-black-star-4-3.big-red-circle-1-4",
    "Left and right": "big-red-star-4-3.small-green-triangle-1-2",
}
QUESTION = "what is unusual?"
QUESTIONS = {
    "Unusual": QUESTION,
    "How many": "how many shapes are there?",
    "Colour": "what colour is the star?",
    "Where": "where is the star?",
    "Which side": "is the star left or right of the triangle?",
    "Is there": "is there a red circle?",
    "Size": "is the star big or small?",
    "Everything": DESCRIBE,
}
STAR = [9]  # the cell of the star in SCENE
GUESSES = ("still the star", "nothing", "it refuses")
REPORT = """
**What the report says** (OpenAI 2023): GPT-4 reads images and text and writes text; its loss was forecast from runs
with at most a ten-thousandth of its compute.

**The lecture adds**: up to **32k** tokens of context.

**What it leaves unsaid**: “no further details about the architecture (including model size), hardware, training
compute, dataset construction, training method, or similar”. So the lecture says *unknown*, and so do we: figures for
GPT-4's size that circulate have no source that can be checked.
"""


def reveal(spec: ModelSpec) -> None:
    """Answer the guess: ask about the first scene with its star covered."""
    hidden = Picture.of(scenes.cover(scenes.render(scenes.parse(SCENE)), STAR, grid=4))
    without = picture_answers.ask(hidden, QUESTION, spec)
    page.reveal(STEM, GUESSES[0] if without.text == "the star" else without.text)


@st.fragment
def lab() -> None:
    spec, scene, result = picture_answers.ours(), None, None
    left, right = st.columns([2, 3], gap="large")
    with left:
        board, said = st.container(), st.container()
        scene_editor.edit(STEM, SCENE, SCENES)
        grid, cells = picture_answers.cover_inputs(STEM)
        with board, user_errors():
            scene = scene_editor.current(STEM, SCENE)
            seen = picture_answers.scene_picture(STEM, scene, cells, grid)
    with right:
        question = inputs.text(STEM, "question", "Your question", QUESTION, presets=QUESTIONS, max_chars=200, height=70)
        if spec is None:
            picture_answers.say_missing()
        if spec is None or scene is None:
            return
        whole = Picture.of(scenes.render(scene))
        with user_errors():
            result = picture_answers.ask(seen, question, spec)
            with said:  # beside the board: on a phone the rest is far below
                picture_answers.whole_answer(STEM, whole, seen, result, question, spec)
            picture_answers.answered(STEM, result)
            picture_answers.verdict(scene, question, result.text, cells)
            if scene.key == SCENE:
                reveal(spec)
            picture_answers.measured(spec)
    if result is not None:
        st.subheader("What does the answer rest on?", anchor=False)
        picture_answers.where_it_rests(STEM, whole, question, grid, spec)


page.header(STEM)
page.predict(STEM, "Four circles and a star. Cover the star: what will the model then call unusual?", GUESSES)
lab()
st.subheader("From the lecture: GPT-4", anchor=False)
st.markdown(REPORT)
lecture_table("gpt_family", key=STEM)
unicorn.section(STEM)
photo_answers.section(STEM)
seen = (
    "On scenes it never saw it is nearly always right, on anything else useless: it learned this world, not how to see."
)
page.notice(
    "The picture is cut into sixteen patches. While it writes, the decoder looks at their vectors through "
    "cross-attention.",
    "Code is text: a language model that never saw a picture can still draw one, if it is large enough.",
    *([seen] if picture_answers.ours() else ()),
)
try:
    shown = scene_editor.current(STEM, SCENE)
except InvalidInputError:
    shown = scenes.parse(SCENE)
model = picture_answers.ours()
asked = st.session_state.get(f"{STEM}_question") or QUESTION
chat = next(spec for spec in catalog.models("vision_language") if spec.origin == "hub")
page.footer(
    STEM,
    code=scene_code(model, shown, asked) if model else photo_code(chat, asked),
    deeper=(
        ("GPT-4 Technical Report (OpenAI 2023)", "https://arxiv.org/abs/2303.08774"),
        ("Sparks of AGI: the unicorn (Bubeck et al. 2023)", "https://arxiv.org/abs/2303.12712"),
        ("An image is worth 16x16 words (Dosovitskiy et al. 2021)", "https://arxiv.org/abs/2010.11929"),
        ("SmolVLM (Marafioti et al. 2025)", "https://arxiv.org/abs/2504.05299"),
    ),
)
