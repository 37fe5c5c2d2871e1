"""Drawing what a vision-language model answers: the picture, the words with their probability, where they rest."""

import math
from collections.abc import Sequence

import streamlit as st

from lecture_core import catalog, picture_view, scenes
from lecture_core.catalog import ModelSpec
from lecture_core.engine import get_engine
from lecture_core.engine.pictures import ImageAnswer, Picture
from lecture_core.figures import pictures as figures
from lecture_core.loading import availability
from lecture_core.model_quality import evaluation
from lecture_core.scene_questions import answer_to
from lecture_core.scenes import Scene
from lecture_core.ui import results, scene_board
from lecture_core.ui.charts import chart
from lecture_core.ui.errors import escape_markdown, user_errors
from lecture_core.ui.memory import remember

TRAIN = "python -m lecture_core.training shapes_vlm --tokens 42e6"
GRIDS = {"16 cells": 4, "64 cells": 8}
_MATTERS = 0.01  # fall of the answer's probability from which a covered cell is said to matter


def ours() -> ModelSpec | None:
    """The model that knows scenes of shapes; None where it was not trained yet."""
    bundled = (spec for spec in catalog.models("vision_language") if spec.origin == "bundled")
    return next((spec for spec in bundled if availability(spec).usable), None)


def say_missing() -> None:
    """Say plainly that there is no model to ask, and what brings it."""
    st.info(
        "The small model that answers here is not on this machine, so nothing is shown in its place. "
        "The operator trains it, in about an hour of one processor core, with:",
        icon=":material/download:",
    )
    st.code(TRAIN, language=None, wrap_lines=True)


def cover_inputs(stem: str) -> tuple[int, list[int]]:
    """Ask which cells to cover; return the cells a side and the chosen ones, row by row from the top left."""
    first, *_ = GRIDS
    chosen = st.segmented_control("Cover parts", list(GRIDS), default=first, key=f"{stem}_grid", bind="query-params")
    grid = GRIDS[chosen or first]
    names = [figures.cell_name(cell, grid) for cell in range(grid * grid)]
    key = _covered_key(stem, grid)
    covered = st.multiselect("Covered cells", names, key=key, bind="query-params", help="A1 is at the top left.")
    return grid, [names.index(name) for name in covered]


def _covered_key(stem: str, grid: int) -> str:
    return f"{stem}_covered" if grid == min(GRIDS.values()) else f"{stem}_covered_fine"


def scene_picture(stem: str, scene: Scene, covered: Sequence[int], grid: int) -> Picture:
    """Show the scene to be covered or rearranged by hand; return what the model sees."""

    def cover(cells: Sequence[int]) -> None:
        st.session_state[_covered_key(stem, grid)] = [figures.cell_name(cell, grid) for cell in cells]

    def move(after: Scene) -> None:
        st.session_state[f"{stem}_scene"] = after.key

    hand = scene_board.hand(stem)
    moving = hand == scene_board.MOVE
    scene_board.board(f"{stem}_board", scene, covered, grid, moving=moving, on_cover=cover, on_move=move)
    does = "drag a shape to another cell" if moving else "press a cell, or paint over several"
    st.caption(f"64 by 64 pixels, as the model sees it, enlarged: {does}.")
    return Picture.of(scenes.cover(scenes.render(scene), covered, grid=grid))


def ask(picture: Picture, question: str, spec: ModelSpec) -> ImageAnswer:
    """Ask the engine about a picture; of a private one nothing is kept."""
    return get_engine().answer_about_image(picture, question, model=spec.id)


def answered(key: str, result: ImageAnswer) -> None:
    """Show the answer, each word's probability, and the first word's rivals."""
    results.model_text(result.text, label="The model answers")
    first, *_ = result.tokens
    results.candidate_bars(f"{key}_first", [(c.token, c.probability) for c in first.alternatives], family="decoder")
    if len(result.tokens) > 1:
        st.caption("Bars: the first word. Every word written, with its probability:")
        chips = [
            results.StripToken(t.token, value=math.exp(t.logprob), special=t is result.tokens[-1])
            for t in result.tokens
        ]
        results.token_strip(f"{key}_words", chips, family="decoder")
    if result.unknown:
        words = escape_markdown(", ".join(result.unknown))
        st.warning(f"Words it has never read, all the same to it: {words}", icon=":material/help:")
    results.caption(result.provenance)


