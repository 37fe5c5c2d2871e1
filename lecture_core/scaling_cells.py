"""One cell of a visitor's table as a number: decimal point or comma, groups of thousands, suffixes such as 70M.

Cells are read and never evaluated.
"""

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def _grouped(mark: str, decimal: str) -> str:
    return rf"[+-]?[1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+({re.escape(decimal)}\d*)?"


def _certain(mark: str, decimal: str) -> str:
    """Pattern of cells that can only have this decimal sign; 55.536 and 55,536 could be either."""
    m, d = re.escape(mark), re.escape(decimal)
    fraction = rf"\d*{d}(\d{{1,2}}|\d{{4,}})(e[+-]?\d+)?|0?{d}\d+|\d*{d}\d+e[+-]?\d+"
    return rf"[+-]?({fraction}|[1-9]\d{{0,2}}(({m}\d{{3}})+{d}\d*|({m}\d{{3}}){{2,}}))"


_OTHER = {".": ",", ",": "."}
_GROUPED = {sign: re.compile(_grouped(other, sign)) for sign, other in _OTHER.items()}
_CERTAIN = {sign: re.compile(_certain(other, sign), re.IGNORECASE) for sign, other in _OTHER.items()}
_SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}


def number(cell: str, decimal: str) -> float | None:
    """Return the number in a cell, or None where there is none.

    Args:
        cell: its text, stripped.
        decimal: sign before the fraction, `.` or `,`; the other one may divide thousands.
    """
    if decimal == "." and _NUMBER.fullmatch(cell):
        return float(cell)
    text = re.sub(r"(?<=\d)[\s\u00a0\u202f_'](?=\d{3})", "", cell)
    factor = _SUFFIXES.get(text[-1:].casefold(), 1.0)
    text = text[:-1].rstrip() if factor > 1 else text
    if _GROUPED[decimal].fullmatch(text):
        text = text.replace("." if decimal == "," else ",", "")
    if decimal == ",":
        text = text.replace(",", ".")
    return float(text) * factor if _NUMBER.fullmatch(text) else None


def is_number(cell: str) -> bool:
    """Whether a cell is a number under either decimal sign."""
    return number(cell, ".") is not None or number(cell, ",") is not None


def decimal_sign(cells: Iterable[str]) -> str:
    """Return the sign before the fraction as it seems: a comma where some cells need it and none needs a point."""
    commas = False
    for cell in cells:
        bare = cell[:-1].rstrip() if cell[-1:].casefold() in _SUFFIXES else cell
        if _CERTAIN["."].fullmatch(bare):
            return "."
        commas = commas or bool(_CERTAIN[","].fullmatch(bare))
    return "," if commas else "."
