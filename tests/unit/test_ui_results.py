"""What is drawn is what was given: numbers, ranks and marks, never markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from lecture_core.ui import components, results
from lecture_core.ui.results import StripToken, percent


def test_spoken_token_says_position_word_mark_and_value():
    assert StripToken("banana", value=0.871, mark="replaced").spoken(4) == "token 4, banana, replaced, 0.87"


def test_spoken_token_uses_the_given_words():
    assert StripToken("x", value=0.5, aria="a fake, probability").spoken(1) == "token 1, a fake, probability, 0.50"


def test_spoken_token_names_a_blank():
    assert StripToken(" ").spoken(2) == "token 2, space"


@pytest.mark.parametrize(
    ("probability", "shown"),
    [(1.0, "100.0 %"), (0.4521, "45.2 %"), (0.0, "0.0 %"), (0.00003, "0.003 %"), (1e-9, "< 0.001 %")],
)
def test_percent(probability, shown):
    assert percent(probability) == shown


@given(st.floats(min_value=1e-300, max_value=1.0))
def test_a_probability_above_zero_never_reads_as_zero(probability):
    shown = percent(probability)
    assert shown.startswith("<") or float(shown.removesuffix(" %")) > 0


def _captured(monkeypatch, name):
    seen = {}
    monkeypatch.setattr(components, name, lambda **given: seen.update(given["data"]))
    return seen


def test_candidate_bars_are_sorted_and_ranked(monkeypatch):
    seen = _captured(monkeypatch, "candidate_bars")
    results.candidate_bars("k", [("b", 0.2), ("a", 0.5)])
    assert [(bar["rank"], bar["word"]) for bar in seen["bars"]] == [(1, "a"), (2, "b")]


def test_asked_words_are_marked_in_the_list_and_below_it(monkeypatch):
    seen = _captured(monkeypatch, "candidate_bars")
    results.candidate_bars("k", [("a", 0.5), ("b", 0.2)], asked=[("zebra", 1e-5, 4213), ("b", 0.2, 2)])
    assert [(bar["rank"], bar["word"], bar["asked"]) for bar in seen["bars"]] == [
        (1, "a", False),
        (2, "b", True),
        (4213, "zebra", True),
    ]


def test_scripts_write_text_and_never_markup():
    for name in ("token_strip", "candidate_bars", "copy_link"):
        script = (components.FOLDER / f"{name}.js").read_text(encoding="utf-8")
        for writer in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "setHTML"):
            assert writer not in script


def _page():
    from lecture_core.provenance import Provenance
    from lecture_core.ui import results
    from lecture_core.ui.results import StripToken

    results.token_strip("p_strip", [StripToken("<b>a</b>"), StripToken("b", value=0.5)], on_click=print)
    results.token_strip("p_empty", [])
    results.candidate_bars("p_bars", [("<b>a</b>", 0.5)])
    results.candidate_bars("p_no_bars", [])
    results.model_text("**a** <b>b</b>", label="Answer")
    results.model_text("")
    results.rate("Accuracy <i>", 31, 50)
    results.rate("Accuracy <i>", 31, 50)
    results.rate("Accuracy", 0, 0)
    results.caption(Provenance("m", "3f2a", "cpu", "float32", 7, 0.03))


def test_every_result_draws_without_exception():
    at = AppTest.from_function(_page).run()
    assert not at.exception
    assert at.code[0].value == "**a** <b>b</b>"
    rates = [element.proto.body for element in at.main if element.type == "html"]
    assert len(rates) == 3
    assert "Accuracy &lt;i&gt;" in rates[0]
    assert "31 of n = 50 right" in rates[0]
