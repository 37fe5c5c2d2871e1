"""Any picture under the question: a visitor's own or one drawn by this project, asked of any model that sees.

A visitor's own picture is decoded in memory and marked private: no engine keeps it or what it answers about it.
"""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from lecture_core import catalog, picture_view, scenes
from lecture_core.catalog import ModelSpec
from lecture_core.engine.pictures import Picture
from lecture_core.figures.pictures import cell_name
from lecture_core.loading import availability
from lecture_core.multimodal_code import photo_code
from lecture_core.sample_pictures import SAMPLES
from lecture_core.ui import inputs, page, picture_answers, scene_board
from lecture_core.ui.errors import escape_markdown, user_errors

GRID = 4  # cells a side
QUESTION = "what is unusual?"
SHOWN = 256  # pixels of the longer side, under the hand; the model sees up to 512


@st.fragment
def section(stem: str) -> None:
    """Ask which model and which picture, show the picture to be covered by hand, and what the model answers."""
    st.subheader("Any picture", anchor=False)
    models = {spec.id: spec for spec in catalog.models("vision_language") if availability(spec).usable}
    st.markdown(
        "A model of shapes has seen nothing else: of a photo it speaks in the words it knows, often with confidence. "
        "Probability says how sure a model is, not whether it is right. The same holds "
        "for a model that was trained on photos."
    )
    if not models:
        st.caption("Give it any photo and see: as soon as there is a model here to give it to.")
        _others(stem, models)
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        spec = _model(stem, models)
        chosen = _picture(stem)
    with right:
        question = _question(stem)
    if chosen is not None:
        result = None
        with left:
            seen = _under_the_hand(stem, *chosen)
        with right, user_errors():
            result = picture_answers.ask(seen, question, spec)
            with left:  # beside the picture, on a phone too
                picture_answers.whole_answer(f"{stem}_photo", chosen[0], seen, result, question, spec)
            picture_answers.answered(f"{stem}_photo", result)
        if result is not None:
            _each_cell(stem, chosen[0], question, spec)
    _others(stem, models)
    page.panel_code(f"{stem}_photo", _code(spec, question))


def _model(stem: str, models: dict[str, ModelSpec]) -> ModelSpec:
    key = f"{stem}_photo_model"
    asked = next((s for s in catalog.models("vision_language") if s.id == st.query_params.get(key)), None)
    if asked and asked.id not in models:
        command = availability(asked).command
        st.warning(f"This link asks for {asked.title}, which is not on this machine. The operator runs: `{command}`")
    titles = {spec.id: f"{spec.title} · {spec.parameters / 1e6:,.0f}M" for spec in models.values()}
    return models[inputs.choose("Model that sees", titles, key, 320)]


def _picture(stem: str) -> tuple[Picture, str] | None:
    """The picture and what it shows in words; None before one is chosen."""
    key = f"{stem}_photo"
    label = "Pictures drawn by this project's code"
    name = st.pills(label, list(SAMPLES), key=f"{stem}_sample", bind="query-params")
    file = st.file_uploader(
        "Or your own (PNG, JPEG or WebP, 5 MB at most)",
        type=["png", "jpg", "jpeg", "webp"],
        max_upload_size=5,
        key=key,
        help="Scaled down in memory, shown to the model, never stored. It replaces the sample you chose.",
    )
    if file is not None:
        with user_errors():
            pixels = picture_view.decode(file.getvalue())
            return Picture.of(pixels, private=True), "The picture you uploaded"
        return None
    sample = SAMPLES.get(name or "")
    return (Picture.of(sample.draw()), sample.description) if sample else None


def _question(stem: str) -> str:
    label = "Your question about it"
    key = f"{stem}_photo_question"
    return st.text_input(label, QUESTION, key=key, max_chars=200, bind="query-params") or ""


def _under_the_hand(stem: str, picture: Picture, description: str) -> Picture:
    """Show the picture; return what the model sees of it."""
    key, board = f"{stem}_photo_covered", st.container()
    names = [cell_name(cell, GRID) for cell in range(GRID * GRID)]

    def cover(cells: Sequence[int]) -> None:
        st.session_state[key] = [names[cell] for cell in cells]

    chosen = st.multiselect("Covered cells", names, key=key, bind="query-params", help="A1 is at the top left.")
    covered = [names.index(name) for name in chosen]
    with board:
        shown = picture_view.reduced(picture.pixels(), side=SHOWN)
        scene_board.photo_board(f"{key}_board", shown, covered, GRID, alt=description, on_cover=cover)
        st.caption(f"{escape_markdown(description)}. Press a cell, or paint over several, to cover them.")
    seen: np.ndarray = scenes.cover(picture.pixels(), covered, grid=GRID)
    return Picture.of(seen, private=picture.private)


def _each_cell(stem: str, picture: Picture, question: str, spec: ModelSpec) -> None:
    wait = "" if spec.origin == "bundled" else "; about a minute on a processor"
    if st.toggle(f"Cover each of {GRID * GRID} cells in turn{wait}", key=f"{stem}_photo_rests", bind="query-params"):
        picture_answers.where_it_rests(f"{stem}_photo", picture, question, GRID, spec, "picture")


def _others(stem: str, models: dict[str, ModelSpec]) -> None:
    """Name the models that are not here, and the command that brings each."""
    missing = [spec for spec in catalog.models("vision_language") if spec.id not in models and spec.origin == "hub"]
    if not missing:
        return
    st.markdown("**Open models that read photos and chat**, not on this machine. The operator brings them with:")
    for spec in missing:
        st.caption(f"{escape_markdown(spec.title)} · {spec.parameters / 1e6:,.0f}M parameters · {spec.license}")
        st.code(availability(spec).command, language=None, wrap_lines=True)
    if not models:
        page.panel_code(f"{stem}_photo", photo_code(missing[0], QUESTION))
    else:
        st.caption("Once here, they stand in the list of models above. The code of this panel shows how to ask one.")


def _code(spec: ModelSpec, question: str) -> str:
    """Code for the chosen model, and for a chat model where the chosen one is none."""
    chat = next((one for one in catalog.models("vision_language") if one.origin == "hub"), spec)
    asked = question.strip() or QUESTION
    own = photo_code(spec, asked)
    return own if spec.origin == "hub" else f"{own}\n# The same with a chat model:\n{photo_code(chat, asked)}"
