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
from lecture_core.scaling_points import Points

LIMIT_BYTES = 5 * 2**20
MOST_RUNS = 2_000
SEPARATORS = {";": "semicolon", "\t": "tab", ",": "comma"}
UNITS = {"counts": 1.0, "thousands": 1e3, "millions": 1e6, "billions": 1e9, "trillions": 1e12}
COMPUTE_UNITS = {"FLOPs": 1.0, "1e18 FLOPs": 1e18, "PFLOP/s-days": 8.64e19}
LOSS_UNITS = {"nats per token": 1.0, "bits per token": 0.6931471805599453}
NAMES = {
    "loss": r"(final|test|val|valid|validation|eval)?_?(loss|nll|nats|ce|cross_entropy|loss_per_token|l)",
    "parameters": r"n|(n_?params?|num_params?|params?|parameters?|model_size|size)(_.*)?",
    "tokens": r"d|(tokens?|n_tokens|num_tokens|training_tokens|data|dataset_size)(_.*)?",
    "compute": r"c|(flops?|compute|training_flops?|training_compute)(_.*)?",
}
"""What columns are called, as a pattern over the name in small letters with underscores."""

_SHOWN = 4  # faults named in one message
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


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
        InvalidInputError: nothing, one column, a row of another length, more than 2,000 rows, or a broken quote.
    """
    if len(text) > LIMIT_BYTES:
        raise _too_large(len(text))
    separator = _separator(text)
    lines, rows = _rows(text, separator)
    if not rows:
        raise _refuse("a table of runs", "nothing", "paste rows, or upload a CSV file")
    if len(rows[0]) < 2:
        raise _refuse("columns separated by comma, semicolon or tab", "one column", "add the separators")
    if all(_value(cell, ".") is not None or _plain(cell) for cell in rows[0] if cell):
        raise LectureError(
            f"The first line must name the columns; it reads: {', '.join(rows[0])[:60]}. "
            f"Add a line such as: {separator.join(('parameters', 'tokens', 'loss'))}."
        )
    header = _unique(rows[0])
    body = list(zip(lines, rows, strict=True))[1:]
    if len(body) > MOST_RUNS:
        raise _refuse(f"at most {MOST_RUNS:,} rows", f"{len(body):,}", "keep one row a run: its final loss")
    padded = tuple(_padded(row, line, len(header), separator) for line, row in body)
    return RawTable(header, padded, tuple(line for line, _ in body), separator, _decimal(padded, separator))


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


def _plain(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell.replace(",", ".")))


def _decimal(rows: Sequence[Sequence[str]], separator: str) -> str:
    if separator == ",":
        return "."
    cells = [cell for row in rows for cell in row]
    commas = [cell for cell in cells if _NUMBER.fullmatch(cell.replace(",", ".")) and "," in cell]
    points = any(_NUMBER.fullmatch(cell) and "." in cell for cell in cells)
    return "," if commas and not points and not all(_GROUPED.fullmatch(cell) for cell in commas) else "."


def guess(header: Sequence[str]) -> dict[str, str]:
    """Return which column seems to hold what: quantity to name, without those that no name fits."""
    found: dict[str, str] = {}
    for quantity, pattern in NAMES.items():
        for name in header:
            plain = re.sub(r"\W+", "_", name.casefold()).strip("_")
            if name not in found.values() and re.fullmatch(pattern, plain):
                found[quantity] = name
                break
    return found


def guess_unit(name: str, cells: Sequence[str]) -> str:
    """Return the unit of a column of parameters or tokens, by its name, else by the size of its numbers."""
    plain = re.sub(r"[\W_]+", " ", name).strip()
    for unit, pattern in (("billions", r"\b(b|bn|billions?)$"), ("millions", r"\b(m|mio|millions?)$")):
        if re.search(pattern, plain, re.IGNORECASE) and plain.casefold() not in ("b", "m"):
            return unit
    values = [value for cell in cells[:200] if (value := _value(cell, ".")) is not None]
    return "counts" if not values or max(values) >= 1e5 else "millions"


def points(table: RawTable, mapped: Mapped, *, skip_bad: bool = False) -> tuple[Points, int]:
    """Return the runs of a table and how many rows were left out.

    Args:
        table: as `read` returns it.
        mapped: which column holds what.
        skip_bad: leave out rows with a cell that is no number above zero, instead of refusing the table.

    Raises:
        InvalidInputError: a quantity is missing, or cells are not numbers above zero; names rows and columns.
    """
    _check_columns(mapped)
    runs, faults, bad_rows = [], [], 0
    for line, row in zip(table.lines, table.rows, strict=True):
        read = {quantity: row[table.header.index(name)] for quantity, name in mapped.columns.items()}
        said = [_fault(cell, line, mapped.columns[q], mapped.decimal) for q, cell in read.items()]
        faults += (found := [fault for fault in said if fault])
        bad_rows += bool(found)
        if not found:
            runs.append(_run({q: _value(c, mapped.decimal) or 0.0 for q, c in read.items()}, mapped.units))
    if faults and not skip_bad:
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise _refuse(
            "numbers above 0 in every row",
            "; ".join(faults[:_SHOWN]) + more,
            "correct these cells, or leave those rows out",
        )
    n, d, loss = zip(*runs, strict=True) if runs else ((), (), ())
    return Points(n, d, loss), bad_rows


def _check_columns(mapped: Mapped) -> None:
    given = [q for q in ("parameters", "tokens", "compute") if q in mapped.columns]
    if "loss" not in mapped.columns or len(given) < 2:
        missing = " and ".join(given) or "none of them"
        raise _refuse(
            "a column for the loss and two of parameters, tokens and compute",
            missing + ("" if "loss" in mapped.columns else ", and no loss"),
            "choose the columns",
        )
    if len(set(mapped.columns.values())) < len(mapped.columns):
        raise _refuse("a column of its own for each quantity", "one column twice", "choose another column")


def _fault(cell: str, line: int, column: str, decimal: str) -> str:
    value = _value(cell, decimal)
    if value is not None and 0 < value < float("inf"):
        return ""
    got = "a formula" if cell.startswith(("=", "@")) else "nothing" if not cell else f"“{cell[:20]}”"
    return f"row {line}, column {column[:30]}: {got}"


def _value(cell: str, decimal: str) -> float | None:
    text = re.sub(r"(?<=\d)[\s\u00a0\u202f_'](?=\d{3})", "", cell)
    if decimal == ",":
        text = text.replace(".", "").replace(",", ".") if re.search(r"\.\d{3}(\D|$)", text) else text.replace(",", ".")
    elif _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    factor = _SUFFIXES.get(text[-1:].casefold(), 1.0)
    text = text[:-1].rstrip() if factor > 1 else text
    return float(text) * factor if _NUMBER.fullmatch(text) else None


def _run(values: Mapping[str, float], units: Mapping[str, float]) -> tuple[float, float, float]:
    scaled = {quantity: value * units.get(quantity, 1.0) for quantity, value in values.items()}
    n, d, c = (scaled.get(quantity) for quantity in ("parameters", "tokens", "compute"))
    if n is None and c and d:
        n = c / 6 / d
    if d is None and c and n:
        d = c / 6 / n
    return float(n or 0), float(d or 0), scaled["loss"]
