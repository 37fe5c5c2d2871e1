"""How the five constants of a scaling law are found: robust regression of log loss from a grid of starts.

Lecture: Chinchilla ("E, A, B, alpha, beta: fit based on data"). Source: Hoffmann et al. 2022, Approach 3.
Pure arrays: theta = (a, b, e, alpha, beta) with A = exp a, B = exp b, E = exp e. `scaling_laws.fit` is the front door.
"""

import math
from collections.abc import Iterator
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
_COARSE = (0.3, 0.03)
"""Values of delta with which a far start descends first: it is nearly least squares, which has fewer valleys."""
_SCREENED_RUNS = 400
"""Runs, evenly picked, that are enough to tell good starts from bad ones."""
_CELLS = 500_000
"""Starts times runs that are computed side by side; bounds the memory."""
_VANISHED, _RIDGE = 1e-60, 1e-10
"""Below the first, a slope is none; the second keeps equations apart that two equal terms make the same."""
_PATIENCE = 8
"""Steps in a row without gain after which a descent has ended."""
_LOW_FLOOR, _TINY_FLOOR, _NO_FLOOR = -2.5, -35.0, -150.0
"""log of E over the smallest loss: a floor that may be about to vanish, one too small to matter, and none at all."""
_POLISHED, _MOST_STEPS = 3, 400
"""Lowest ends that are polished, and most steps of each."""


@dataclass(frozen=True)
class Runs:
    """Training runs in logarithms.

    Attributes:
        log_n: log of parameters, (R,).
        log_d: log of tokens, (R,).
        log_loss: log of the final loss in nats per token, (R,).
        weights: how often each run counts, (R,), or (S, R) for S samples side by side.
    """

    log_n: Array
    log_d: Array
    log_loss: Array
    weights: Array

    def samples(self, chosen: NDArray[np.intp]) -> "Runs":
        """Return the runs with the weights of the `chosen` samples; all samples share weights of shape (R,)."""
        return self if self.weights.ndim == 1 else replace(self, weights=self.weights[chosen])


def _residuals(theta: Array, runs: Runs) -> tuple[Array, Array]:
    """Return log of predicted over observed loss, (S, R), and the share of each term in the prediction, (3, S, R).

    The logarithm of the predicted loss is LSE(a - alpha log N, b - beta log D, e), which cannot overflow.
    """
    a, b, e, alpha, beta = theta.T[:, :, None]  # each (S, 1)
    terms = np.stack(np.broadcast_arrays(a - alpha * runs.log_n, b - beta * runs.log_d, e))
    top = terms.max(axis=0)
    shares = np.exp(terms - top)
    total = shares.sum(axis=0)
    return top + np.log(total) - runs.log_loss, shares / total


def _huber(residual: Array, runs: Runs, delta: float) -> Array:
    clipped = np.clip(residual, -delta, delta)
    return ((clipped * (residual - clipped / 2)) * runs.weights).sum(axis=-1)


def _slopes(shares: Array, runs: Runs) -> Array:
    """Return the derivatives of the residuals by theta, (S, R, 5)."""
    by_a, by_b, by_e = shares
    return np.stack([by_a, by_b, by_e, -by_a * runs.log_n, -by_b * runs.log_d], axis=-1)


def objective(theta: Array, runs: Runs, delta: float) -> tuple[Array, Array]:
    """Return the sum of Huber losses of the log residuals, and its gradient.

    The sum is not divided by R: a mean is so flat that a search stops too early (Besiroglu et al. 2024).

    Args:
        theta: starts side by side, (S, 5).
        runs: R training runs.
        delta: residuals below it count squared, above it linearly.

    Returns:
        values (S,) and gradients (S, 5).
    """
    residual, shares = _residuals(theta, runs)
    pull = np.clip(residual, -delta, delta) * runs.weights
    return _huber(residual, runs, delta), np.matmul(pull[:, None], _slopes(shares, runs))[:, 0]


def all_starts() -> Array:
    """Return the grid of starts, (4500, 5)."""
    return np.stack(np.meshgrid(*_GRID, indexing="ij"), axis=-1).reshape(-1, 5)


