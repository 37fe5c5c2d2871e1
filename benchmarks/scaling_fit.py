"""Fitting a scaling law: ours against plain scipy on the same runs, starts and objective, rounds alternating.

Plain scipy evaluates the paper's 4,500 starts one by one, descends from the same 24 with L-BFGS and numeric gradients,
and repeats one such descent for each bootstrap sample. Besides the time, the constants are checked: on 100 drawn data
sets of 240 runs, how often does each lie in its own 95 % interval?
`python -m benchmarks.scaling_fit` prints a line per round and one line of JSON last; `_ratio` is ours over theirs.
"""

import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize
from scipy.special import huber, logsumexp

from lecture_core import scaling_fit
from lecture_core.scaling_laws import EPOCH, Fit, bootstrap, fit, predict_loss

Array = NDArray[np.float64]

RUNS, NOISE, DELTA, STARTS = 240, 0.01, 1e-3, 24
ROUNDS, OUR_SAMPLES, THEIR_SAMPLES, SEEDS = 5, 1000, 25, 100


def drawn(seed: int) -> tuple[Array, Array, Array]:
    """Return parameters, tokens and loss of runs spread like the paper's, drawn from the refit of 2024 with noise."""
    random = np.random.default_rng(seed)
    n, flops = 10 ** random.uniform(7.8, 10.2, RUNS), 10 ** random.uniform(18.5, 21.7, RUNS)
    d = flops / 6 / n
    return n, d, np.asarray(predict_loss(n, d, EPOCH)) * np.exp(random.normal(0, NOISE, RUNS))


def plain_objective(theta: Array, n: Array, d: Array, loss: Array, weights: Array) -> float:
    """Return the sum of Huber losses as anyone would write it."""
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * np.log(n), b - beta * np.log(d), np.full(len(n), e)])
    return float((huber(DELTA, logsumexp(terms, axis=0) - np.log(loss)) * weights).sum())


def plain_fit(starts: Array, *data: Array) -> OptimizeResult:
    """Evaluate every start of the grid, then descend from the chosen ones; the lowest end."""
    for start in scaling_fit.all_starts():
        plain_objective(start, *data, np.ones(RUNS))
    ends = [minimize(plain_objective, start, args=(*data, np.ones(RUNS)), method="L-BFGS-B") for start in starts]
    return min(ends, key=lambda end: end.fun)


def plain_bootstrap(theta: Array, *data: Array) -> Array:
    """Return the constants of laws fitted to runs drawn again."""
    draws = np.random.default_rng(0).multinomial(RUNS, np.full(RUNS, 1 / RUNS), size=THEIR_SAMPLES)
    return np.stack([minimize(plain_objective, theta, args=(*data, draw), method="L-BFGS-B").x for draw in draws])


def timed(call: Callable[[], object]) -> tuple[float, object]:
    """Return seconds and result of a call."""
    begun = time.perf_counter()
    result = call()
    return time.perf_counter() - begun, result


def one_round(seed: int) -> dict[str, float]:
    """Return seconds of both sides, and by how much their objective is higher than ours."""
    data = drawn(seed)
    runs = scaling_fit.Runs(*map(np.log, data), np.ones(RUNS))
    starts = scaling_fit.best_starts(runs, STARTS)
    our_fit, found = timed(lambda: fit(*data, starts=STARTS, delta=DELTA, resamples=0))
    their_fit, plain = timed(lambda: plain_fit(starts, *data))
    assert isinstance(found, Fit)
    assert isinstance(plain, OptimizeResult)
    ours, _ = timed(lambda: bootstrap(*data, found.law, delta=DELTA, resamples=OUR_SAMPLES))
    theirs, _ = timed(lambda: plain_bootstrap(plain.x, *data))
    print(
        f"fit {our_fit:.3f} s, plain {their_fit:.2f} s; {OUR_SAMPLES} samples {ours:.2f} s, plain {THEIR_SAMPLES} "
        f"samples {theirs:.2f} s; objective {found.objective:.6g}, plain {plain.fun:.6g}; "
        f"{found.agreeing} of {found.starts} starts agree, converged: {found.converged}"
    )
    return {
        "fit": our_fit,
        "plain_fit": their_fit,
        "bootstrap": ours,
        "plain_sample": theirs / THEIR_SAMPLES,
        "excess": plain.fun / found.objective - 1,
        "converged": float(found.converged),
        "agreeing": found.agreeing,
    }


def coverage() -> dict[str, int]:
    """Count the seeds for which each constant lies in its own 95 % interval."""
    inside = dict.fromkeys(EPOCH.constants(), 0)
    for seed in range(SEEDS):
        found = fit(*drawn(1000 + seed), seed=seed)
        for name, truth in EPOCH.constants().items():
            low, high = found.interval(name)
            inside[name] += low < truth < high
    return inside


def main() -> None:
    """Alternate the sides and report medians."""
    one_round(0)  # warm-up
    rounds = [one_round(seed) for seed in range(1, ROUNDS + 1)]
    middle = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    fits = [r["plain_fit"] / r["fit"] for r in rounds]
    samples = [r["plain_sample"] * OUR_SAMPLES / r["bootstrap"] for r in rounds]
    result = {
        "benchmark": "scaling_fit",
        "runs": RUNS,
        "starts": STARTS,
        "rounds": ROUNDS,
        "fit_seconds": round(middle["fit"], 4),
        "plain_fit_seconds": round(middle["plain_fit"], 3),
        "bootstrap_1000_seconds": round(middle["bootstrap"], 3),
        "plain_bootstrap_1000_seconds": round(middle["plain_sample"] * OUR_SAMPLES, 1),
        "converged": f"{sum(int(r['converged']) for r in rounds)}/{ROUNDS}",
        "starts_that_agree": int(middle["agreeing"]),
        "plain_objective_excess": [float(f"{bound(r['excess'] for r in rounds):.2g}") for bound in (min, max)],
        "inside_own_interval_of_100": coverage(),
        "fit_spread": [round(bound(fits), 1) for bound in (min, max)],
        "bootstrap_spread": [round(bound(samples), 1) for bound in (min, max)],
        "fit_ratio": round(statistics.median(fits), 2),
        "bootstrap_ratio": round(statistics.median(samples), 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
