"""What the columns of a visitor's table of runs hold, by their names: the quantity, and the unit it is counted in.

Pure guessing that a page lets the visitor correct. A loss is never guessed from where a column stands: a column that is
not called a loss must be chosen.
"""

import re
from collections.abc import Sequence

from lecture_core.scaling_cells import number

UNITS = {"counts": 1.0, "thousands": 1e3, "millions": 1e6, "billions": 1e9, "trillions": 1e12}
COMPUTE_UNITS = {"FLOPs": 1.0, "1e18 FLOPs": 1e18, "PFLOP/s-days": 8.64e19}
LOSS_UNITS = {"nats per token": 1.0, "bits per token": 0.6931471805599453}
UNITS_OF = {"parameters": UNITS, "tokens": UNITS, "compute": COMPUTE_UNITS, "loss": LOSS_UNITS}
"""Units of each quantity: name to factor in counts, FLOPs or nats per token."""
NAMES: dict[str, tuple[str, ...]] = {
    "loss": (
        r"(final_)?(val|valid|validation|test|eval|held_?out)_(loss|nll|ce|cross_entropy)(_per_token)?",
        r"(final_)?(loss|nll|ce|xent|cross_entropy|nats|l)(_per_token)?",
        r"((?!bytes?|chars?|std|stderr|err|error|se|var|weight|scale)[a-z0-9]+_)*?loss(_(final|last|mean|avg))?",
    ),
    "parameters": (
        r"n|n_?params?|num_params?|(non_embedding_)?(params?|parameters?)(_non_embedding)?|model_size|size|n_parameters",
        r"(params?|parameters?|model_size)_(?!per).*",
    ),
    "tokens": (
        r"d|tokens?|n_?tokens|num_tokens|training_tokens|train_tokens|data|dataset_size|data_size|tokens_seen",
        r"(tokens?|data)_(?!per|source|name|set|mix).*",
    ),
    "compute": (
        r"c|flops?|compute|(training|train|total)_(flops?|compute)",
        r"(flops?|compute)_(?!per).*",
    ),
}
"""What columns are called, the surest first, as patterns over the name in small letters without its unit."""

LOOKED_AT = 200
"""Cells of a column that are looked at to guess its unit."""
_PER_BYTE = re.compile(r"(^|_)(bytes?|chars?|characters?|bpb|bpc)(_|$)")  # a loss, but not one per token
_SCALES = {
    "thousands": r"k|thousands?|1?e3|10_?3",
    "millions": r"m|mn|mio|millions?|1?e6|10_?6",
    "billions": r"b|bn|g|billions?|1?e9|10_?9",
    "trillions": r"t|tn|trillions?|1?e12|10_?12",
}
_SPOKEN = {
    **_SCALES,
    "nats per token": r"nats?(_(per_)?token)?",
    "bits per token": r"bits?(_(per_)?token)?",
    "1e18 FLOPs": r"(1?e18|10_?18)(_flops?)?|e_?flops?|exa_?flops?",
    "PFLOP/s-days": r"p(eta)?_?f(lops?)?(_?s)?_days?",
}
_FEWEST = {"parameters": 1e3, "tokens": 1e5}
"""No model of fewer parameters and no training on fewer tokens: smaller numbers stand for millions."""


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def _parts(name: str) -> tuple[str, str]:
    """Return the name and the unit at its end, in brackets or as its last word; the unit may be empty."""
    if found := re.fullmatch(r"(.+?)\s*[(\[]([^()\[\]]+)[)\]]\s*", name):
        return _plain(found[1]), _plain(found[2])
    plain = _plain(name)
    found = re.fullmatch(rf"(\w+?)_(?:in_)?({'|'.join(f'(?:{p})' for p in _SPOKEN.values())})", plain)
    return (found[1], found[2]) if found else (plain, "")


def guess(header: Sequence[str]) -> dict[str, str]:
    """Return which column seems to hold what: quantity to name, without those that no name fits."""
    found: dict[str, str] = {}
    for quantity, patterns in NAMES.items():
        named = [(name, _plain(name), _parts(name)[0]) for name in header if name not in found.values()]
        if quantity == "loss":
            named = [row for row in named if not _PER_BYTE.search(row[1])]
        for pattern in patterns:
            fitting = [n for n, whole, bare in named if re.fullmatch(pattern, bare) or re.fullmatch(pattern, whole)]
            if fitting:
                found[quantity] = fitting[0]
                break
    return found


def guess_unit(quantity: str, name: str, cells: Sequence[str], decimal: str) -> str:
    """Return the unit of a column, by its name, else by the size of its numbers.

    Args:
        quantity: `parameters`, `tokens`, `compute` or `loss`.
        name: as in the header.
        cells: of the column; the first few hundred are looked at.
        decimal: sign before the fraction.
    """
    said = _parts(name)[1]
    for unit in UNITS_OF[quantity]:
        if said and unit in _SPOKEN and re.fullmatch(_SPOKEN[unit], said):
            return unit
    values = [value for cell in cells[:LOOKED_AT] if (value := number(cell, decimal)) is not None and value > 0]
    if quantity in _FEWEST and values:
        whole = all(value == round(value) for value in values)
        return "counts" if whole and min(values) >= _FEWEST[quantity] else "millions"
    return next(iter(UNITS_OF[quantity]))
