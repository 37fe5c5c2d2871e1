"""Trees stay within their bound and multiply along a path; surprise adds up; what is undone was one token."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecture_core.continuations import (
    MOST_PASSES,
    WIDTHS,
    Writing,
    check_room,
    grow,
    passes_needed,
    path,
    piece,
    without_last,
    write,
)
from lecture_core.engine.results import Candidate, NextToken, Tokenised, TokenLogprob, TokenLogprobs
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.provenance import Provenance
from lecture_core.surprise import surprise
from lecture_core.ui.tree import drawn
from tests.unit.scripted_engine import ScriptedEngine

WORDS = ["a", "<b>x</b>", "c", "d", "<end>"]


class WordEngine(ScriptedEngine):
    """Tokens are words with their leading space; after each text the words follow with fixed probabilities."""

    def __init__(self, probabilities=(0.4, 0.3, 0.2, 0.06, 0.04)):
        super().__init__(reply=lambda _: "one two")
        self.probabilities, self.asked = probabilities, []

    def tokenise(self, text, *, model):
        starts = [i for i, c in enumerate(text) if i == 0 or c == " "]
        spans = list(zip(starts, [*starts[1:], len(text)], strict=True))
        words = [text[a:b].strip() for a, b in spans]
        ids = tuple(
            (100 if text[a] == " " else 0) + WORDS.index(w) if w in WORDS else 99
            for (a, _), w in zip(spans, words, strict=True)
        )
        special = tuple(w == "<end>" for w in words)
        return Tokenised(tuple(words), ids, (True,) * len(ids), special, tuple(spans), "", 64)

    def next_token(self, prompt, *, model, top_k=10, session=""):
        self.asked.append(prompt)
        rows = [
            Candidate(w, i if w == "<end>" else 100 + i, p, math.log(p), i + 1)
            for i, (w, p) in enumerate(zip(WORDS, self.probabilities, strict=True))
        ]
        return NextToken(tuple(rows[:top_k]), 1.0, {1.0: 0.0}, 1, Provenance(model, seconds=0.5))

    def token_logprobs(self, text, *, model, top_k=5, session=""):
        words = self.tokenise(text, model=model).tokens
        return TokenLogprobs(tuple(TokenLogprob(w, 0, -1.0, 1, ()) for w in words), -1.0, Provenance(model))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_a_tree_takes_the_passes_it_announces_and_no_more_than_the_bound(widths):
    engine = WordEngine((0.3, 0.25, 0.2, 0.15, 0.1))
    if passes_needed(widths) > MOST_PASSES:
        with pytest.raises(InvalidInputError):
            grow(engine, "go", model="m", widths=widths)
        assert engine.asked == []
    else:
        assert grow(engine, "go", model="m", widths=widths).passes == len(engine.asked) == passes_needed(widths)


def test_a_text_that_leaves_no_room_is_told_before_anything_is_written():
    engine, how = ScriptedEngine(context_length=10), Writing("model", 1.0, 1.0, 4)
    check_room(engine, "one two three four five six", how)
    with pytest.raises(ContextLengthError, match=r"at most 6 tokens.*got 7"):
        check_room(engine, "one two three four five six seven", how)
    assert not engine.prompts


@pytest.mark.parametrize("widths", WIDTHS.values())
def test_the_trees_of_the_page_are_within_the_bound(widths):
    assert passes_needed(widths) <= MOST_PASSES
    assert grow(WordEngine(), "go", model="m", widths=widths).provenance.seconds == 0.5 * passes_needed(widths)


@pytest.mark.parametrize("widths", [(), (0,), (2, 0), (20, 20)])
def test_a_tree_without_levels_or_too_large_is_refused(widths):
    with pytest.raises(InvalidInputError):
        grow(WordEngine(), "go", model="m", widths=widths)


def test_a_path_s_probability_is_the_product_of_its_edges():
    tree = grow(WordEngine(), "go", model="m", widths=(3, 2))
    for branch in tree.branches:
        for child in branch.children:
            assert child.whole == pytest.approx(branch.probability * child.probability)
    assert [b.piece for b in tree.best] == [" a", " a"] == [b.piece for b in tree.greedy]


def test_a_token_that_ends_the_text_has_no_children():
    tree = grow(WordEngine((0.1, 0.1, 0.1, 0.1, 0.6)), "go", model="m", widths=(5, 1))
    assert tree.branches[-1].piece == "<end>"
    assert tree.branches[-1].children == ()
    assert tree.best == (tree.branches[-1],)


def test_a_tree_is_drawn_letter_by_letter():
    html = drawn(grow(WordEngine(), "go", model="m", widths=(3, 2)))
    assert "<b>x</b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert html.count("<li") == html.count("</li>") == 9


def test_a_piece_brings_the_space_that_its_token_has():
    engine = WordEngine()
    assert piece(Candidate("a", 100, 0.1, 0, 1), engine, "m") == " a"
    assert piece(Candidate("a", 0, 0.1, 0, 1), engine, "m") == "a"
    assert piece(Candidate("\n", 7, 0.1, 0, 1), engine, "m") == "\n"
    assert piece(Candidate("\ufffd", 7, 0.1, 0, 1), engine, "m") is None
    assert piece(Candidate("<end>", 4, 0.1, 0, 1), engine, "m") is None


def test_a_path_has_the_tokens_after_the_prompt_only_and_undo_takes_the_last():
    engine = WordEngine()
    assert [t.token for t in path(engine, "go on", " a c", model="m").tokens] == ["a", "c"]
    assert without_last(engine, "go on", " a c", model="m") == " a"
    assert without_last(engine, "go on", " a", model="m") == ""
    assert without_last(engine, "go on", "ward", model="m") == ""
    assert without_last(engine, "go on", "", model="m") == ""


def test_a_sample_comes_last_and_holds_all_of_the_text():
    *before, last = write(WordEngine(), "go", Writing("m", 0.9, 1.0, 8), seed=3, session="s")
    assert all(sample is None for _, sample in before)
    assert last[1].text == last[0] == " one two"


@given(st.lists(st.floats(-20, -1e-6), min_size=1, max_size=30))
def test_bits_and_perplexity_are_the_loss_in_other_units(logprobs):
    rows = [TokenLogprob("x", 0, 0.0, 0, ()), *(TokenLogprob("y", 0, lp, 2, ()) for lp in logprobs)]
    found = surprise(TokenLogprobs(tuple(rows), 0.0, Provenance()))
    nats = -math.fsum(logprobs) / len(logprobs)
    assert found.total == pytest.approx(-math.fsum(logprobs) / math.log(2))
    assert found.perplexity == pytest.approx(math.exp(nats))
    assert [found.bits[i] for i in found.peaks()] == sorted(found.bits, reverse=True)[:3]


def test_a_first_choice_is_no_surprise_and_one_token_is_refused():
    first = TokenLogprob("x", 0, 0.0, 0, ())
    rows = (first, TokenLogprob("y", 0, -3.0, 1, ()), TokenLogprob("z", 0, -1.0, 4, ()))
    assert surprise(TokenLogprobs(rows, 0.0, Provenance())).peaks() == (1,)
    with pytest.raises(InvalidInputError):
        surprise(TokenLogprobs((first,), 0.0, Provenance()))
