"""A value in the address that an input cannot take is named; one that it can take is not."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.bundled
ICL = {"task": "Sentiment of a review", "orders": "1", "k": "2", "conditions": "random letters", "shown": "1"}
CASES = [
    ("masked_lm", {"masked_lm_model": "nope"}, "masked_lm_model: got nope"),
    ("masked_lm", {"masked_lm_share": "nan"}, "masked_lm_share: got nan"),
    ("replaced_token_detection", {"replaced_token_detection_seed": "-4"}, "seed: got -4"),
    ("masked_lm", {"masked_lm_text": "The [MASK] is  red.", "masked_lm_temperature": "2.0"}, ""),
    ("few_shot", {"few_shot_task": "Sentiment of a review", "few_shot_shown": "1", "few_shot_k": "2"}, ""),
    ("few_shot", {"few_shot_task": "Date format"}, ""),
    ("few_shot", {"few_shot_task": "Your own task"}, ""),
    ("few_shot", {"few_shot_task": "Sentiment of a poem"}, "few_shot_task: got Sentiment of a poem"),
    ("in_context_learning", {f"in_context_learning_{n}": v for n, v in ICL.items()}, ""),
    ("in_context_learning", {"in_context_learning_conditions": ["random letters", "no"]}, "got no; it stays at random"),
    ("few_shot", {"few_shot_models": ["smollm2-135m-instruct", "nope"]}, ""),
    ("next_token", {"next_token_view": "Tree", "next_token_written": " eyes", "next_token_top_k": "5"}, ""),
    ("masked_lm", {"masked_lm_share": "0.4", "masked_lm_seed": "7", "masked_lm_in_order": "true"}, ""),
    ("masked_lm", {"masked_lm_mask": "3"}, ""),
    ("masked_lm", {"masked_lm_mask": "6"}, "mask: expected one of 1, 2, 3, 4, 5; got 6"),
    ("masked_lm", {"masked_lm_text": "A [MASK] [MASK].", "masked_lm_hidden": "[MASK] dog"}, ""),
    ("masked_lm", {"masked_lm_text": "A [MASK] [MASK].", "masked_lm_hidden": "dog"}, "for each of the 2 masks"),
]


def draw(stem):
    import runpy

    import streamlit as st

    from lecture_core.outline import page
    from lecture_core.ui import links

    note, asked = st.empty(), links.opened()
    runpy.run_path(page(stem).path)
    links.explain_dropped(note, asked)


@pytest.mark.parametrize(("stem", "query", "named"), CASES)
def test_a_dropped_value_is_named(stem, query, named, monkeypatch):
    monkeypatch.chdir(ROOT)
    at = AppTest.from_function(draw, default_timeout=120, args=(stem,))
    at.query_params.update(query)
    at.run()
    assert not at.exception
    said = [box.value.replace("\\", "") for box in at.warning]
    assert [named in text for text in said] == ([True] if named else [])
    if "stays at" in named or ": got" in named:
        at.run()
        assert at.warning, "the same address, the same sentence"


def turn():
    import streamlit as st

    from lecture_core.ui import links

    note, asked = st.empty(), links.opened()
    st.text_input("Text", "a", key="turn_text", bind="query-params")
    st.number_input("Number", 0, 9, key="turn_number", bind="query-params")
    links.explain_dropped(note, asked)


def test_an_input_that_a_click_changed_did_not_drop_the_address():
    at = AppTest.from_function(turn)
    at.query_params.update({"turn_text": "b", "turn_number": "12"})
    at.run()
    assert ["turn_number" in box.value for box in at.warning] == [True]
    at.session_state["turn_text"] = "c"  # as a callback does: the address is still the old one
    at.query_params["turn_other"] = "1"  # as a fragment does
    at.run()
    assert ["turn_text" in box.value for box in at.warning] == [False], "only the number's sentence stays"
