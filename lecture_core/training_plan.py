"""From machines and days to a model: compute, the best split of it, and how sure a fit is of that split.

Lecture: Scaling laws ("how to optimally allocate compute"). Knows no page. Source of the split: Hoffmann et al. 2022,
equation 4; the interval is the fit's covariance carried through it, to first order.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from lecture_core.errors import InvalidInputError
from lecture_core.scaling_input import above_zero
from lecture_core.scaling_laws import Fit, compute_optimal

DAY = 86_400.0
"""Seconds of a day."""


@dataclass(frozen=True)
class Machines:
    """Accelerators at work for some days.

    Attributes:
        gpus: how many.
        peak_flops: of each, FLOPs a second.
        utilisation: share of the peak that a training reaches, in (0, 1].
        days: of training.
    """

    gpus: float
    peak_flops: float
    utilisation: float
    days: float

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        for name in ("gpus", "peak_flops", "utilisation", "days"):
            above_zero(getattr(self, name), name.replace("_", " "))
        if self.utilisation > 1:
            raise InvalidInputError(
                expected="a utilisation of at most 1", got=f"{self.utilisation:g}", remedy="0.4 is good for training"
            )

    @property
    def flops(self) -> float:
        """Compute they deliver, in FLOPs."""
        return self.gpus * self.peak_flops * self.utilisation * self.days * DAY


@dataclass(frozen=True)
class Estimate:
    """A value and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class TrainingPlan:
    """The best split of a budget under a fit.

    Attributes:
        flops: the budget.
        parameters, tokens, tokens_per_parameter: each with its interval; where one is high, the other is low.
        loss: in nats per token.
    """

    flops: float
    parameters: Estimate
    tokens: Estimate
    tokens_per_parameter: Estimate
    loss: float


def plan_training(flops: float, fit: Fit, *, level: float = 0.95) -> TrainingPlan:
    """Return the best split of a budget with the interval that the fit's covariance gives.

    Args:
        flops: compute budget C, above zero.
        fit: with bootstrap samples; without them the intervals have no width.
        level: share of the intervals, in (0, 1).

    Raises:
        InvalidInputError: a budget that is not finite and above zero.

    Source: log N = (log(alpha A / beta B) + beta log(C / 6)) / (alpha + beta) from Hoffmann et al. 2022, equation 4.
    """
    best, law = compute_optimal(flops, fit.law), fit.law
    log_n, log_c = math.log(best.parameters), math.log(flops / 6)
    by_alpha, by_beta = 1 / law.alpha - log_n, log_c - 1 / law.beta - log_n
    slope = np.array([0.0, 1.0, -1.0, by_alpha, by_beta]) / (law.alpha + law.beta)  # by log E, log A, log B, exponents
    width = _width(slope, fit, level)
    return TrainingPlan(
        flops,
        _factor(best.parameters, width),
        _factor(best.tokens, width),
        _factor(best.tokens_per_parameter, 2 * width),
        best.loss,
    )


def _width(slope: np.ndarray, fit: Fit, level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(float(slope @ fit.covariance @ slope))


def _factor(value: float, width: float) -> Estimate:
    return Estimate(value, value * math.exp(-width), value * math.exp(width))