def verdict(scene: Scene, question: str, text: str, covered: Sequence[int]) -> None:
    """Compare the answer with the scene, where the scene answers the question in one way."""
    right = answer_to(scene, question)
    if right is None:
        st.caption("This scene does not answer that question in one way, so nothing is marked right or wrong.")
        return
    sign = ":material/check:" if text == right else ":material/close:"
    says = "With nothing covered, the scene says" if covered else "The scene says"
    st.markdown(f"{sign} {says}: **{right}**.")
    if scene.held_out:
        st.caption("This arrangement was held out: the model never saw it in training.")


def whole_answer(key: str, whole: Picture, seen: Picture, now: ImageAnswer, question: str, spec: ModelSpec) -> None:
    """Say how probable the answer to the whole picture is, and how probable it still is as the visitor covered it.

    Args:
        whole: the picture with nothing covered.
        seen: the same picture with the visitor's covers; equal to `whole` without any.
        now: the answer to `seen`.
    """
    if seen == whole:
        st.markdown(f"{_quoted(now.text)}: **{results.percent(now.probability)}** with nothing covered.")
        return
    before = remember(f"{key}_whole", (spec.id, question, whole), lambda: ask(whole, question, spec))
    ids = tuple(token.token_id for token in before.tokens)
    found = get_engine().answer_when_covered(seen, question, ids, model=spec.id, grid=1)
    covered, blind = results.percent(found.probability), results.percent(found.covered[0])
    st.markdown(
        f"{_quoted(before.text)}: **{results.percent(before.probability)}** uncovered, **{covered}** as you covered "
        f"it, {blind} with all of it covered. Now it says {_quoted(now.text)}."
    )


def _quoted(text: str) -> str:
    return f"“{escape_markdown(text)}”"


def where_it_rests(key: str, picture: Picture, question: str, grid: int, spec: ModelSpec, name: str = "scene") -> None:
    """Show the answer's probability with each cell covered in turn.

    Args:
        name: what the picture is called.
    """
    with user_errors():
        engine = get_engine()
        whole = engine.answer_about_image(picture, question, model=spec.id)
        ids = tuple(token.token_id for token in whole.tokens)
        found = engine.answer_when_covered(picture, question, ids, model=spec.id, grid=grid)
        worst = min(range(grid * grid), key=lambda cell: found.covered[cell])
        cell = figures.cell_name(worst, grid)
        matters = found.probability - found.covered[worst] >= _MATTERS
        said = f"Cell **{cell}** matters most: without it," if matters else f"No cell matters: without {cell},"
        st.markdown(
            f"With nothing covered, “{escape_markdown(found.answer)}” has {results.percent(found.probability)}. "
            f"{said} {results.percent(found.covered[worst])}."
        )
        left, right = st.columns([2, 3], gap="large", vertical_alignment="bottom")
        with left:
            shown = picture_view.enlarged(picture.pixels(), grid=grid, chosen=worst)
            st.image(shown, width=300, caption=f"Framed: {cell}", alt=f"The {name} with cell {cell} framed")
        with right:
            alt = f"Grid of {grid * grid} cells; covering {cell} leaves {results.percent(found.covered[worst])}"
            chart(figures.when_covered(found), key=f"{key}_heat", alt=alt)
        st.caption("Numbers are per cent. Blue: the answer loses; orange: it gains; white: no change.")
        results.caption(found.provenance)


def measured(spec: ModelSpec) -> None:
    """Show the recorded exact match by kind of question, if it was recorded."""
    found = evaluation(spec.id)
    if found is None:
        return
    with st.expander("How often is it right? Recorded on scenes it never saw"):
        for group in found.groups:
            for rate in group.rates.values():
                results.rate(group.name, rate.right, rate.n)
        results.caption(found.provenance)
