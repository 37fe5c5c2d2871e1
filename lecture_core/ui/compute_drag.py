"""Drag a published model along its own budget: the browser draws it, the address keeps where it was put down."""

from functools import partial

import streamlit as st

from lecture_core.compute_drag import drag_data, read_place, written
from lecture_core.errors import InvalidInputError
from lecture_core.law import Law
from lecture_core.provenance import Provenance
from lecture_core.scaling_models import ModelPoint, load_models
from lecture_core.scaling_report import moved
from lecture_core.ui import components, results
from lecture_core.ui.errors import escape_markdown
from lecture_core.ui.scaling_inputs import MODELS

FIRST = "GPT-3 175B"
"""The model that is shown at first: large for its tokens, as all were before Chinchilla."""


@st.fragment  # of its own: a point that is put down draws no other chart
def drag_a_model(stem: str, law: Law) -> None:
    """Let the visitor choose a published model and drag it to where its compute would have been spent best."""
    st.subheader("Was it the right size? Drag it along its budget", anchor=False)
    st.markdown(
        "On the dashed line the compute 6ND stays what the model had: fewer parameters buy more tokens. Drag the "
        "orange point, or move it with the arrow keys, to where the loss is lowest. A click on a grey point chooses "
        "that model."
    )
    names = list(MODELS)
    model = MODELS[
        st.selectbox("Model", names, names.index(FIRST), key=f"{stem}_moved", bind="query-params", width=330)
    ]
    place = _place(stem, model, law)
    key = f"{stem}_drag"
    data = drag_data(model, law, load_models(), place)
    components.compute_drag(
        key=key,
        data=data,
        on_placed_change=partial(_keep, stem, model),
        on_chosen_change=partial(_choose, stem),
    )
    st.markdown(moved(model, law))
    results.caption(Provenance(source=f"{model.source}; law: {law.source or 'your own constants'}"))


def _place(stem: str, model: ModelPoint, law: Law) -> float | None:
    """The N at which the visitor left this model, or None: as in the session, or as in the address at first."""
    key, parameter = f"{stem}_place", f"{stem}_placed"
    if key not in st.session_state:
        st.session_state[key] = (model.name, st.query_params.get(parameter))
    owner, raw = st.session_state[key]
    if owner != model.name or raw is None:
        st.query_params.pop(parameter, None)
        st.session_state[key] = (model.name, None)
        return None
    try:
        place = read_place(raw, model, law, load_models())
    except InvalidInputError as error:
        st.warning(escape_markdown(f"placed: {error}"), icon=":material/link_off:")
        return None
    st.query_params[parameter] = raw
    return place


def _keep(stem: str, model: ModelPoint) -> None:
    """Store where the point was put down; nothing where it was taken back to its published place."""
    placed = st.session_state[f"{stem}_drag"].get("placed")
    if placed is not None:
        home = written(float(placed)) == written(model.active_parameters)
        st.session_state[f"{stem}_place"] = (model.name, None if home else written(float(placed)))


def _choose(stem: str) -> None:
    """Show the model whose grey point was clicked."""
    chosen = st.session_state[f"{stem}_drag"].get("chosen")
    if chosen in MODELS:
        st.session_state[f"{stem}_moved"] = chosen
