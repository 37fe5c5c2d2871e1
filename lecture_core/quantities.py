"""How counts, bytes and compute are written: 70B parameters, 91 MB, 5.76e23 FLOPs; and the marks of log sliders.

Plain numbers and strings; knows no page and no figure.
"""

import math
from collections.abc import Sequence

_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_MANTISSAS = (1.0, 1.2, 1.4, 1.7, 2.0, 2.4, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.5)


def three_digits(value: float) -> str:
    """Return a number with three significant digits: `1.33`, `72.2`, `1,880`; far from 1 as a power: `5.7e-11`."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e9:
        return power(value)
    decimals = 2 - math.floor(math.log10(abs(value)))
    digits = f"{round(value, decimals):,.{max(decimals, 0)}f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def power(value: float) -> str:
    """Return a number as mantissa and power of ten, the mantissa with up to three digits: `5.76e23`, `1e21`."""
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def count(value: float) -> str:
    """Return parameters or tokens as they are spoken of: `70B`, `1.37T`; as a power of ten outside 1 to 10,000T."""
    rounded = float(f"{value:.2e}")
    if not 1 <= rounded < 1e16:
        return power(value)
    scale, suffix = next(((scale, suffix) for scale, suffix in _SUFFIXES if rounded >= scale), (1.0, ""))
    return three_digits(rounded / scale) + suffix


def megabytes(amount: int | None) -> str:
    """Return bytes as a person says them: `91 MB`, `30.5 GB`; a dash where nothing is known."""
    if amount is None:
        return "–"
    return f"{amount / 1e9:,.1f} GB" if amount >= 1e9 else f"{amount / 1e6:,.0f} MB"


def log_marks(low: float, high: float, *, also: Sequence[float] = ()) -> tuple[float, ...]:
    """Return round numbers about evenly spaced on a log scale, the marks of a slider.

    Args:
        low: lower end of the range, above zero; a mark.
        high: upper end; a mark.
        also: values that must be marks too, such as the sizes of known models.
    """
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = {float(f"{mantissa}e{exponent}") for exponent in exponents for mantissa in _MANTISSAS}
    return tuple(sorted({low, high, *also} | {mark for mark in marks if low <= mark <= high}))
