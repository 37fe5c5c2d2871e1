"""What a published table is: rows, the meaning of each column, its source, and which cells are best.

Lecture: all sections. Plain data: knows neither files (`tables.py`) nor pages (`ui/tables.py`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

MISSING = "–"
EXA = 1e18


def _count(value: float) -> str:
    for scale, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= scale:
            return _trim(f"{value / scale:,.3f}") + suffix
    return _trim(f"{value / 1e3:.1f}") + "k" if abs(value) >= 1e3 and value % 100 == 0 else _trim(f"{value:,.3f}")


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{_trim(mantissa)}e{int(exponent)}"


def _three_digits(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return _trim(f"{value:,.{max(2 - math.floor(math.log10(abs(value))), 0)}f}")


def _trim(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _exa(value: float) -> str:
    return _three_digits(value / EXA)


NUMBER_FORMATS: dict[str, Callable[[float], str]] = {
    "count": _count,
    "scientific": _scientific,
    "three_digits": _three_digits,
    "exa": _exa,
}


@dataclass(frozen=True)
class Source:
    """Where numbers were published.

    Attributes:
        authors: as they are cited, `Devlin et al.`.
        table: the table, figure or page of it, `Table 1`.
        url: where to read it.
    """

    authors: str
    year: int
    title: str
    table: str
    url: str

    @property
    def short(self) -> str:
        """`Devlin et al. 2019, Table 1`."""
        return f"{self.authors} {self.year}, {self.table}"

    @property
    def citation(self) -> str:
        """Authors, year, title and table."""
        return f"{self.authors} {self.year}. {self.title}. {self.table}"


@dataclass(frozen=True)
class ColumnMeta:
    """What a column means and how its numbers are written.

    Attributes:
        name: machine name, the header in the CSV file.
        format: `text`, `yes_no`, `count` (1.4T), `scientific` (6e-4), `three_digits` (1.71, 1,875), `exa` (64 for
            6.4e19 where the label says 1e18 FLOPs), or a template with one number such as `{:.1f}x`.
        group: heading over neighbours that belong together, `SQuAD 1.1` over F1 and EM.
        unit: in words, `% accuracy`; empty where the label says it.
        higher_is_better: None where neither direction is better.
        optional: whether cells may be empty (not published).
        ratio: numerator and denominator columns; the column is then computed and not in the CSV file.
    """

    name: str
    label: str
    format: str
    unit: str = ""
    higher_is_better: bool | None = None
    optional: bool = False
    ratio: tuple[str, str] | None = None
    group: str = ""

    @property
    def is_number(self) -> bool:
        """Whether cells are numbers."""
        return self.format not in ("text", "yes_no")

    @property
    def scale(self) -> float:
        """What numbers are divided by where they are shown; a browser's table holds integers up to 2^53 only."""
        return EXA if self.format == "exa" else 1.0

    @property
    def full_label(self) -> str:
        """Label with its group: `SQuAD 1.1 F1`."""
        return f"{self.group} {self.label}".strip()

    @property
    def header(self) -> str:
        """Label with an arrow towards better values."""
        return self.label + {True: "↑", False: "↓", None: ""}[self.higher_is_better]

    def show(self, value: object) -> str:
        """Return a cell as a reader sees it; a dash where nothing was published."""
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            return MISSING
        if self.format == "yes_no":
            return "yes" if value else "no"
        if not self.is_number:
            return str(value)
        number = float(str(value))
        written = NUMBER_FORMATS.get(self.format)
        return written(number) if written else self.format.format(number)


@dataclass(frozen=True)
class TableMeta:
    """Everything about a table but its rows.

    Attributes:
        lecture_section: one of `tables.SECTIONS`.
        on_slide: whether a slide shows the table; the others add to it.
        best: columns whose best cells are bold; `best_within`: columns that group the rows that compete.
        notes: what a reader must know: how averages are formed, misprints, what cannot be compared.
    """

    id: str
    title: str
    lecture_section: str
    on_slide: bool
    sources: tuple[Source, ...]
    columns: tuple[ColumnMeta, ...]
    best: tuple[str, ...] = ()
    best_within: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def citation(self) -> str:
        """One line for the caption under the table: every source, without its tables where there are many."""
        if len(self.sources) <= 2:
            return "; ".join(source.short for source in self.sources)
        return "; ".join(dict.fromkeys(f"{source.authors} {source.year}" for source in self.sources))

    def column(self, name: str) -> ColumnMeta:
        """Return the column of a name; `KeyError` if there is none."""
        return {column.name: column for column in self.columns}[name]


@dataclass(frozen=True)
class PublishedTable:
    """Rows as published, in the paper's order, and what they mean.

    Attributes:
        frame: one column a `meta.columns`; numbers float64 with NaN where nothing was published, yes_no bool.
        best: same shape, True where a cell is the best of its column (and group) in the whole table.
    """

    frame: pd.DataFrame
    meta: TableMeta
    best: pd.DataFrame

    def display(self) -> pd.DataFrame:
        """Return every cell as a reader sees it."""
        return pd.DataFrame({c.name: self.frame[c.name].map(c.show).astype(str) for c in self.meta.columns})

    def search(self, words: str) -> "PublishedTable":
        """Keep the rows that contain every word, as shown, in any cell; case does not matter.

        Bold stays what it is in the whole table.
        """
        asked = words.casefold().split()
        shown = [" ".join(row).casefold() for row in self.display().itertuples(index=False)]
        keep = [i for i, row in zip(self.frame.index, shown, strict=True) if all(word in row for word in asked)]
        return self._rows(keep)

    def sort(self, column: str, *, descending: bool = False) -> "PublishedTable":
        """Order the rows by a column; equals keep their order, missing cells come last."""
        ordered = self.frame[column].sort_values(ascending=not descending, kind="stable", na_position="last")
        return self._rows(ordered.index)

    def _rows(self, index: list[int] | pd.Index) -> "PublishedTable":
        return replace(self, frame=self.frame.loc[index], best=self.best.loc[index])

    def to_csv(self) -> str:
        """Return the rows as CSV under comment lines that carry title, sources, units and notes.

        `pandas.read_csv(..., comment="#")` reads it back.
        """
        units = ", ".join(f"{c.name}: {c.unit}" for c in self.meta.columns if c.unit)
        about = [self.meta.title, *(f"Source: {s.citation}. {s.url}" for s in self.meta.sources)]
        about += [f"Units: {units}"] if units else []
        about += [f"Note: {note}" for note in self.meta.notes]
        raw = pd.DataFrame({c.name: self.frame[c.name].map(_raw) for c in self.meta.columns}, dtype=object)
        return "".join(f"# {line}\n" for line in about) + raw.to_csv(index=False, lineterminator="\n")


def _raw(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.15g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def best_cells(frame: pd.DataFrame, meta: TableMeta) -> pd.DataFrame:
    """Return where `frame` holds the best value of its column; equals are all best, one value alone is not."""
    mask = pd.DataFrame(False, index=frame.index, columns=frame.columns)
    groups = [frame.index]
    if meta.best_within:
        groups = [rows.index for _, rows in frame.groupby(list(meta.best_within), dropna=False)]
    for name in meta.best:
        better = "max" if meta.column(name).higher_is_better else "min"
        for rows in groups:
            values = frame.loc[rows, name]
            mask.loc[rows, name] = (values == values.agg(better)) & (values.count() > 1)
    return mask
