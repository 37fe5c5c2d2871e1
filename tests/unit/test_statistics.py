import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from lecture_core.statistics import wilson

counts = st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_interval_contains_the_rate_and_stays_in_the_unit_range(counted):
    right, n = counted
    low, high = wilson(right, n)
    assert 0 <= low < high <= 1
    if n:
        assert low <= right / n <= high


@given(counts.filter(lambda counted: counted[1] > 0))
def test_interval_equals_scipy(counted):
    right, n = counted
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.integers(1, 200))
def test_wrong_and_right_are_symmetric(n):
    low, high = wilson(n // 3, n)
    other_low, other_high = wilson(n - n // 3, n)
    assert (low, high) == pytest.approx((1 - other_high, 1 - other_low))


def test_more_items_narrow_the_interval():
    widths = [high - low for low, high in (wilson(n // 2, n) for n in (10, 50, 250))]
    assert widths == sorted(widths, reverse=True)


def test_nothing_measured_leaves_the_whole_range():
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("right", "n"), [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(right, n):
    with pytest.raises(ValueError, match="right"):
        wilson(right, n)
