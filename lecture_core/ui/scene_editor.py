"""Building a scene of shapes with simple widgets. The scene in writing is one field, bound to the address."""

from collections.abc import Mapping

import streamlit as st

from lecture_core import scenes
from lecture_core.errors import InvalidInputError
from lecture_core.scenes import Scene

_ARROWS = (
    ("left", ":material/arrow_back:", -1, 0),
    ("up", ":material/arrow_upward:", 0, -1),
    ("down", ":material/arrow_downward:", 0, 1),
    ("right", ":material/arrow_forward:", 1, 0),
)
_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "size": tuple(scenes.RADII),
    "colour": tuple(scenes.COLOURS),
    "kind": scenes.KINDS,
}


def current(stem: str, default: str) -> Scene:
    """Return the scene that the address or the widgets hold; the editor itself is drawn by `edit`.

    Raises:
        InvalidInputError: the address, or what was typed, is no scene.
    """
    key = f"{stem}_scene"
    text = st.session_state.get(key, st.query_params.get(key, default))
    return scenes.parse(text or "")


def edit(stem: str, default: str, presets: Mapping[str, str]) -> None:
    """Show the prepared scenes and what changes the scene: choose a shape, push it, change it, remove it, add one."""
    key = f"{stem}_scene"
    st.session_state.setdefault(key, st.query_params.get(key, default))
    st.session_state[f"{key}_preset"] = next((n for n, t in presets.items() if t == st.session_state[key]), None)
    st.pills(
        "Prepared scenes",
        list(presets),
        key=f"{key}_preset",
        on_change=lambda: _prepared(key, presets),
        wrap=True,
    )
    with st.expander("Rearrange the scene", icon=":material/edit:"):
        try:
            scene = scenes.parse(st.session_state[key] or "")
        except InvalidInputError:  # the sentence stands where the answer would be
            scene = Scene(())
        if scene.shapes:
            _one_shape(key, scene)
        if len(scene.shapes) < scenes.MAX_SHAPES:
            _button("Add a shape", f"{key}_add", ":material/add:", key, scenes.with_one_more(scene))
        st.text_input("The scene in writing", default, key=key, bind="query-params", max_chars=200)


def _prepared(key: str, presets: Mapping[str, str]) -> None:
    if chosen := st.session_state[f"{key}_preset"]:
        st.session_state[key] = presets[chosen]


def _one_shape(key: str, scene: Scene) -> None:
    before = min(st.session_state.get(f"{key}_shape", 0), len(scene.shapes) - 1)
    # A list of its own for each scene: the names change with it, and a widget remembers its choice by name.
    widget = f"{key}_shape_of_{scene.key}"
    numbers = range(len(scene.shapes))
    index = st.selectbox("Shape", numbers, before, key=widget, format_func=lambda i: _name(scene, i), width=320)
    st.session_state[f"{key}_shape"] = index
    with st.container(horizontal=True, gap="small"):
        for name, icon, columns, rows in _ARROWS:
            _button("", f"{key}_{name}", icon, key, scenes.moved(scene, index, columns, rows), tip=f"Move it {name}")
        _button("Remove", f"{key}_remove", ":material/delete:", key, scenes.without(scene, index))
    shape = scene.shapes[index]
    with st.container(horizontal=True, gap="small"):
        for name, values in _PROPERTIES.items():
            widget = f"{key}_{name}"
            st.session_state[widget] = getattr(shape, name)
            st.selectbox(
                name.capitalize(),
                values,
                key=widget,
                width=120,
                on_change=_property,
                args=(key, scene, index, name),
            )


def _property(key: str, scene: Scene, index: int, name: str) -> None:
    _write(key, scenes.changed(scene, index, **{name: st.session_state[f"{key}_{name}"]}))


def _name(scene: Scene, index: int) -> str:
    if index >= len(scene.shapes):
        return ""
    shape = scene.shapes[index]
    return f"{shape.words} (column {shape.column + 1}, row {shape.row + 1})"


def _button(label: str, widget: str, icon: str, key: str, result: Scene, *, tip: str = "") -> None:
    st.button(label, key=widget, icon=icon, help=tip or None, on_click=_write, args=(key, result))


def _write(key: str, scene: Scene) -> None:
    st.session_state[key] = scene.key
