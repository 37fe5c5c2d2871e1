"""Whether a classifier's probabilities mean what they say: the reliability curve and its expected calibration error.

Lecture: ELECTRA. Of the tokens that the discriminator calls replaced with probability 0.7, about 70 % should be so.
Source: Niculescu-Mizil and Caruana 2005 (curve); Guo et al. 2017, section 2 (arXiv:1706.04599, error).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ReliabilityBin:
    """The predictions whose probability lies in one of equally wide bins.

    Attributes:
        low, high: edges of the bin; a probability on an inner edge belongs to the bin above.
        n: predictions in it; none leaves the two shares None.
        predicted: mean predicted probability.
        observed: share of positives.
    """

    low: float
    high: float
    n: int
    predicted: float | None
    observed: float | None


def reliability(probabilities: np.ndarray, positive: np.ndarray, *, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """Compare predicted probabilities with what came true, bin by bin from 0 to 1.

    Args:
        probabilities: predicted, in [0, 1]; (N,).
        positive: whether it came true; (N,) bool.

    Raises:
        ValueError: the lengths differ, or a probability is outside [0, 1].
    """
    if probabilities.shape != positive.shape:
        raise ValueError(f"expected as many outcomes as probabilities, got {positive.shape}, {probabilities.shape}")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("expected probabilities in [0, 1]")
    edges = np.arange(bins + 1) / bins  # written as 0.3, unlike those of linspace
    index = np.digitize(probabilities, edges[1:-1])  # (N,), 0 to bins - 1
    return tuple(
        _bin(float(edges[b]), float(edges[b + 1]), probabilities[index == b], positive[index == b]) for b in range(bins)
    )


def _bin(low: float, high: float, probabilities: np.ndarray, positive: np.ndarray) -> ReliabilityBin:
    if not len(positive):
        return ReliabilityBin(low, high, 0, None, None)
    return ReliabilityBin(low, high, len(positive), float(probabilities.mean()), float(positive.mean()))


def expected_calibration_error(curve: Sequence[ReliabilityBin]) -> float:
    """Return the mean distance between predicted and observed, weighted by n; in [0, 1], 0 without predictions.

    Source: Guo et al. 2017, equation 3.
    """
    total = sum(b.n for b in curve)
    gaps = [b.n * abs(b.predicted - b.observed) for b in curve if b.predicted is not None and b.observed is not None]
    return sum(gaps) / total if total else 0.0
