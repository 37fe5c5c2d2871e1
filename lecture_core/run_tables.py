"""Recorded runs as CSV files in `assets/runs`, one finished run a row: read into a dataclass, appended to whole.

Knows neither what a run measured nor who asks.
"""

import csv
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from lecture_core.errors import LectureError

FOLDER = Path(__file__).parent.parent / "assets" / "runs"
Row = TypeVar("Row")


class RunError(LectureError):
    """A recorded run breaks its format; names file and row."""


def read_rows(path: Path, kind: type[Row], *, defaults: Mapping[str, str] | None = None) -> list[Row]:
    """Return the rows of a file as dataclasses whose fields are str, int or float; none where there is no file.

    Args:
        defaults: cells of columns that older files lack.

    Raises:
        RunError: a cell is missing, or breaks the type of its field or a rule of `kind`; names file and row.
    """
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [_row(f"{path.name}, row {number}", kind, {**(defaults or {}), **row}) for number, row in enumerate(rows, 2)]


def _row(place: str, kind: type[Row], cells: Mapping[str, str]) -> Row:
    try:
        if None in cells.values():
            raise TypeError("an empty column")
        return kind(**{f.name: f.type(cells[f.name]) for f in fields(kind)})  # type: ignore[arg-type, operator]
    except (KeyError, TypeError) as exc:
        raise RunError(f"{place}: expected every column filled in; {exc!r} is wrong.") from exc
    except ValueError as exc:
        raise RunError(f"{place}: {exc}.") from exc


def append_row(values: Mapping[str, Any], path: Path) -> None:
    """Add a row to a file, in one write; the first one brings the names of the columns.

    Raises:
        LectureError: the file cannot be written.
    """
    shown = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in values.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = path.read_bytes() if path.is_file() else b""
        with path.open("a", encoding="utf-8", newline="") as file:
            if held and not held.endswith(b"\n"):  # as an editor may leave it
                file.write("\n")
            writer = csv.DictWriter(file, list(shown), lineterminator="\n")
            if not held:
                writer.writeheader()
            writer.writerow(shown)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        raise LectureError(f"Could not write {path}: {exc}. Make room on the disk and run again.") from exc
