"""The lecture's tables as data: `assets/tables/<id>.csv` with `<id>.yaml`, read strictly.

Lecture: all sections. A new table is two files and nothing else: CSV with one number a cell and machine column names,
YAML with title, source, unit and format of each column. Bold is computed. Knows nothing of pages.
"""

import csv
import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import yaml

from lecture_core.errors import TableError
from lecture_core.published_table import (
    NUMBER_FORMATS,
    ColumnMeta,
    PublishedTable,
    Source,
    TableMeta,
    best_cells,
)

__all__ = ["SECTIONS", "ColumnMeta", "PublishedTable", "Source", "TableMeta", "list_tables", "load_table"]

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "tables"
SECTIONS: tuple[str, ...] = (
    "Recap: pre-training and fine-tuning",
    "RoBERTa",
    "ALBERT",
    "DistilBERT, TinyBERT, MobileBERT",
    "ELECTRA",
    "Text-to-text models",
    "From GPT to GPT-3",
    "GPT-3: in-context learning",
    "Chain-of-thought prompting",
    "Emergent properties",
    "Scaling laws",
    "Open-weight models",
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_PACKED = re.compile(r"-?[\d.,]+\s*[/|;]\s*-?[\d.,]+")
_PLAIN = re.compile(r"[^\s=+@#-](?:[^#]*[^\s#])?")  # no spaces around, no comment, no formula of a spreadsheet
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST_ECHO = 60


def list_tables(*, folder: Path = FOLDER) -> list[str]:
    """Return the ids of all tables in the order of the lecture, those on the slides first in each section."""
    metas = [_read(table_id, folder).meta for table_id in _ids(folder)]
    return [m.id for m in sorted(metas, key=lambda m: (SECTIONS.index(m.lecture_section), not m.on_slide, m.id))]


def load_table(table_id: str, *, folder: Path = FOLDER) -> PublishedTable:
    """Return a published table; the frame is the caller's own.

    Raises:
        TableError: no such table (suggests close ids), or a file that breaks the format (file, row, column).
    """
    ids = _ids(folder)
    if table_id not in ids:
        close = difflib.get_close_matches(table_id[:_LONGEST_ECHO], ids, n=3, cutoff=0.5)
        remedy = f"Did you mean {', '.join(close)}?" if close else "Choose one from the list of tables."
        raise TableError(f"Expected the id of a table; got {table_id[:_LONGEST_ECHO]!r}. {remedy}")
    table = _read(table_id, folder)
    return replace(table, frame=table.frame.copy(), best=table.best.copy())


def _ids(folder: Path) -> list[str]:
    return sorted({path.stem for path in folder.iterdir() if path.suffix in (".csv", ".yaml")})


@cache
def _read(table_id: str, folder: Path) -> PublishedTable:
    meta = _read_meta(folder / f"{table_id}.yaml")
    frame = _read_rows(folder / f"{table_id}.csv", meta)
    return PublishedTable(frame, meta, best_cells(frame, meta))


def _fault(path: Path, *, expected: str, got: object, row: int | None = None, column: str = "") -> NoReturn:
    place = "".join([f", row {row}" if row else "", f", column {column}" if column else ""])
    shown = str(got)[:_LONGEST_ECHO]
    raise TableError(f"{path.name}{place}: expected {expected}; got {shown or 'nothing'}. Correct the file.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise TableError(f"{path.name}: expected this file beside its twin; got none. Add it.") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{path.name}: expected UTF-8; got other bytes. Save it as UTF-8.") from error


class _StrictLoader(yaml.SafeLoader):
    """YAML where a key that comes twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(problem=f"the key {twice!r} twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep=deep)


def _read_meta(path: Path) -> TableMeta:
    try:
        data = yaml.load(_text(path), Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise TableError(f"{path.name}: expected YAML; got {error}. Correct the file.") from error
    required = {
        "title": str,
        "lecture_section": str,
        "source": (dict, list),
        "columns": dict,
        "best": list,
        "notes": list,
    }
    _check(path, "", data, required, {"on_slide": bool, "best_within": list})
    if data["lecture_section"] not in SECTIONS:
        _fault(path, expected="lecture_section to be one of tables.SECTIONS", got=data["lecture_section"])
    sources = data["source"] if isinstance(data["source"], list) else [data["source"]]
    if not sources or not data["columns"]:
        _fault(path, expected="at least one source and one column", got="none")
    meta = TableMeta(
        id=path.stem,
        title=data["title"],
        lecture_section=data["lecture_section"],
        on_slide=data.get("on_slide", True),
        sources=tuple(_source(path, source) for source in sources),
        columns=tuple(_column(path, name, column) for name, column in data["columns"].items()),
        best=tuple(data["best"]),
        best_within=tuple(data.get("best_within", ())),
        notes=tuple(data["notes"]),
    )
    _check_references(path, meta)
    return meta


def _check(path: Path, place: str, data: Any, required: Mapping[str, Any], optional: Mapping[str, Any]) -> None:
    if not isinstance(data, dict):
        _fault(path, expected="a mapping of keys to values", got=repr(data), column=place)
    for key in required.keys() - data.keys():
        _fault(path, expected=f"the key {key!r}", got="none", column=place)
    for key, value in data.items():
        kind = {**required, **optional}.get(key)
        if kind is None:
            _fault(path, expected=f"only the keys {', '.join([*required, *optional])}", got=key, column=place)
        if (
            not isinstance(value, kind)
            or (kind is int and isinstance(value, bool))
            or (kind is str and not value.strip())
        ):
            names = " or ".join(k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,)))
            _fault(path, expected=f"{key} to be a {names} that is not empty", got=repr(value), column=place)
        if kind is list and not all(isinstance(item, str) and item for item in value):
            _fault(path, expected=f"{key} to be a list of texts", got=repr(value), column=place)


def _source(path: Path, data: Any) -> Source:
    _check(path, "", data, {"authors": str, "year": int, "title": str, "table": str, "url": str}, {})
    if not data["url"].startswith("https://"):
        _fault(path, expected="url to begin with https://", got=data["url"])
    return Source(**data)


def _column(path: Path, name: Any, data: Any) -> ColumnMeta:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        _fault(path, expected="a machine name: lower-case letters, digits, underscores", got=name, column=str(name))
    optional = {"unit": str, "higher_is_better": bool, "optional": bool, "ratio": list, "group": str}
    _check(path, name, data, {"label": str, "format": str}, optional)
    _check_format(path, name, data["format"])
    ratio = data.get("ratio")
    if ratio is not None and len(ratio) != 2:
        _fault(path, expected="ratio to name two columns", got=ratio, column=name)
    return ColumnMeta(**{**data, "name": name, "ratio": tuple(ratio) if ratio else None})


def _check_format(path: Path, name: str, template: str) -> None:
    if template in ("text", "yes_no", *NUMBER_FORMATS):
        return
    try:
        good = template.format(1.5) != template
    except (ValueError, IndexError, KeyError, AttributeError):
        good = False
    if not good:
        names = ", ".join(["text", "yes_no", *NUMBER_FORMATS])
        _fault(path, expected=f"format to be one of {names} or a template such as {{:.1f}}", got=template, column=name)


def _check_references(path: Path, meta: TableMeta) -> None:
    published = {column.name: column for column in meta.columns if not column.ratio}
    for name in (*meta.best, *meta.best_within):
        if name not in {column.name for column in meta.columns}:
            _fault(path, expected="best to name columns of the table", got=name, column=name)
    for name in meta.best:
        if not meta.column(name).is_number or meta.column(name).higher_is_better is None:
            _fault(path, expected="higher_is_better on a number column that best names", got="none", column=name)
    for column in meta.columns:
        for part in column.ratio or ():
            if part not in published or not published[part].is_number:
                _fault(path, expected="ratio to name number columns of the CSV file", got=part, column=column.name)


def _records(path: Path) -> list[list[str]]:
    try:
        return list(csv.reader(_text(path).splitlines(), strict=True)) or [[]]
    except csv.Error as error:
        raise TableError(f"{path.name}: expected CSV; got {error}. Correct the file.") from error


def _read_rows(path: Path, meta: TableMeta) -> pd.DataFrame:
    published = [column for column in meta.columns if not column.ratio]
    header, *rows = _records(path)
    if header != [column.name for column in published]:
        _fault(path, expected=f"the columns {', '.join(c.name for c in published)}", got=", ".join(header), row=1)
    if not rows:
        _fault(path, expected="at least one row", got="none", row=2)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(published):
            _fault(path, expected=f"{len(published)} cells", got=len(row), row=number)
        if rows.index(row) + 2 != number:
            _fault(path, expected="every row once", got=f"the cells of row {rows.index(row) + 2} again", row=number)
    cells = {c.name: [_cell(path, n, c, row[i]) for n, row in enumerate(rows, 2)] for i, c in enumerate(published)}
    types: dict[str, Any] = {"text": "str", "yes_no": "bool"}
    frame = pd.DataFrame({c.name: pd.Series(cells[c.name], dtype=types.get(c.format, "float64")) for c in published})
    for column in meta.columns:
        if column.ratio:
            frame[column.name] = frame[column.ratio[0]] / frame[column.ratio[1]]
    return frame[[column.name for column in meta.columns]]


def _cell(path: Path, row: int, column: ColumnMeta, text: str) -> str | float | bool:
    if text == "" and column.optional and column.format != "yes_no":
        return float("nan") if column.is_number else ""
    if column.is_number:
        if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
            _fault(path, expected="one finite number, digits only", got=text, row=row, column=column.name)
        return float(text)
    if column.format == "yes_no":
        if text not in ("true", "false"):
            _fault(path, expected="true or false", got=text, row=row, column=column.name)
        return text == "true"
    if not _PLAIN.fullmatch(text) or not text.isprintable() or _PACKED.fullmatch(text):
        _fault(path, expected="one plain text, not two numbers", got=repr(text), row=row, column=column.name)
    return text