def best_starts(runs: Runs, number: int) -> Array:
    """Return promising starts of the grid, (number, 5): for each e, alpha and beta the best a and b, best first.

    The very best starts are neighbours that descend into one valley; these are spread.
    """
    grid = all_starts()
    few = slice(None, None, math.ceil(len(runs.log_n) / _SCREENED_RUNS))
    part = Runs(runs.log_n[few], runs.log_d[few], runs.log_loss[few], runs.weights[few])
    parts = _parts(len(grid), len(part.log_n) * 8)
    values = np.concatenate([_huber(_residuals(grid[some], part)[0], part, _COARSE[0]) for some in parts])
    by_a_and_b = values.reshape(len(_GRID[0]) * len(_GRID[1]), -1)
    rank = by_a_and_b.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable").ravel()
    return grid[np.lexsort((values, rank))[:number]]


def _parts(rows: int, width: int) -> Iterator[NDArray[np.intp]]:
    yield from np.array_split(np.arange(rows), math.ceil(rows * width / _CELLS))


@dataclass(frozen=True)
class Minima:
    """Where descents ended: theta (S, 5), objective there (S,), and whether it is a minimum (S,).

    Attributes:
        converged: the slope is zero for all practical purposes, and both exponents are above zero.
    """

    theta: Array
    values: Array
    converged: NDArray[np.bool_]


def descend(starts: Array, runs: Runs, delta: float, *, rounds: int = 300) -> Minima:
    """Return the minima that many descents reach, computed side by side.

    The paper uses L-BFGS. The Huber loss is quadratic where a residual is below delta and linear elsewhere, so its
    curvature comes from few runs and jumps; here each step solves the five equations of Levenberg and Marquardt.
    Their damping is the curvature of a parabola that lies above the Huber loss, so that a damped step always gains.

    Args:
        starts: (S, 5).
        runs: their weights may differ from start to start.
        delta: as in `objective`.
        rounds: most steps of a descent.
    """
    found = [_descend(starts[some], runs.samples(some), delta, rounds) for some in _parts(len(starts), len(runs.log_n))]
    return Minima(
        *(np.concatenate([getattr(part, name) for part in found]) for name in ("theta", "values", "converged"))
    )


def _descend(starts: Array, runs: Runs, delta: float, rounds: int) -> Minima:
    theta, damping, idle = starts.copy(), np.ones(len(starts)), np.zeros(len(starts), dtype=int)
    values = _huber(_residuals(theta, runs)[0], runs, delta)
    for _ in range(rounds):
        moving = np.flatnonzero(idle < _PATIENCE)
        if moving.size == 0:
            break
        here = runs.samples(moving)
        tried = theta[moving] + _step(theta[moving], here, delta, damping[moving])
        reached = _huber(_residuals(tried, here)[0], here, delta)
        better = reached < values[moving]
        gains = values[moving] - reached > 1e-10 * values[moving]
        theta[moving[better]], values[moving[better]] = tried[better], reached[better]
        damping[moving] *= np.where(better, 1 / 3, 4.0)
        idle[moving] = np.where(gains, 0, idle[moving] + 1)
    return Minima(theta, values, _is_flat(theta, runs, delta))


def _step(theta: Array, runs: Runs, delta: float, damping: Array) -> Array:
    residual, shares = _residuals(theta, runs)
    slopes = _slopes(shares, runs)
    gradient = np.matmul((np.clip(residual, -delta, delta) * runs.weights)[:, None], slopes)[:, 0]
    size = np.maximum(np.abs(residual), delta)
    above, inside = (
        np.matmul((slopes * (runs.weights * weight)[..., None]).transpose(0, 2, 1), slopes)
        for weight in (delta / size, size <= delta)
    )
    scale = np.sqrt(np.einsum("sii->si", above))
    scale[scale < _VANISHED] = np.inf  # leave the constants of such a term alone
    weight = damping[:, None, None]
    system = (inside + weight * above) / scale[:, :, None] / scale[:, None, :] + _RIDGE * (1 + weight) * np.eye(5)
    return -np.linalg.solve(system, (gradient / scale)[..., None])[..., 0] / scale


