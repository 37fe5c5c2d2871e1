"""After this page a student has found, sorted and downloaded any number of the lecture, with its source."""

import streamlit as st

from lecture_core.tables import SECTIONS, PublishedTable, TableMeta, list_tables, load_table
from lecture_core.ui import inputs, page, tables
from lecture_core.ui.errors import user_errors

STEM = "tables"
TABLE = f"{STEM}_table"
ALL = "All sections"
METAS: dict[str, TableMeta] = {table_id: load_table(table_id).meta for table_id in list_tables()}
CODE = """import pandas as pd

# The file that "Download CSV" gives; the lines that begin with # say where its numbers come from.
table = pd.read_csv("{id}.csv", comment="#")
print(table.sort_values("{column}", ascending=False))
"""


def choose_table() -> PublishedTable:
    """Ask for a section and one of its tables."""
    section = st.selectbox("Lecture section", [ALL, *SECTIONS], key=f"{STEM}_section", bind="query-params", width=270)
    titles = {i: meta.title for i, meta in METAS.items() if section in (ALL, meta.lecture_section)}
    return load_table(inputs.choose("Table", titles, TABLE, width=440))


def narrow(table: PublishedTable) -> PublishedTable:
    """Ask for words and an order; return the rows that are left."""
    words = st.text_input(
        "Find rows",
        key=f"{STEM}_find",
        type="search",
        placeholder="BERT large",
        max_chars=100,
        help="Rows that contain every word you write here.",
        bind="query-params",
        width=170,
    )
    headers = {"": "As published"} | {column.name: column.full_label for column in table.meta.columns}
    tip = "Best or largest first. A click on a column's header sorts too."
    order = inputs.choose("Sort by", headers, f"{STEM}_sort", width=150, tip=tip)
    if order:
        column = table.meta.column(order)
        table = table.sort(order, descending=column.is_number and column.higher_is_better is not False)
    return table.search(words or "")


def show(table: PublishedTable, *, published: int) -> None:
    """Show the rows that are left of `published`, with source, download and notes."""
    meta = table.meta
    st.subheader(meta.title, anchor=False)
    slide = "shown on a slide" if meta.on_slide else "beyond the slides"
    rows = f"{published} rows" if len(table.frame) == published else f"{len(table.frame)} of {published} rows"
    st.caption(f"{meta.lecture_section} · {slide} · {rows}")
    if table.frame.empty:
        st.info("No row contains all of these words. Clear the field to see every row.", icon=":material/search_off:")
    else:
        tables.grid(table, key=f"{STEM}_{meta.id}")
    tables.source_line(table)
    tables.download(table, key=f"{STEM}_{meta.id}")
    st.markdown(tables.about(table))


def open_table(table_id: str) -> None:
    """Choose a table from the list of all, as a callback."""
    st.session_state[f"{STEM}_section"] = ALL
    st.session_state[TABLE] = table_id


def overview() -> None:
    """List every table under its lecture section."""
    with st.expander(f"All {len(METAS)} tables by lecture section", icon=":material/list:"):
        for section in SECTIONS:
            st.markdown(f"**{section}**")
            for meta in (m for m in METAS.values() if m.lecture_section == section):
                key = f"{STEM}_open_{meta.id}"
                st.button(meta.title, key=key, type="tertiary", on_click=open_table, args=(meta.id,))


page.header(STEM)
if TABLE in st.query_params:
    with user_errors():  # a link to a table that does not exist says so and suggests one
        load_table(st.query_params[TABLE])
with st.container(horizontal=True):
    selected = choose_table()
    rows = narrow(selected)
show(rows, published=len(selected.frame))
overview()
page.notice(
    "Bold is computed: the best of its column, or of its group where the notes say so, also while you see only "
    "some rows.",
    "↑ means higher is better, ↓ lower; a dash means: no number.",
    "Scores compare within a table. Development sets, test sets and averages differ from paper to paper.",
)
page.footer(STEM, code=CODE.format(id=selected.meta.id, column=selected.meta.columns[-1].name))
