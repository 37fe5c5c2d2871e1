"""What may go into a scaling law: finite numbers above zero, arrays that fit each other. Says so in one sentence."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lecture_core.errors import InvalidInputError


def above_zero(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return `values` as float64 if all are finite and above zero.

    Args:
        values: a number or an array of any shape.
        name: what they are, as in "the number of tokens".

    Raises:
        InvalidInputError: text, nothing at all, NaN, infinity, zero or a negative number.
    """
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise _refuse(name, "something else than numbers") from error
    if numbers.size == 0:
        raise _refuse(name, "none")
    bad = ~(np.isfinite(numbers) & (numbers > 0))
    if bad.any():
        raise _refuse(name, f"{numbers[bad].flat[0]:g}")
    return numbers


def _refuse(name: str, got: str) -> InvalidInputError:
    return InvalidInputError(
        expected=f"{name} to be finite and above zero", got=got, remedy="enter a positive number, such as 7e10"
    )


def columns(values: Mapping[str, tuple[ArrayLike, int]], *, at_least: int) -> list[NDArray[np.float64]]:
    """Return columns of a table of runs, one length, all finite and above zero.

    Args:
        values: by name, the column and how many different numbers it must hold.
        at_least: rows needed.

    Raises:
        InvalidInputError: as `above_zero`; different lengths; too few rows; too few different numbers.
    """
    arrays = {name: np.atleast_1d(above_zero(column, f"all {name}")) for name, (column, _) in values.items()}
    sizes = {array.size for array in arrays.values()}
    if len(sizes) > 1 or any(array.ndim != 1 for array in arrays.values()):
        got = ", ".join(f"{array.size} {name}" for name, array in arrays.items())
        raise InvalidInputError(expected="columns of one length", got=got, remedy="give every run all its numbers")
    if min(sizes) < at_least:
        raise InvalidInputError(expected=f"at least {at_least} runs", got=str(min(sizes)), remedy="add more runs")
    for name, (_, different) in values.items():
        if (found := len(np.unique(arrays[name]))) < different:
            raise InvalidInputError(
                expected=f"at least {different} different {name}", got=str(found), remedy="add runs that differ more"
            )
    return list(arrays.values())


def same_lengths(**arrays: NDArray[np.float64]) -> None:
    """Raise `InvalidInputError` where arrays cannot stand beside each other, element by element or as a grid."""
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError as error:
        sizes = " and ".join(f"{array.size} {name}" for name, array in arrays.items())
        raise InvalidInputError(
            expected="arrays of one length", got=sizes, remedy="give one number of tokens for each model"
        ) from error


def finite_result(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Return `values` if all are finite; else raise `InvalidInputError`: the inputs were too extreme for float64."""
    if not np.isfinite(values).all():
        raise InvalidInputError(
            expected=f"{name} below 1e308", got="a number too large to compute", remedy="use smaller numbers"
        )
    return values
