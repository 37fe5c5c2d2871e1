"""How a published table looks: numbers to the right, the best in bold, an arrow to better values, the source below.

Knows no numbers: `lecture_core.tables` reads them. Sorting is a click on a column's header.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from lecture_core.provenance import Provenance
from lecture_core.published_table import MISSING
from lecture_core.tables import ColumnMeta, PublishedTable, Source, load_table
from lecture_core.ui import results

_ROW_HEIGHT = 35
_MOST_ROWS = 20
_PINNED_CHARACTERS = 16


def lecture_table(table_id: str, *, key: str = "", columns: Sequence[str] = ()) -> None:
    """Show a published table with title, source, notes and download, for use beside a live result.

    Args:
        table_id: one of `lecture_core.tables.list_tables()`.
        key: prefix of the session keys; needed where a page shows the same table twice.
        columns: the ones to show in a narrow place, by machine name; all by default. The download has all.
    """
    table = load_table(table_id)
    key = key or f"table_{table_id}"
    st.markdown(f"**{table.meta.title}**")
    _kept_grid(table_id, key, tuple(columns))
    below(table, key=key)


def below(table: PublishedTable, *, key: str) -> None:
    """Show what stands under a table: where its numbers were published, the download, source and notes."""
    source_line(table)
    with st.container(horizontal=True):
        download(table, key=key)
        with st.popover("Source and notes", icon=":material/menu_book:", type="tertiary"):
            st.markdown(about(table))


@st.cache_data(show_spinner=False, max_entries=128)
def _kept_grid(table_id: str, key: str, columns: tuple[str, ...]) -> None:
    """The grid of a whole table: what is sent to the browser is kept, since styling costs more than all else here."""
    grid(load_table(table_id), key=key, columns=columns)


def grid(
    table: PublishedTable,
    *,
    key: str,
    columns: Sequence[str] = (),
    most_rows: int = _MOST_ROWS,
    on_pick: Callable[[int], None] | None = None,
) -> None:
    """Show the rows, sortable by a click on a header; bold is the best of the whole published table.

    Args:
        most_rows: that are in sight at once; the others scroll.
        on_pick: is called with the position of the row that was clicked, in the order of `table.frame`.
    """
    shown = [c for c in table.meta.columns if not columns or c.name in columns]
    config: Any = {  # positions (0 is the index) are documented keys; the type hint knows names only
        position: st.column_config.Column(help=column.unit or None, pinned=_pinned(table, column) or None)
        for position, column in enumerate(shown, start=1)
    }
    st.dataframe(
        _styled(table, shown),
        key=f"{key}_grid",
        hide_index=True,
        placeholder=MISSING,
        alt=table.meta.title,
        height=(most_rows + 1) * _ROW_HEIGHT if len(table.frame) > most_rows else "content",
        column_config=config,
        on_select=partial(_picked, f"{key}_grid", on_pick) if on_pick else "ignore",
        selection_mode="single-cell",
    )


def _picked(key: str, on_pick: Callable[[int], None]) -> None:
    cells = st.session_state[key]["selection"]["cells"]
    if cells:
        on_pick(int(cells[0][0]))


def _styled(table: PublishedTable, columns: Sequence[ColumnMeta]) -> Styler:
    frame = pd.DataFrame({c.name: _sortable(table.frame[c.name], c) for c in columns})
    bold = table.best[[c.name for c in columns]].replace({True: "font-weight: bold", False: ""}).astype(str)
    if any(c.group for c in columns):
        frame.columns = pd.MultiIndex.from_tuples([(c.group, c.header) for c in columns])
    else:
        frame.columns = pd.Index([c.header for c in columns])
    bold.columns = frame.columns
    formats: dict[Any, Any] = {
        name: _writer(c) for name, c in zip(frame.columns, columns, strict=True) if c.format != "yes_no"
    }
    return frame.style.format(formats).apply(lambda _: bold, axis=None)


def _sortable(values: pd.Series, column: ColumnMeta) -> pd.Series:
    if column.format == "yes_no":
        return values.map(column.show)
    return values / column.scale if column.is_number else values


def _writer(column: ColumnMeta) -> Callable[[Any], str]:
    return (lambda value: column.show(value * column.scale)) if column.is_number else column.show


def _pinned(table: PublishedTable, column: ColumnMeta) -> bool:
    """Keep the first column in sight on a phone where it names the rows and leaves room for numbers."""
    if column is not table.meta.columns[0] or column.format != "text":
        return False
    labels = table.frame[column.name]
    return bool(labels.is_unique and labels.str.len().max() <= _PINNED_CHARACTERS)


def source_line(table: PublishedTable) -> None:
    """Show where the numbers were published, with the badge."""
    results.caption(Provenance(kind="published", source=table.meta.citation))


def download(table: PublishedTable, *, key: str) -> None:
    """Offer the rows as CSV under comment lines with source, units and notes."""
    st.download_button(
        "Download CSV",
        table.to_csv,  # written when it is asked for
        file_name=f"{table.meta.id}.csv",
        mime="text/csv",
        key=f"{key}_download",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


def about(table: PublishedTable) -> str:
    """Return notes, linked sources and units as Markdown, one line each; our own words."""
    units = "; ".join(f"{c.full_label}: {c.unit}" for c in table.meta.columns if c.unit)
    lines = [*table.meta.notes, *map(_link, table.meta.sources), *([f"Units. {units}."] if units else [])]
    return "\n".join(f"- {line}" for line in lines)


def _link(source: Source) -> str:
    return f"{source.authors} {source.year}. [{source.title}]({source.url}), {source.table}"
