"""The small browser components: registered once, their scripts and styles read from the files beside this module.

They receive plain data and write it with `textContent` only, so nothing a visitor or a model wrote becomes markup.
"""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FOLDER = Path(__file__).parent


def script(*names: str) -> str:
    """Return the script of a component; the last of its files exports what draws it."""
    return "\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in names)


def _component(name: str, *before: str) -> ComponentRenderer:
    style = (FOLDER / f"{name}.css").read_text(encoding="utf-8")
    return st.components.v2.component(f"lecture_lab_{name}", js=script(*before, name), css=style)


token_strip = _component("token_strip")
candidate_bars = _component("candidate_bars")
copy_link = _component("copy_link")
scene_board = _component("scene_board")
compute_drag = _component("compute_drag", "svg", "compute_drag_scene")
quick_chart = _component("quick_chart", "svg")
