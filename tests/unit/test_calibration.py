import numpy as np
import pytest

from lecture_core.calibration import expected_calibration_error, reliability


def test_bins_of_known_scores():
    curve = reliability(np.array([0.05, 0.15, 0.1, 0.95, 1.0]), np.array([False, True, False, True, True]))
    assert [b.n for b in curve] == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert (curve[1].predicted, curve[1].observed) == (pytest.approx(0.125), 0.5)
    assert (curve[9].predicted, curve[9].observed) == (pytest.approx(0.975), 1.0)
    assert (curve[2].predicted, curve[2].observed) == (None, None)
    error = (1 * 0.05 + 2 * 0.375 + 2 * 0.025) / 5
    assert expected_calibration_error(curve) == pytest.approx(error)


def test_edges_run_from_0_to_1_without_a_gap():
    curve = reliability(np.array([0.5]), np.array([True]), bins=4)
    assert [(b.low, b.high) for b in curve] == [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]
    assert [b.n for b in curve] == [0, 0, 1, 0]


def test_outcomes_drawn_from_the_probabilities_are_calibrated_and_inverted_ones_are_not():
    rng = np.random.default_rng(0)
    probabilities = rng.random(50_000)
    positive = rng.random(50_000) < probabilities
    assert expected_calibration_error(reliability(probabilities, positive)) < 0.01
    assert expected_calibration_error(reliability(probabilities, ~positive)) > 0.4


def test_nothing_predicted_has_no_error():
    assert expected_calibration_error(reliability(np.array([]), np.array([], dtype=bool))) == 0


@pytest.mark.parametrize(
    ("probabilities", "positive"),
    [([0.5], [True, False]), ([1.1], [True]), ([-0.1], [True]), ([float("nan")], [True])],
)
def test_impossible_input_is_refused(probabilities, positive):
    with pytest.raises(ValueError, match="expected"):
        reliability(np.array(probabilities), np.array(positive))
