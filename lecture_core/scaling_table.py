"""A visitor's table of training runs: text of any common kind -> parameters, tokens, loss, or a sentence that says why.

Pure parsing: cells are read as numbers and never evaluated. Errors name row and column as a spreadsheet counts them.
"""

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lecture_core.errors import InvalidInputError, LectureError
from lecture_core.scaling_cells import decimal_sign, is_number, number
from lecture_core.scaling_columns import guess
from lecture_core.scaling_points import Points

LIMIT_BYTES = 5 * 2**20
SEPARATORS = {";": "semicolon", "\t": "tab", ",": "comma"}
_SHOWN = 4  # faults named in one message


@dataclass(frozen=True)
class RawTable:
    """A table as it was written.

    Attributes:
        header: unique names of the columns.
        rows: cells by row, as many as the header has names.
        lines: number of each row in the file, the first line being 1.
        separator: between cells.
        decimal: sign before the fraction, as it seems: `.` or `,`.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    separator: str
    decimal: str


@dataclass(frozen=True)
class Mapped:
    """Which column holds what, and in which unit; two of parameters, tokens and compute, and the loss.

    Attributes:
        columns: name of the column by quantity; absent where the table has none.
        units: factor to counts, FLOPs and nats by quantity; 1 where absent.
        decimal: sign before the fraction.
    """

    columns: Mapping[str, str]
    units: Mapping[str, float]
    decimal: str = "."


def decode(data: bytes) -> str:
    """Return the text of an uploaded file.

    Raises:
        InvalidInputError: larger than 5 MB, a spreadsheet's own format, or not UTF-8 or UTF-16.
    """
    if len(data) > LIMIT_BYTES:
        raise _too_large(len(data))
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _refuse("a text file", "a spreadsheet's own format", "export it as CSV and upload that")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise _refuse("text in UTF-8", f"byte {exc.start + 1} that is none", "save it as “CSV UTF-8”") from exc


def read(text: str) -> RawTable:
    """Return the cells of a table separated by commas, semicolons or tabs, the first row naming the columns.

    Raises:
        LectureError: the first row holds numbers, or
        InvalidInputError: nothing, one column, a row of another length, or a broken quote.
    """
    if len(text) > LIMIT_BYTES:
        raise _too_large(len(text))
    separator = _separator(text)
    lines, rows = _rows(text, separator)
    if not rows:
        raise _refuse("a table of runs", "nothing", "paste rows, or upload a CSV file")
    if len(rows[0]) < 2:
        raise _refuse("columns separated by comma, semicolon or tab", "one column", "add the separators")
    if all(is_number(cell) for cell in rows[0] if cell):
        raise LectureError(
            f"The first line must name the columns; it reads: {', '.join(rows[0])[:60]}. "
            f"Add a line such as: {separator.join(('parameters', 'tokens', 'loss'))}."
        )
    header = _unique(rows[0])
    body = list(zip(lines, rows, strict=True))[1:]
    padded = tuple(_padded(row, line, len(header), separator) for line, row in body)
    return RawTable(header, padded, tuple(line for line, _ in body), separator, _decimal(header, padded))


def _refuse(expected: str, got: str, remedy: str) -> InvalidInputError:
    return InvalidInputError(expected=expected, got=got, remedy=remedy)


def _too_large(size: int) -> InvalidInputError:
    written = f"{math.ceil(10 * size / 2**20) / 10:.1f} MB"
    return _refuse("at most 5 MB", written, "keep one row a run: its final loss")


def _separator(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    counts = Counter(re.sub(r'"[^"]*"', "", first))
    return max(SEPARATORS, key=lambda sign: (counts[sign] > 0, sign != ",", counts[sign]))


def _rows(text: str, separator: str) -> tuple[list[int], list[tuple[str, ...]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    lines, rows = [], []
    try:
        for row in reader:
            cells = tuple(cell.strip() for cell in row)
            if any(cells):
                lines.append(reader.line_num)
                rows.append(cells)
    except csv.Error as exc:
        raise _refuse("a table", f"row {reader.line_num} that cannot be read ({exc})", "check its quotes") from exc
    return lines, rows


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    seen: Counter[str] = Counter()
    result = []
    for position, name in enumerate(names, start=1):
        name = name or f"column {position}"
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(result)


def _padded(row: tuple[str, ...], line: int, width: int, separator: str) -> tuple[str, ...]:
    while len(row) > width and not row[-1]:
        row = row[:-1]
    if len(row) > width:
        remedy = "check that row"
        if separator == ",":
            remedy = "with decimal commas, separate the columns by semicolons; else check that row"
        raise _refuse(f"{width} cells in each row", f"{len(row)} in row {line}", remedy)
    return row + ("",) * (width - len(row))


def _decimal(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the decimal sign as it seems; a loss is below 1,000, so its column has no groups and says it best."""
    if (loss := guess(header).get("loss")) is not None:
        place = header.index(loss)
        signs = {sign for row in rows for sign in ".," if sign in row[place] and is_number(row[place])}
        if len(signs) == 1:
            return signs.pop()
    return decimal_sign(cell for row in rows for cell in row)


