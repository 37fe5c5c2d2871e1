"""Chinchilla's three ways to find the best size of a model, on the paper's own runs as read off its figure.

Lecture: Chinchilla. Source: Hoffmann et al. 2022, section 3 (arXiv:2203.15556). Arrays in, exponents out: N ~ C^a and
D ~ C^b with a + b = 1. Knows no page and no figure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lecture_core import scaling_fit
from lecture_core.scaling_laws import Fit, fit
from lecture_core.tables import load_table

Array = NDArray[np.float64]

LEFT_OUT = 5
"""Runs of the highest loss that the fits leave out. Source: Besiroglu et al. 2024."""
BUDGETS = (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21)
"""Compute of the isoFLOP profiles. Source: Hoffmann et al. 2022, Figure 3."""
_BELOW, _ABOVE = 0.84, 1.02  # runs of one profile have 6ND a little below its name
_AROUND = 4.0  # a parabola describes sizes up to this factor from the lowest run


@dataclass(frozen=True)
class TrainingRuns:
    """Runs with their final loss in nats per token; arrays (R,)."""

    parameters: Array
    flops: Array
    loss: Array

    @property
    def tokens(self) -> Array:
        """D = C / 6N."""
        return self.flops / (6 * self.parameters)

    def only(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> "TrainingRuns":
        """Return some of the runs."""
        return TrainingRuns(self.parameters[chosen], self.flops[chosen], self.loss[chosen])


@cache
def published_runs() -> TrainingRuns:
    """Return the 240 runs of Hoffmann et al. 2022, Figure 4, that the refit of 2024 uses too."""
    frame = load_table("chinchilla_runs").frame
    n, c, loss = (frame[name].to_numpy() for name in ("parameters", "flops", "loss"))
    return TrainingRuns(n, c, loss).only(np.sort(np.argsort(loss, kind="stable")[:-LEFT_OUT]))


@dataclass(frozen=True)
class BestSizes:
    """The best size at some budgets, and the line through them in logarithms.

    Attributes:
        flops, parameters, loss: the points, (P,).
        size_exponent: a in N ~ C^a.
        at_one: N at C = 1, where the line begins.
    """

    flops: Array
    parameters: Array
    loss: Array
    size_exponent: float
    at_one: float

    @property
    def token_exponent(self) -> float:
        """B in D ~ C^b."""
        return 1 - self.size_exponent

    def size(self, flops: Array) -> Array:
        """Return the best number of parameters on the line."""
        return self.at_one * flops**self.size_exponent


def _line(flops: Array, parameters: Array, loss: Array) -> BestSizes:
    slope, start = np.polyfit(np.log(flops), np.log(parameters), 1)
    return BestSizes(flops, parameters, loss, float(slope), float(np.exp(start)))


@dataclass(frozen=True)
class SizeCurve:
    """Loss over compute of one size, through its runs."""

    parameters: float
    flops: Array
    loss: Array


def curves(runs: TrainingRuns, *, least: int = 3) -> tuple[SizeCurve, ...]:
    """Return the sizes with at least so many runs, each as a curve; the figure shows ends of trainings only."""
    found = []
    for size in np.unique(runs.parameters):
        own = runs.only(runs.parameters == size)
        order = np.argsort(own.flops)
        if len(order) >= least:
            found.append(SizeCurve(float(size), own.flops[order], own.loss[order]))
    return tuple(found)


def lowest_curves(runs: TrainingRuns, *, points: int = 80) -> BestSizes:
    """Approach 1: at each compute, the size whose curve is lowest; between runs, curves are straight in logarithms.

    Source: Hoffmann et al. 2022, section 3.1; there from whole training curves.
    """
    at = np.linspace(np.log(BUDGETS[0]), np.log(BUDGETS[-1]), points)
    known = curves(runs)
    heights = np.stack(
        [np.interp(at, np.log(c.flops), np.log(c.loss), left=np.inf, right=np.inf) for c in known]
    )  # (sizes, P)
    best = heights.argmin(axis=0)
    seen = np.isfinite(heights.min(axis=0))
    sizes = np.array([c.parameters for c in known])[best]
    return _line(np.exp(at[seen]), sizes[seen], np.exp(heights.min(axis=0)[seen]))


@dataclass(frozen=True)
class Profile:
    """Runs of one budget and the parabola through them: loss over log N.

    Attributes:
        name: the budget as the paper names it, in FLOPs.
        runs: those near enough to the lowest.
        coefficients: of the parabola in log N, highest power first.
    """

    name: float
    runs: TrainingRuns
    coefficients: Array

    @property
    def best(self) -> float:
        """Parameters at the lowest point of the parabola."""
        return float(np.exp(-self.coefficients[1] / (2 * self.coefficients[0])))

    def height(self, parameters: ArrayLike) -> Array:
        """Return the loss on the parabola."""
        return np.asarray(np.polyval(self.coefficients, np.log(parameters)), dtype=np.float64)


def profiles(runs: TrainingRuns) -> tuple[Profile, ...]:
    """Return the isoFLOP profiles whose parabola opens upwards."""
    found = []
    for budget in BUDGETS:
        own = runs.only((runs.flops > _BELOW * budget) & (runs.flops < _ABOVE * budget))
        near = own.only(np.abs(np.log(own.parameters / own.parameters[own.loss.argmin()])) < np.log(_AROUND))
        if len(np.unique(near.parameters)) > 3:
            parabola = Profile(budget, near, np.polyfit(np.log(near.parameters), near.loss, 2))
            found += [parabola] if parabola.coefficients[0] > 0 else []
    return tuple(found)


def lowest_parabolas(runs: TrainingRuns) -> BestSizes:
    """Approach 2: the lowest point of a parabola through the runs of each budget.

    Source: Hoffmann et al. 2022, section 3.2.
    """
    known = profiles(runs)
    flops = np.array([np.exp(np.log(p.runs.flops).mean()) for p in known])
    best = np.array([p.best for p in known])
    return _line(flops, best, np.array([p.height(n) for p, n in zip(known, best, strict=True)]))


@cache
def parametric() -> Fit:
    """Approach 3: the five constants of L(N, D), fitted to the published runs; 1,000 bootstrap samples.

    Source: Hoffmann et al. 2022, section 3.3.
    """
    runs = published_runs()
    return fit(runs.parameters, runs.tokens, runs.loss, resamples=1000)


@dataclass(frozen=True)
class Exponent:
    """a in N ~ C^a, with the 10th and 90th percentile over samples of 80 % of the runs, as the paper gives them."""

    value: float
    low: float
    high: float


@cache
def size_exponents(*, samples: int = 100, share: float = 0.8, seed: int = 0) -> tuple[Exponent, Exponent, Exponent]:
    """Return a of the three approaches on the published runs."""
    runs, random = published_runs(), np.random.default_rng(seed)
    total = len(runs.loss)
    picks = [random.choice(total, int(share * total), replace=False) for _ in range(samples)]
    ways: tuple[Callable[[TrainingRuns], BestSizes], ...] = (lowest_curves, lowest_parabolas)
    found = [_exponent(way(runs).size_exponent, [way(runs.only(p)).size_exponent for p in picks]) for way in ways]
    return found[0], found[1], _exponent(parametric().law.size_exponent, _parametric_exponents(runs, picks))


def _parametric_exponents(runs: TrainingRuns, picks: list[NDArray[np.intp]]) -> list[float]:
    law = parametric().law
    weights = np.zeros((len(picks), len(runs.loss)))
    for row, pick in zip(weights, picks, strict=True):
        row[pick] = 1
    data = scaling_fit.Runs(np.log(runs.parameters), np.log(runs.tokens), np.log(runs.loss), weights)
    start = np.array([np.log(law.A), np.log(law.B), np.log(law.E), law.alpha, law.beta])
    theta = scaling_fit.descend(np.repeat(start[None], len(picks), axis=0), data, 1e-3).theta
    return list(theta[:, 4] / (theta[:, 3] + theta[:, 4]))


def _exponent(value: float, samples: list[float]) -> Exponent:
    low, high = np.quantile(samples, [0.1, 0.9]).tolist()
    return Exponent(value, low, high)
