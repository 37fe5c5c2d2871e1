"""A value in the address that an input cannot take is named; one that it can take is not."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.bundled
CASES = [
    ("masked_lm", {"masked_lm_model": "nope"}, "masked_lm_model: got nope"),
    ("masked_lm", {"masked_lm_share": "nan"}, "masked_lm_share: got nan"),
    ("replaced_token_detection", {"replaced_token_detection_seed": "-4"}, "seed: got -4"),
    ("masked_lm", {"masked_lm_text": "The [MASK] is  red.", "masked_lm_temperature": "2.0"}, ""),
    ("masked_lm", {"masked_lm_share": "0.4", "masked_lm_seed": "7", "masked_lm_in_order": "true"}, ""),
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
    if named:
        at.run()
        assert at.warning, "the same address, the same sentence"
