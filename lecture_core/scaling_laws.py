"""Scaling laws: how the loss of a language model falls with parameters and tokens, and how to split a compute budget.

Lecture: Scaling laws; Chinchilla. Sources: Hoffmann et al. 2022 (arXiv:2203.15556), Besiroglu et al. 2024
(arXiv:2404.10102). Knows no page and no figure. The numerical search behind `fit` is `scaling_fit`.
"""

import math
from dataclasses import dataclass, field, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lecture_core import scaling_fit
from lecture_core.errors import InvalidInputError
from lecture_core.scaling_input import above_zero, columns, finite_result, same_lengths

Numbers: TypeAlias = float | NDArray[np.float64]
"""A float where floats came in, else an array of float64."""

CHINCHILLA_FLOPS = 5.76e23
"""Compute budget of Gopher and Chinchilla, in FLOPs. Source: Hoffmann et al. 2022, Table 3."""


@dataclass(frozen=True)
class Law:
    """L(N, D) = E + A / N^alpha + B / D^beta, the loss in nats per token.

    Attributes:
        E: loss that no model gets below, the entropy of the text, in nats per token.
        A: size of the loss from having finitely many parameters.
        B: size of the loss from having seen finitely many tokens.
        alpha: how fast more parameters help.
        beta: how fast more tokens help.
        source: where the constants come from; empty for one's own.

    Raises:
        InvalidInputError: a constant is not a finite number above zero.

    Source: Hoffmann et al. 2022, equation 2.
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Refuse constants with which the formula means nothing."""
        for name, value in self.constants().items():
            above_zero(value, f"the constant {name}")

    def constants(self) -> dict[str, float]:
        """Return the five constants by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "source"}


HOFFMANN_PRINTED = Law(1.69, 406.4, 410.7, 0.34, 0.28, "Hoffmann et al. 2022, Approach 3, as printed")
HOFFMANN_UNROUNDED = Law(
    float(np.exp(0.5267228)),
    float(np.exp(6.0073404)),
    float(np.exp(6.0179186)),
    0.33917084,
    0.2849083,
    "Hoffmann et al. 2022, Approach 3, unrounded in the paper's TeX source",
)
EPOCH = Law(
    1.81686,
    482.00572,
    2085.43420,
    0.34781,
    0.36585,
    "Besiroglu et al. 2024, refit of Hoffmann's runs",
)


@dataclass(frozen=True)
class LossTerms:
    """The three terms of the loss, each in nats per token.

    Attributes:
        floor: E, which no model gets below.
        from_parameters: A / N^alpha, what more parameters would take away.
        from_tokens: B / D^beta, what more tokens would take away.
    """

    floor: float
    from_parameters: float
    from_tokens: float

    @property
    def loss(self) -> float:
        """Sum of the terms."""
        return self.floor + self.from_parameters + self.from_tokens


@dataclass(frozen=True)
class ComputeOptimal:
    """The split of a compute budget with the lowest loss: parameters N, tokens D, loss in nats per token."""

    parameters: float
    tokens: float
    loss: float

    @property
    def tokens_per_parameter(self) -> float:
        """D / N."""
        return self.tokens / self.parameters


@dataclass(frozen=True)
class IsoFlop:
    """All ways to spend one compute budget, from small models on many tokens to large models on few; arrays (P,).

    Attributes:
        flops: the budget C; `tokens` are C / 6N.
        best: the split with the lowest loss, in closed form.
    """

    flops: float
    parameters: NDArray[np.float64]
    tokens: NDArray[np.float64]
    loss: NDArray[np.float64]
    best: ComputeOptimal


def compute(parameters: ArrayLike, tokens: ArrayLike) -> Numbers:
    """Return the compute of a training run in FLOPs, 6 N D: two a multiply-add forward, four backward.

    Source: Kaplan et al. 2020, section 2.1 (arXiv:2001.08361).
    """
    n, d = _counts(parameters, tokens)
    with np.errstate(over="ignore"):
        return _plain(finite_result(6 * n * d, "6ND"))


def predict_loss(parameters: ArrayLike, tokens: ArrayLike, law: Law) -> Numbers:
    """Return the loss in nats per token of a model of N parameters trained on D tokens.

    Args:
        parameters: N, a count or an array of counts.
        tokens: D, likewise; arrays of shapes that fit each other, such as (P, 1) and (Q,), give a grid (P, Q).
        law: the five constants.

    Raises:
        InvalidInputError: a count that is not finite and above zero, or lengths that do not fit.
    """
    n, d = _counts(parameters, tokens)
    with np.errstate(over="ignore", under="ignore"):
        return _plain(finite_result(law.E + law.A * n**-law.alpha + law.B * d**-law.beta, "the loss"))


def loss_terms(parameters: float, tokens: float, law: Law) -> LossTerms:
    """Return the loss of one model split into floor, parameter term and token term."""
    n, d = _counts(parameters, tokens)
    with np.errstate(over="ignore", under="ignore"):
        terms = finite_result(np.array([law.A * n**-law.alpha, law.B * d**-law.beta]), "the loss")
    return LossTerms(law.E, *terms.tolist())


def compute_optimal(flops: float, law: Law) -> ComputeOptimal:
    """Return the parameters and tokens with the lowest loss among all with 6 N D = `flops`.

    Where the derivative along the budget vanishes, alpha A / N^alpha = beta B / D^beta: both terms promise the same
    from a little more compute. Solved for N with D = C / 6N.

    Args:
        flops: compute budget C.
        law: the five constants.

    Raises:
        InvalidInputError: a budget that is not finite and above zero, or an optimum too large to be a number.

    Source: Hoffmann et al. 2022, equation 4.
    """
    log_n, log_d = _log_optimum(float(above_zero(flops, "compute in FLOPs")), law)
    with np.errstate(over="ignore", under="ignore"):
        n, d = np.exp(log_n), np.exp(log_d)
    if not (np.isfinite([n, d]).all() and n > 0 and d > 0):
        raise InvalidInputError(
            expected="constants whose best split can be computed",
            got=f"a best split of 10^{log_n / math.log(10):.0f} parameters",
            remedy="choose exponents alpha and beta further from 0",
        )
    return ComputeOptimal(float(n), float(d), float(predict_loss(n, d, law)))


def _log_optimum(flops: float, law: Law) -> tuple[float, float]:
    log_compute = math.log(flops) - math.log(6)
    log_g = math.log(law.alpha) + math.log(law.A) - math.log(law.beta) - math.log(law.B)
    log_n = (log_g + log_compute * law.beta) / (law.alpha + law.beta)
    return log_n, log_compute - log_n


def isoflop(flops: float, law: Law, *, decades: float = 3.0, points: int = 121) -> IsoFlop:
    """Return the loss over all splits of one budget, around the best one.

    Args:
        flops: compute budget C.
        law: the five constants.
        decades: width of the curve in powers of ten of N, half on each side of the optimum; above zero.
        points: P; odd numbers include the optimum itself.
    """
    best = compute_optimal(flops, law)
    half = float(above_zero(decades, "the width in decades")) / 2
    steps = np.linspace(-half, half, int(above_zero(points, "the number of points")))
    n = best.parameters * 10**steps
    d = best.tokens * 10**-steps
    return IsoFlop(float(flops), n, d, np.asarray(predict_loss(n, d, law)), best)


@dataclass(frozen=True)
class Fit:
    """A law found from runs.

    Attributes:
        law: the constants with the lowest sum of Huber losses.
        standard_errors: of each constant by name, from bootstrap samples; empty when none were asked for.
        starts: starts from which the search descended.
        converged: whether the best descent ended at a flat point.
        objective: sum of Huber losses at the end.
    """

    law: Law
    standard_errors: dict[str, float]
    starts: int
    converged: bool
    objective: float


def fit(
    parameters: ArrayLike,
    tokens: ArrayLike,
    loss: ArrayLike,
    *,
    delta: float = 1e-3,
    starts: int = 24,
    resamples: int = 50,
    seed: int = 0,
) -> Fit:
    """Find the constants that describe training runs: Huber loss on the log residual, BFGS from a grid of starts.

    All 4,500 starts of the paper are evaluated; the search descends from the best of them.

    Args:
        parameters: N of each run, (R,), at least six runs with three sizes.
        tokens: D of each run, (R,), with three different values.
        loss: final loss of each run in nats per token, (R,).
        delta: residuals of log loss below it count squared, above it linearly.
        starts: descents, 1 to 4,500.
        resamples: bootstrap samples for the standard errors, 2 or more; 0 for none.
        seed: of the bootstrap.

    Raises:
        InvalidInputError: a value that is not finite and above zero, different lengths, too few or too similar runs.

    Source: Hoffmann et al. 2022, Approach 3 (delta = 1e-3).
    """
    n, d, observed = columns({"parameters": (parameters, 3), "tokens": (tokens, 3), "losses": (loss, 1)}, at_least=6)
    above_zero([delta, starts], "delta and the number of starts")
    runs = scaling_fit.Runs(np.log(n), np.log(d), np.log(observed), np.ones(len(n)))
    found = scaling_fit.search(runs, delta, starts)
    law = _law(found.theta)
    errors: dict[str, float] = {}
    if resamples > 1:
        samples = scaling_fit.bootstrap(found.theta, runs, delta, resamples=resamples, seed=seed)
        errors = dict(zip(law.constants(), np.std(_constants(samples), axis=0, ddof=1).tolist(), strict=True))
    return Fit(law, errors, starts, found.converged, found.value)


def _law(theta: NDArray[np.float64]) -> Law:
    constants = _constants(theta[None])[0]
    if not (np.isfinite(constants).all() and (constants > 0).all()):
        raise InvalidInputError(
            expected="runs that determine all five constants",
            got="runs that fit without one of them",
            remedy="add runs that differ more in parameters and in tokens",
        )
    return Law(*constants.tolist())


def _constants(thetas: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, e, alpha, beta = thetas.T
    with np.errstate(over="ignore"):
        return np.stack([np.exp(e), np.exp(a), np.exp(b), alpha, beta], axis=-1)  # in the order of Law


def _counts(parameters: ArrayLike, tokens: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n = above_zero(parameters, "the number of parameters")
    d = above_zero(tokens, "the number of tokens")
    same_lengths(parameters=n, tokens=d)
    return n, d


def _plain(values: NDArray[np.float64]) -> Numbers:
    return float(values) if np.ndim(values) == 0 else values
