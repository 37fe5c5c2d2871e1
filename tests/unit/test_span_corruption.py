import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecture_core.errors import InvalidInputError
from lecture_core.span_corruption import corrupt, draw_spans, rebuild

SENTENCE = ["Thank", "you", "for", "inviting", "me", "to", "your", "party", "last", "week", "."]
SENTINELS = [f"<{i}>" for i in range(200)]


def test_the_papers_example():
    result = corrupt(SENTENCE, [(2, 4), (8, 9)], ["<X>", "<Y>", "<Z>"])
    assert " ".join(result.inputs) == "Thank you <X> me to your party <Y> week ."
    assert " ".join(result.targets) == "<X> for inviting <Y> last <Z>"


@given(st.integers(0, 300), st.integers(0, 2**32), st.floats(0.01, 0.99), st.floats(1, 20))
def test_input_and_target_rebuild_the_text(length, seed, rate, mean_span):
    tokens = list(range(length))
    spans = draw_spans(length, np.random.default_rng(seed), rate=rate, mean_span=mean_span)
    sentinels = [-i for i in range(1, len(spans) + 2)]
    assert rebuild(corrupt(tokens, spans, sentinels), sentinels) == tuple(tokens)


def test_drawn_spans_have_the_papers_rate_and_length():
    spans = [draw_spans(512, np.random.default_rng(seed)) for seed in range(50)]
    lengths = [b - a for text in spans for a, b in text]
    assert sum(lengths) / (50 * 512) == pytest.approx(0.15, abs=0.005)
    assert np.mean(lengths) == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    "spans", [[(2, 2)], [(3, 2)], [(0, 2), (2, 4)], [(0, 5), (3, 7)], [(5, 7), (1, 2)], [(9, 12)], [(-1, 2)]]
)
def test_spans_that_do_not_fit_are_refused(spans):
    with pytest.raises(InvalidInputError, match="reading order"):
        corrupt(SENTENCE, spans, SENTINELS)


def test_too_few_sentinels_are_named():
    with pytest.raises(InvalidInputError, match="at most 1 spans"):
        corrupt(SENTENCE, [(1, 2), (4, 5)], SENTINELS[:2])


@pytest.mark.parametrize(("rate", "mean_span"), [(0, 3), (1, 3), (float("nan"), 3), (0.15, 0.5), (0.15, float("nan"))])
def test_a_rate_out_of_range_is_refused(rate, mean_span):
    with pytest.raises(InvalidInputError):
        draw_spans(10, np.random.default_rng(0), rate=rate, mean_span=mean_span)
