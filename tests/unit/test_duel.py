import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecture_core.duel import JudgedToken, area, bits, roc, sentences, student_point, uncertainty

BOOLS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(BOOLS)
def test_bits_are_between_nothing_and_the_whole_uncertainty(pairs):
    marks, truths = zip(*pairs, strict=True)
    assert -1e-9 <= bits(marks, truths) <= uncertainty(truths) + 1e-9


def test_perfect_marks_on_a_fair_coin_are_worth_one_bit_a_token():
    truths = [True, False] * 8
    assert bits(truths, truths) == pytest.approx(16)
    assert bits([not t for t in truths], truths) == pytest.approx(16)


@pytest.mark.parametrize("mark", [True, False])
def test_marking_everything_or_nothing_is_worth_nothing(mark):
    assert bits([mark] * 6, [True, False, False, True, False, False]) == pytest.approx(0)


def test_the_area_is_the_chance_that_a_fake_scores_higher():
    rng = random.Random(0)
    tokens = [JudgedToken(False, round(rng.random(), 1), rng.random() < 0.3) for _ in range(200)]
    fakes = [t.probability for t in tokens if t.replaced]
    real = [t.probability for t in tokens if not t.replaced]
    wins = sum((f > r) + 0.5 * (f == r) for f in fakes for r in real) / (len(fakes) * len(real))
    assert area(roc(tokens)) == pytest.approx(wins)
    assert roc(tokens)[0] == (0, 0)
    assert roc(tokens)[-1] == (1, 1)


def test_the_students_point_counts_hits_and_false_alarms():
    tokens = [JudgedToken(m, 0.5, t) for m, t in [(True, True), (False, True), (True, False), (False, False)] * 3]
    assert student_point(tokens) == (0.5, 0.5)


def test_there_are_ten_sentences_and_no_two_alike():
    assert len(sentences()) == len(set(sentences())) == 10
    assert all(math.isclose(len(s.strip()), len(s)) for s in sentences())
