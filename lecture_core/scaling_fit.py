"""How the five constants of a scaling law are found: robust regression of log loss from a grid of starts.

Lecture: Chinchilla ("E, A, B, alpha, beta: fit based on data"). Source: Hoffmann et al. 2022, Approach 3.
Pure arrays: theta = (a, b, e, alpha, beta) with A = exp a, B = exp b, E = exp e. `scaling_laws.fit` is the front door.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]

_GRID = (
    np.arange(0.0, 30.0, 5.0),  # a
    np.arange(0.0, 30.0, 5.0),  # b
    np.arange(-1.0, 1.5, 0.5),  # e
    np.arange(0.0, 2.5, 0.5),  # alpha
    np.arange(0.0, 2.5, 0.5),  # beta
)
"""Starts of Hoffmann et al. 2022, Approach 3: 4,500 in all."""


@dataclass(frozen=True)
class Runs:
    """Training runs in logarithms.

    Attributes:
        log_n: log of parameters, (R,).
        log_d: log of tokens, (R,).
        log_loss: log of the final loss in nats per token, (R,).
        weights: how often each run counts, (R,); all one except in a bootstrap sample.
    """

    log_n: Array
    log_d: Array
    log_loss: Array
    weights: Array


def objective(theta: Array, runs: Runs, delta: float) -> tuple[Array, Array]:
    """Return the sum of Huber losses of the log residuals, and its gradient.

    The logarithm of the predicted loss is LSE(a - alpha log N, b - beta log D, e), which cannot overflow. The sum is
    not divided by R: a mean is so flat that the search stops too early (Besiroglu et al. 2024).

    Args:
        theta: starts side by side, (S, 5).
        runs: R training runs.
        delta: residuals below it count squared, above it linearly.

    Returns:
        values (S,) and gradients (S, 5).
    """
    a, b, e, alpha, beta = theta.T[:, :, None]  # each (S, 1)
    terms = np.stack(np.broadcast_arrays(a - alpha * runs.log_n, b - beta * runs.log_d, e))  # (3, S, R)
    top = terms.max(axis=0)
    shares = np.exp(terms - top)
    total = shares.sum(axis=0)
    residual = top + np.log(total) - runs.log_loss  # (S, R)
    clipped = np.clip(residual, -delta, delta)
    values = ((clipped * (residual - clipped / 2)) * runs.weights).sum(axis=-1)
    pull = shares / total * (clipped * runs.weights)  # (3, S, R)
    by_a, by_b, by_e = pull.sum(axis=-1)
    by_alpha, by_beta = -(pull[0] * runs.log_n).sum(axis=-1), -(pull[1] * runs.log_d).sum(axis=-1)
    return values, np.stack([by_a, by_b, by_e, by_alpha, by_beta], axis=-1)


def all_starts() -> Array:
    """Return the grid of starts, (4500, 5)."""
    return np.stack(np.meshgrid(*_GRID, indexing="ij"), axis=-1).reshape(-1, 5)


def best_starts(runs: Runs, delta: float, number: int) -> Array:
    """Return the starts of the grid with the lowest objective, best first, (number, 5)."""
    grid = all_starts()
    values = np.concatenate([objective(part, runs, delta)[0] for part in np.array_split(grid, 30)])
    return grid[np.argsort(values, kind="stable")[:number]]


@dataclass(frozen=True)
class Minimum:
    """Where a descent ended.

    Attributes:
        theta: (5,).
        value: objective there.
        converged: the slope is zero for all practical purposes, and both exponents are above zero.
    """

    theta: Array
    value: float
    converged: bool


def descend(start: Array, runs: Runs, delta: float, *, rounds: int = 20) -> Minimum:
    """Return the minimum that BFGS finds from one start.

    The paper uses L-BFGS; with five constants the full matrix costs nothing, and it avoids the LAPACK calls of SciPy's
    L-BFGS, whose threads wait for each other on a busy machine. The Huber loss has kinks where a residual crosses
    delta; the search stops there with a poor idea of the curvature, so it is begun again until nothing improves.
    """

    def value_and_gradient(theta: Array) -> tuple[float, Array]:
        values, gradients = objective(theta[None], runs, delta)
        return float(values[0]), gradients[0]

    theta, value = start, value_and_gradient(start)[0]
    for _ in range(rounds):
        found = minimize(value_and_gradient, theta, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 500})
        gain, theta, value = value - found.fun, found.x, found.fun
        if gain <= 1e-9 * value + 1e-13:
            break
    return Minimum(theta, value, _is_flat(theta, value_and_gradient(theta)[1], runs, delta))


def _is_flat(theta: Array, gradient: Array, runs: Runs, delta: float) -> bool:
    steepest = delta * runs.weights.sum() * np.array([1, 1, 1, runs.log_n.mean(), runs.log_d.mean()])
    return bool((np.abs(gradient) <= 1e-4 * steepest).all() and (theta[3:] > 0).all())


def search(runs: Runs, delta: float, starts: int) -> Minimum:
    """Return the lowest minimum reached from the most promising starts of the grid.

    Many starts end in a valley where one term has taken over the floor; one start is not enough.
    """
    return min((descend(start, runs, delta) for start in best_starts(runs, delta, starts)), key=lambda m: m.value)


def bootstrap(theta: Array, runs: Runs, delta: float, *, resamples: int, seed: int) -> Array:
    """Return the minima for runs drawn again with replacement, each descent beginning at `theta`, (resamples, 5)."""
    count = len(runs.log_n)
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    samples = (replace(runs, weights=draw.astype(np.float64)) for draw in draws)
    return np.stack([descend(theta, sample, delta, rounds=5).theta for sample in samples])