def points(table: RawTable, mapped: Mapped, *, skip_bad: bool = False) -> tuple[Points, int]:
    """Return the runs of a table and how many rows were left out.

    Args:
        table: as `read` returns it.
        mapped: which column holds what.
        skip_bad: leave out rows with a cell that is no number above zero, instead of refusing the table.

    Raises:
        InvalidInputError: a quantity is missing, or cells are not numbers above zero; names rows and columns.
    """
    _check_columns(table.header, mapped)
    runs, faults, bad_rows = [], [], 0
    places = {quantity: table.header.index(name) for quantity, name in mapped.columns.items()}
    for line, row in zip(table.lines, table.rows, strict=True):
        values = {quantity: number(row[place], mapped.decimal) for quantity, place in places.items()}
        found = [(line, q, row[places[q]]) for q, v in values.items() if v is None or not 0 < v < math.inf]
        faults += found
        bad_rows += bool(found)
        if not found:
            runs.append(_run({q: v for q, v in values.items() if v}, mapped.units))
    if faults and not skip_bad:
        raise _refuse("numbers above 0 in every row", _listed(faults, mapped), _remedy(faults, mapped.decimal))
    n, d, loss = zip(*runs, strict=True) if runs else ((), (), ())
    return Points(n, d, loss), bad_rows


def _check_columns(header: Sequence[str], mapped: Mapped) -> None:
    if "loss" not in mapped.columns:
        others = [name for name in header if name not in mapped.columns.values()]
        raise _refuse(
            "a column with the loss of each run",
            f"the columns {', '.join(name[:30] for name in header[:8])}, and none known as a loss",
            "choose it under “Loss”, or add it" if others else "add it",
        )
    given = [q for q in ("parameters", "tokens", "compute") if q in mapped.columns]
    if len(given) < 2:
        got = " and ".join(given) or "none of them"
        raise _refuse("two of parameters, tokens and compute beside the loss", got, "choose the columns")
    if len(set(mapped.columns.values())) < len(mapped.columns):
        raise _refuse("a column of its own for each quantity", "one column twice", "choose another column")


Fault = tuple[int, str, str]  # row in the file, quantity, cell


def _listed(faults: Sequence[Fault], mapped: Mapped) -> str:
    said = []
    for line, quantity, cell in faults[:_SHOWN]:
        got = "a formula" if cell.startswith(("=", "@")) else "nothing" if not cell else f"“{cell[:20]}”"
        said.append(f"row {line}, column {mapped.columns[quantity][:30]}: {got}")
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return "; ".join(said) + more


def _remedy(faults: Sequence[Fault], decimal: str) -> str:
    other = {".": ",", ",": "."}[decimal]
    usual = "correct these cells, or leave those rows out"
    if any(number(cell, other) is not None and number(cell, decimal) is None for _, _, cell in faults):
        return f"choose the other decimal sign, {usual}"
    return usual


def _run(values: Mapping[str, float], units: Mapping[str, float]) -> tuple[float, float, float]:
    scaled = {quantity: value * units.get(quantity, 1.0) for quantity, value in values.items()}
    n, d, c = (scaled.get(quantity) for quantity in ("parameters", "tokens", "compute"))
    if n is None and c and d:
        n = c / 6 / d
    if d is None and c and n:
        d = c / 6 / n
    return float(n or 0), float(d or 0), scaled["loss"]
