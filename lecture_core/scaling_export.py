"""What a visitor takes home from a fit: the constants as JSON, the runs with their residuals as CSV, the code.

Files hold numbers under names of ours; no cell of a visitor's table is written back.
"""

import json
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from lecture_core.scaling_laws import Fit
from lecture_core.scaling_points import DELTA, RESAMPLES, Interval, Points, percent_off, predicted

_METHOD = "Huber loss on log residuals of E + A/N^alpha + B/D^beta (Hoffmann et al. 2022, Approach 3)"


def fit_json(points: Points, fit: Fit, found: Mapping[str, Interval], flops: float) -> str:
    """Return a fit with all that is needed to judge it, as JSON."""
    content: dict[str, Any] = {
        "method": _METHOD,
        "delta": DELTA,
        "runs": len(points),
        "starts": fit.starts,
        "agreeing": fit.agreeing,
        "converged": fit.converged,
        "objective": fit.objective,
        "constants": fit.law.constants(),
        "intervals": {
            name: {"low": _number(i.low), "value": _number(i.value), "high": _number(i.high)}
            for name, i in found.items()
        },
        "interval": f"middle 95 % of {RESAMPLES} bootstrap samples, seed 0",
        "tokens_per_parameter_at_flops": flops,
    }
    return json.dumps(content, indent=2, allow_nan=False)


def _number(value: float) -> float | None:
    return value if abs(value) < float("inf") else None  # JSON knows no NaN


def runs_csv(points: Points, fit: Fit) -> str:
    """Return the runs as counts and nats, with the law's loss and its error in percent."""
    columns = (points.parameters, points.tokens, points.flops, points.loss)
    rows = zip(*columns, predicted(fit.law, points), percent_off(fit.law, points), strict=True)
    lines = ["parameters,tokens,flops,loss,loss_of_law,percent_off"]
    return "\n".join(lines + [",".join(f"{value:.10g}" for value in row) for row in rows]) + "\n"


def code() -> str:
    """Return Python with numpy, pandas and scipy that fits a table of runs as this page does."""
    return dedent("""\
        import numpy as np
        import pandas as pd
        from scipy.optimize import minimize
        from scipy.special import huber, logsumexp

        runs = pd.read_csv("runs.csv")  # parameters, tokens, loss: counts and nats per token
        log_n, log_d, log_loss = np.log(runs[["parameters", "tokens", "loss"]].to_numpy()).T


        def objective(theta):  # Hoffmann et al. 2022, Approach 3
            a, b, e, alpha, beta = theta
            terms = [a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)]
            return huber(1e-3, logsumexp(terms, axis=0) - log_loss).sum()


        starts = [(a, b, e, 0.3, 0.3) for a in (0, 5, 10) for b in (0, 5, 10) for e in (-1, 0, 1)]
        long = {"maxiter": 20_000, "maxfev": 20_000}
        fits = [minimize(objective, start, method="Nelder-Mead", options=long) for start in starts]
        a, b, e, alpha, beta = min(fits, key=lambda fit: fit.fun).x
        print(f"E {np.exp(e):.4g}  A {np.exp(a):.4g}  B {np.exp(b):.4g}  alpha {alpha:.4g}  beta {beta:.4g}")

        N, D = 1e7, 4e6  # the run to forecast
        print(f"loss at N {N:.3g}, D {D:.3g}: {np.exp(e) + np.exp(a) / N**alpha + np.exp(b) / D**beta:.4f}")
        """)
