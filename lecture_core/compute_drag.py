"""A published model that is moved along its own budget: what the browser needs to draw it, as plain numbers.

Lecture: Chinchilla; which models lie on the line of best splits? The browser computes L = E + A / N^alpha + B / D^beta
with D = C / 6N while the point moves; `scaling_laws.predict_loss` is the same formula. Knows no page.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lecture_core.errors import InvalidInputError
from lecture_core.scaling_laws import Law, frontier
from lecture_core.scaling_models import ModelPoint
from lecture_core.scaling_report import Split, best_place

DIGITS = 4
"""Significant digits of N that a moved point keeps, as the address writes them."""
_ROOM = 2.0  # factor of free space around the outermost points


def window(model: ModelPoint, law: Law, models: Sequence[ModelPoint]) -> tuple[float, float, float, float]:
    """Return lowest and highest N and D of the chart: all models, and the best place of the chosen one."""
    best = best_place(model, law).best
    sizes = [best.parameters, *(m.active_parameters for m in models)]
    tokens = [best.tokens, *(m.tokens for m in models)]
    return min(sizes) / _ROOM, max(sizes) * _ROOM, min(tokens) / _ROOM, max(tokens) * _ROOM


def reach(model: ModelPoint, law: Law, models: Sequence[ModelPoint]) -> tuple[float, float]:
    """Return the ends of N between which the model's line of equal compute stays inside the chart."""
    place = best_place(model, law)
    low_n, high_n, low_d, high_d = window(model, law, models)
    return max(low_n, place.flops / 6 / high_d), min(high_n, place.flops / 6 / low_d)


def read_place(raw: str, model: ModelPoint, law: Law, models: Sequence[ModelPoint]) -> float:
    """Read the N of a moved point from an address.

    Raises:
        InvalidInputError: not a number, or off the part of the line that the chart shows.
    """
    low, high = reach(model, law, models)
    try:
        value = float(raw)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        shown = raw if len(raw) <= 40 else raw[:39] + "…"
        raise InvalidInputError(
            expected=f"a number of parameters from {written(low)} to {written(high)}",
            got=shown or "nothing",
            remedy="you see the published place instead",
        )
    return value


def written(parameters: float) -> str:
    """Return N as the address writes it: `5.312e10`."""
    return f"{parameters:.{DIGITS}g}".replace("e+0", "e").replace("e+", "e")


def drag_data(
    model: ModelPoint, law: Law, models: Sequence[ModelPoint], parameters: float | None = None
) -> dict[str, Any]:
    """Return what the browser draws: law, published place, point in hand, optimum, window, best splits, other models.

    Args:
        model: the one that moves; a mixture of experts counts with its active parameters.
        parameters: N of the point in hand; None is the published place, which is also shown when N is out of reach.
    """
    place: Split = best_place(model, law)
    best, (low, high) = place.best, reach(model, law, models)
    n = place.parameters if parameters is None or not low <= parameters <= high else parameters
    low_n, high_n, low_d, high_d = window(model, law, models)
    best_n, best_d, _ = frontier(np.geomspace(6 * low_n * low_d, 6 * high_n * high_d, 33), law)
    return {
        "model": model.name + (" (active parameters)" if model.is_mixture else ""),
        "law": law.constants(),
        "flops": place.flops,
        "published": place.parameters,
        "place": n,
        "best": best.parameters,
        "reach": [low, high],
        "window": [low_n, high_n, low_d, high_d],
        "frontier": list(zip(best_n.tolist(), best_d.tolist(), strict=True)),
        "others": [[m.active_parameters, m.tokens, m.name, m.family] for m in models if m.name != model.name],
        "digits": DIGITS,
    }
