"""After this page a student knows what each model is, how big and how good it is, and how to bring it here."""

from collections.abc import Sequence

import streamlit as st

from lecture_core import catalog
from lecture_core.model_cards import IN_SIGHT, ROLES, STATES, ModelCard, cards, loading_code, overview, select
from lecture_core.ui import inputs, model_card, page, tables
from lecture_core.ui.errors import user_errors

STEM = "models"
MODEL, ROLE, STATE = f"{STEM}_model", f"{STEM}_role", f"{STEM}_state"
ROWS_IN_SIGHT = 8


def filters(found: Sequence[ModelCard]) -> tuple[ModelCard, ...]:
    """Ask for a role and a state; return the cards that are left."""
    present = {card.spec.role for card in found}
    roles = {"": "All roles"} | {key: role.name for key, role in ROLES.items() if key in present}
    role = inputs.choose("Role", roles, ROLE, width=230)
    state = inputs.choose("State", {"": "All states", "here": "on this machine"} | dict(STATES), STATE, width=190)
    return select(found, role=role, state=state)


def table(found: Sequence[ModelCard]) -> None:
    """Show one row a model; a click on a row opens its card."""

    def pick(row: int) -> None:
        st.session_state[MODEL] = found[row].spec.id

    shown = overview(found)
    tables.grid(shown, key=STEM, columns=IN_SIGHT, most_rows=ROWS_IN_SIGHT, on_pick=pick)
    tables.download(shown, key=STEM)


page.header(STEM)
if MODEL in st.query_params:
    with user_errors():  # a link to a model that does not exist says so and suggests one
        catalog.get(st.query_params[MODEL])
everything = cards()
with st.container(horizontal=True):
    left = filters(everything)
if left:
    table(left)
    titles = {card.spec.id: card.spec.title for card in left}
    chosen = inputs.choose("Card of", titles, MODEL, width=440)
    picked = next(card for card in left if card.spec.id == chosen)
    model_card.show(picked, key=STEM)
else:
    picked = everything[0]
    st.info("No model has this role and this state. Choose another state.", icon=":material/search_off:")
page.notice(
    "Half the bytes a parameter, half the memory: float16 takes half of float32. Real four-bit files take a "
    "little more than an eighth: they store scales too.",
    "A model's licence and its data's licence are two things; the cards of our own models give both.",
    "What we did not measure is not shown. A small model that was trained briefly is weak, and its card says where.",
)
page.footer(STEM, code=loading_code(picked.spec))
