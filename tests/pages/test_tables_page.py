"""Every table can be chosen, searched, sorted and taken away, and a link brings the same view back."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core.tables import SECTIONS, list_tables, load_table

PAGE = str(Path(__file__).parents[2] / "pages/reference/tables.py")


def open_page(**address: str) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=30)
    for key, value in address.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


def address(at: AppTest, key: str) -> str | None:
    value = at.query_params.get(key)
    return value[0] if isinstance(value, list) else value


def names(at: AppTest) -> list[str]:
    frame = at.dataframe[0].value
    return frame.iloc[:, 0].tolist()


def same_rows(at: AppTest, table_id: str) -> bool:
    frame = load_table(table_id).frame
    return at.dataframe[0].value.to_numpy().tolist() == frame.to_numpy().tolist()


def test_the_first_table_shows_without_a_click():
    at = open_page()
    assert at.subheader[0].value == load_table("glue").meta.title
    assert same_rows(at, "glue")
    assert any("Devlin et al. 2019" in caption.value for caption in at.caption)
    assert any("https://arxiv.org/abs/1810.04805" in markdown.value for markdown in at.markdown)
    assert at.download_button[0].label == "Download CSV"


@pytest.mark.parametrize("table_id", list_tables())
def test_a_link_opens_every_table_with_its_notes_and_sources(table_id):
    at = open_page(tables_table=table_id)
    meta = load_table(table_id).meta
    assert at.selectbox(key="tables_table").value == table_id
    assert at.subheader[0].value == meta.title
    assert len(at.dataframe[0].value) == len(load_table(table_id).frame)
    shown = "\n".join(markdown.value for markdown in at.markdown)
    assert all(note in shown for note in meta.notes)
    assert all(source.url in shown for source in meta.sources)


def test_choosing_a_table_writes_its_id_into_the_address():
    at = open_page()
    at.selectbox(key="tables_table").set_value("roberta").run()
    assert at.subheader[0].value == load_table("roberta").meta.title
    assert address(at, "tables_table") == "roberta"


def test_a_section_offers_its_tables_only():
    at = open_page()
    for section in SECTIONS:
        at.selectbox(key="tables_section").set_value(section).run()
        assert not at.exception
        offered = [i for i in list_tables() if load_table(i).meta.lecture_section == section]
        assert at.selectbox(key="tables_table").options == [load_table(i).meta.title for i in offered]
        assert at.subheader[0].value == load_table(offered[0]).meta.title


def test_a_title_in_the_list_of_all_tables_opens_it():
    at = open_page(tables_section="Scaling laws")
    at.button(key="tables_open_distilbert").click().run()
    assert at.subheader[0].value == load_table("distilbert").meta.title
    assert at.selectbox(key="tables_section").value == "All sections"


def test_words_keep_the_rows_that_contain_them_all():
    at = open_page(tables_table="albert_results")
    at.text_input(key="tables_find").set_value("albert LARGE").run()
    assert names(at) == ["ALBERT-large", "ALBERT-xlarge", "ALBERT-xxlarge"]
    assert any("3 of 6 rows" in caption.value for caption in at.caption)


@pytest.mark.parametrize(
    "words", ["zzz", "![x](https://example.org/a.png)", "<script>alert(1)</script>", "\u202eשלום 🙂"]
)
def test_words_that_no_row_contains_are_answered_with_the_remedy(words):
    at = open_page(tables_find=words)
    assert at.info[0].value == "No row contains all of these words. Clear the field to see every row."
    assert not at.dataframe
    assert at.download_button
    assert not any(words in element.value for element in [*at.markdown, *at.caption, *at.info])


def test_sorting_puts_the_best_first_whichever_way_is_better():
    at = open_page(tables_table="albert_results", tables_sort="speedup")
    assert names(at)[0] == "ALBERT-base"
    at.selectbox(key="tables_sort").set_value("parameters").run()
    assert names(at)[0] == "BERT-large"
    assert address(at, "tables_sort") == "parameters"
    at = open_page(tables_table="distilbert_speed", tables_sort="inference_seconds")
    assert names(at)[0] == "DistilBERT"


def test_an_order_that_the_next_table_does_not_know_is_dropped():
    at = open_page(tables_table="glue", tables_sort="rte")
    at.selectbox(key="tables_table").set_value("roberta").run()
    assert not at.exception
    assert same_rows(at, "roberta")
    assert address(at, "tables_sort") is None


def test_a_link_to_no_table_suggests_one_and_shows_the_first():
    at = open_page(tables_table="robrta<b>")
    assert "Did you mean roberta" in at.error[0].value
    assert "<b>" not in at.error[0].value.replace("\\<", "")
    assert at.subheader[0].value == load_table("glue").meta.title


def test_a_link_with_an_unknown_order_or_section_shows_the_table_as_published():
    at = open_page(tables_table="roberta", tables_sort="nothing", tables_section="Nowhere")
    assert same_rows(at, "roberta")


def test_a_table_in_a_lab_shows_title_source_and_download():
    def lab():
        from lecture_core.ui.tables import lecture_table

        lecture_table("roberta")
        lecture_table("roberta", key="again")

    at = AppTest.from_function(lab, default_timeout=30).run()
    assert not at.exception
    assert len(at.dataframe) == len(at.download_button) == 2
    assert at.markdown[0].value == f"**{load_table('roberta').meta.title}**"
    assert any("Liu et al. 2019, Table 4" in caption.value for caption in at.caption)
