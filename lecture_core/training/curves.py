"""The log of a training run: a CSV with a row a measurement, and how it becomes a recorded run."""

import csv
import math
from pathlib import Path
from typing import Any

from lecture_core.errors import LectureError


def log(path: Path, row: dict[str, float]) -> None:
    """Add a measurement; the first one brings the names of the columns."""
    new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if new:
            writer.writeheader()
        writer.writerow({k: f"{v:.5g}" if isinstance(v, float) and not math.isinf(v) else v for k, v in row.items()})


def forget_after(done: int, path: Path) -> None:
    """Drop the rows of a log that a stopped run wrote after its last checkpoint."""
    if path.is_file():
        head, *rows = path.read_text().splitlines(keepends=True)
        path.write_text(head + "".join(row for row in rows if int(row.split(",", 1)[0]) <= done))


def record(path: Path, recorded: Path, *, earlier: Path | None = None) -> None:
    """Write a finished run's log where the pages look for it.

    Args:
        path: the log; without one nothing is written.
        recorded: `assets/runs/training_<name>.csv`.
        earlier: curve of the model that the run began from, if it is there: steps and tokens go on from its last row.

    Raises:
        LectureError: it cannot be written; what lay there is as it was.
    """
    if not path.is_file():
        return
    before = _rows(earlier) if earlier is not None and earlier.is_file() else []
    after = _rows(path)
    if before:
        for row in after:
            row |= {name: str(int(row[name]) + int(before[-1][name])) for name in ("step", "tokens")}
    rows = [*before, *after]
    columns = list(dict.fromkeys(name for row in (*after, *before) for name in row))
    partial = recorded.with_name(f"partial-{recorded.name}")
    try:
        recorded.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        partial.replace(recorded)
    except OSError as exc:
        partial.unlink(missing_ok=True)
        raise LectureError(f"Could not write {recorded}: {exc}. The curve is also in {path}.") from exc


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
