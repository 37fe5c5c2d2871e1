"""Every panel under a pre-training lab asks for a guess, answers it, and shows its code."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).parents[2] / "pages/pretraining"
pytestmark = pytest.mark.bundled

PANELS = [
    ("masked_lm", {}, "masked_lm_rates", "15 %"),
    ("masked_lm", {"masked_lm_in_order": "true"}, "masked_lm_order", "half or more"),
    ("masked_lm", {"masked_lm_view": "Two sentences against each other"}, "masked_lm_contrast", "none"),
    ("masked_lm", {"masked_lm_view": "Surprise of every token"}, "masked_lm_surprise", "in the middle"),
    ("text_to_text", {}, "text_to_text_holes", "none"),
    ("text_to_text", {}, "text_to_text_sizes", "t5-11b"),
    ("replaced_token_detection", {}, "replaced_token_detection_by_hand", "what I changed"),
    ("replaced_token_detection", {}, "replaced_token_detection_published", "a half"),
    (
        "replaced_token_detection",
        {"replaced_token_detection_strength": "true"},
        "replaced_token_detection_strength",
        "above 1.5",
    ),
]


@pytest.mark.parametrize(("stem", "query", "panel", "guess"), PANELS, ids=[panel for _, _, panel, _ in PANELS])
def test_a_panel_answers_its_guess(stem, query, panel, guess):
    at = AppTest.from_file(str(PAGES / f"{stem}.py"), default_timeout=120)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    before = len(at.info) + len(at.success)
    at.pills(key=f"{panel}_guess").set_value(guess).run()
    assert not at.exception
    shown = [box.value for box in [*at.info, *at.success]]
    assert len(shown) == before + 1
    assert any(f"You guessed **{guess}**" in text.replace("\\", "") for text in shown)
