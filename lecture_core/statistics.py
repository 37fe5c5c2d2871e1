"""How sure a measured rate is: the interval that stands beside every accuracy in this app."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054
"""Quantile of the standard normal distribution that leaves 2.5 % on each side."""


def student95(n: int) -> float:
    """Return by how many standard errors the 95 % interval of a mean of `n` values reaches to each side.

    With few values far more than 1.96: 12.7 for two, 3.2 for four. Source: Student 1908.

    Raises:
        ValueError: fewer than two values.
    """
    if n < 2:
        raise ValueError(f"expected at least two values, got {n}")
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.975))


def wilson(right: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate, both ends in [0, 1].

    It stays inside [0, 1] and is honest for small n and for rates near 0 or 1: after 0 of 30 it reads 0 to 0.11.

    Args:
        right: successes among `n`.
        n: trials; with none the interval is the whole range (0, 1).

    Raises:
        ValueError: `right` is not between 0 and `n`.

    Source: Wilson 1927, score interval.
    """
    if not 0 <= right <= n:
        raise ValueError(f"expected 0 <= right <= n, got right={right}, n={n}")
    if n == 0:
        return 0.0, 1.0
    rate = right / n
    centre = (rate + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * sqrt(rate * (1 - rate) / n + Z95**2 / (4 * n**2))
    low = 0.0 if right == 0 else max(0.0, centre - half)
    high = 1.0 if right == n else min(1.0, centre + half)
    return low, high


@dataclass(frozen=True)
class MeasuredRate:
    """A share of successes with what it stands on.

    Attributes:
        right: successes among the `n` trials.
        rate: right / n, in [0, 1]; None without a trial.
        low, high: 95 % Wilson interval.
    """

    right: int
    n: int
    rate: float | None
    low: float
    high: float


def measured(verdicts: Iterable[bool]) -> MeasuredRate:
    """Count successes and give their share with its interval."""
    counted = list(verdicts)
    return rate_of(sum(counted), len(counted))


def rate_of(right: int, n: int) -> MeasuredRate:
    """Return the share of `right` among `n` trials with its interval; raises as `wilson`."""
    low, high = wilson(right, n)
    return MeasuredRate(right, n, right / n if n else None, low, high)