def _is_flat(theta: Array, runs: Runs, delta: float) -> NDArray[np.bool_]:
    gradient = objective(theta, runs, delta)[1]
    steepest = np.array([1, 1, 1, runs.log_n.mean(), runs.log_d.mean()]) * delta
    limit = 1e-4 * np.broadcast_to(runs.weights.sum(axis=-1, keepdims=True), (len(theta), 1)) * steepest
    return np.logical_and((np.abs(gradient) <= limit).all(axis=-1), (theta[:, 3:] > 0).all(axis=-1))


def search(runs: Runs, delta: float, starts: int) -> Minima:
    """Return the minima reached from the most promising starts of the grid, the lowest first.

    Many starts end in a valley where one term has taken over the floor; one start is not enough. As E shrinks, so does
    its slope, and a descent crawls. Where the lowest end has not settled or has next to no floor, the search goes on:
    the same starts with E held at nothing, then BFGS from the lowest ends, with and without a floor put back.
    """
    theta = best_starts(runs, starts)
    found = _lowest_first(_in_stages(theta, runs, delta))
    if found.converged[0] and not _is_low(found.theta[0], runs):
        return found
    bare = _in_stages(_with_floor(theta, runs, _NO_FLOOR), runs, delta)
    polished = found = _lowest_first(_lower(found, bare))
    for start in (found.theta, _with_floor(found.theta, runs, _LOW_FLOOR)):
        polished = _lower(polished, _polish(start, runs, delta))
    return _lowest_first(replace(polished, theta=_with_some_floor(polished.theta, runs)))


def _in_stages(theta: Array, runs: Runs, delta: float) -> Minima:
    for coarse in _COARSE:
        theta = descend(theta, runs, max(delta, coarse), rounds=30).theta
    return descend(theta, runs, delta)


def _lowest_first(found: Minima) -> Minima:
    order = np.argsort(found.values, kind="stable")
    return Minima(found.theta[order], found.values[order], found.converged[order])


def _lower(left: Minima, right: Minima) -> Minima:
    """Return the lower end of each pair."""
    first = left.values <= right.values
    return Minima(
        np.where(first[:, None], left.theta, right.theta),
        np.where(first, left.values, right.values),
        np.where(first, left.converged, right.converged),
    )


def _is_low(theta: Array, runs: Runs) -> bool:
    return bool(theta[2] < runs.log_loss.min() + _LOW_FLOOR)


def _with_floor(theta: Array, runs: Runs, share: float) -> Array:
    changed = theta.copy()
    changed[:, 2] = runs.log_loss.min() + share
    return changed


def _with_some_floor(theta: Array, runs: Runs) -> Array:
    """Return theta with E at least 1e-15 of the smallest loss: nothing to the loss, but its logarithm is a number."""
    changed = theta.copy()
    changed[:, 2] = np.maximum(changed[:, 2], runs.log_loss.min() + _TINY_FLOOR)
    return changed


def _polish(theta: Array, runs: Runs, delta: float) -> Minima:
    """Return where BFGS ends from the first few: it learns the curvature from its steps, a vanishing floor's too."""

    def value_and_slope(at: Array) -> tuple[float, Array]:
        values, slopes = objective(at[None], runs, delta)
        return float(values[0]), slopes[0]

    theta = theta.copy()
    with np.errstate(all="ignore"):  # a step too long is tried and taken back
        for i, start in enumerate(theta[:_POLISHED]):
            end = minimize(
                value_and_slope, start, jac=True, method="BFGS", options={"maxiter": _MOST_STEPS, "gtol": 1e-10}
            ).x
            theta[i] = end if np.isfinite(end).all() else start
    return Minima(theta, objective(theta, runs, delta)[0], _is_flat(theta, runs, delta))


def bootstrap(theta: Array, runs: Runs, delta: float, *, resamples: int, seed: int) -> Array:
    """Return the minima for runs drawn again with replacement, each descent beginning at `theta`, (resamples, 5).

    Where `theta` has next to no floor, a second descent begins with one, and the lower end counts.
    """
    count = len(runs.log_n)
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    samples = replace(runs, weights=draws.astype(np.float64))
    starts = np.repeat(theta[None], resamples, axis=0)
    found = descend(starts, samples, delta)
    if _is_low(theta, runs):  # without a slope E would stay where it is, and seem known
        found = _lower(found, descend(_with_floor(starts, runs, _LOW_FLOOR), samples, delta))
    return _with_some_floor(found.theta, runs)
