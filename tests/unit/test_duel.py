import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecture_core.duel import JudgedToken, Strength, area, bits, rates, roc, sentences, student_point, uncertainty
from lecture_core.figures.duel import generator_strength
from lecture_core.provenance import Provenance

BOOLS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(BOOLS)
def test_bits_are_above_zero_only_where_fakes_are_marked_more_often_than_originals(pairs):
    marks, truths = zip(*pairs, strict=True)
    alarms, hits = rates(marks, truths)
    assert abs(bits(marks, truths)) <= uncertainty(truths) + 1e-9
    assert bits(marks, truths) <= 1e-9 or hits > alarms


def test_a_false_alarm_without_a_hit_is_worth_less_than_nothing():
    truths = [True] * 9 + [False] * 51
    assert -1 < bits([False] * 59 + [True], truths) < -0.1


def test_perfect_marks_on_a_fair_coin_are_worth_one_bit_a_token_and_the_opposite_costs_it():
    truths = [True, False] * 8
    assert bits(truths, truths) == pytest.approx(16)
    assert bits([not t for t in truths], truths) == pytest.approx(-16)


@pytest.mark.parametrize("mark", [True, False])
def test_marking_everything_or_nothing_is_worth_nothing(mark):
    assert bits([mark] * 6, [True, False, False, True, False, False]) == 0


@pytest.mark.parametrize("marked", range(1, 15, 3))
def test_marks_at_random_are_worth_about_nothing_on_average(marked):
    truths = [i < 3 for i in range(16)]
    drawn = [[i in chosen for i in range(16)] for chosen in itertools.combinations(range(16), marked)]
    drawn = drawn[:: max(1, len(drawn) // 600)]
    assert abs(sum(bits(marks, truths) for marks in drawn) / len(drawn)) < 0.3


def test_nothing_can_be_shown_where_nothing_was_replaced():
    assert bits([True, False], [False, False]) == bits([True, False], [True, True]) == 0


def test_the_names_of_the_lines_have_room_above_them():
    came = Provenance(model="m")
    rows = [Strength(t, 0.2, 0.3 * t, 0.5, 100, came, came) for t in (0.25, 1.0, 3.0)]
    assert generator_strength(rows).layout.yaxis.range[1] > 1.2 * 0.9


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
