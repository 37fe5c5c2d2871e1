"""Every published table keeps the format, agrees with itself and with the slide; a broken file is named exactly."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_core.errors import TableError
from lecture_core.published_table import MISSING, ColumnMeta, best_cells
from lecture_core.tables import FOLDER, SECTIONS, list_tables, load_table

IDS = list_tables()
ON_SLIDES = {
    "glue",
    "glue_task_sizes",
    "recap_data_sizes",
    "roberta",
    "albert_configurations",
    "albert_results",
    "distilbert",
    "t5_sizes",
    "gpt_family",
    "examples_per_method",
    "chinchilla_models",
    "tokens_per_parameter",
}
GLUE_TASKS = ["mnli_m", "mnli_mm", "qqp", "qnli", "sst2", "cola", "stsb", "mrpc", "rte"]
ROUNDING = 0.05 + 1e-9


def rows_by_name(table_id: str) -> pd.DataFrame:
    frame = load_table(table_id).frame
    return frame.set_index(frame.columns[0])


# every table


def test_every_table_of_the_lecture_is_there():
    assert {i for i in IDS if load_table(i).meta.on_slide} == ON_SLIDES


def test_tables_come_in_the_order_of_the_lecture():
    metas = [load_table(i).meta for i in IDS]
    places = [(SECTIONS.index(m.lecture_section), not m.on_slide) for m in metas]
    assert places == sorted(places)
    assert {m.lecture_section for m in metas} == set(SECTIONS)


@pytest.mark.parametrize("table_id", IDS)
def test_every_table_says_what_it_is(table_id):
    table = load_table(table_id)
    assert list(table.frame.columns) == [c.name for c in table.meta.columns]
    assert len(table.frame) > 0
    assert table.meta.id == table_id
    assert table.meta.citation
    for column in table.meta.columns:
        assert pd.api.types.is_float_dtype(table.frame[column.name]) == column.is_number
        assert column.header.startswith(column.label)
    assert not table.frame.duplicated().any()


@pytest.mark.parametrize("table_id", IDS)
def test_every_title_is_unique_and_every_column_label_too(table_id):
    labels = [c.full_label for c in load_table(table_id).meta.columns]
    assert len(set(labels)) == len(labels)
    assert [load_table(i).meta.title for i in IDS].count(load_table(table_id).meta.title) == 1


@pytest.mark.parametrize("table_id", IDS)
def test_computed_best_is_the_extreme_of_its_group(table_id):
    table = load_table(table_id)
    for column in table.meta.columns:
        values = table.frame[column.name]
        if column.name not in table.meta.best:
            assert not table.best[column.name].any()
            continue
        sign = 1 if column.higher_is_better else -1
        groups = (
            table.frame[list(table.meta.best_within)].apply(tuple, axis=1) if table.meta.best_within else values * 0
        )
        for group in groups.unique():
            inside = groups == group
            scores = sign * values[inside].to_numpy()
            expected = scores == np.nanmax(scores)
            assert (table.best[column.name][inside].to_numpy() == expected).all()


@pytest.mark.parametrize("table_id", IDS)
def test_export_reads_back_and_carries_every_source(table_id):
    table = load_table(table_id)
    text = table.to_csv()
    again = pd.read_csv(
        io.StringIO(text), comment="#", dtype={c.name: str for c in table.meta.columns if not c.is_number}
    )
    for column in table.meta.columns:
        if column.is_number:
            np.testing.assert_allclose(again[column.name], table.frame[column.name], rtol=1e-12)
        else:
            expected = ["" if pd.isna(v) else str(v) for v in table.frame[column.name]]
            assert again[column.name].str.casefold().tolist() == [text.casefold() for text in expected]
    assert all(source.url in text and source.title in text for source in table.meta.sources)
    assert all(line.startswith("# ") for line in text.splitlines()[: 1 + len(table.meta.sources)])


@pytest.mark.parametrize("table_id", IDS)
def test_a_dash_stands_exactly_where_nothing_was_published(table_id):
    table = load_table(table_id)
    assert ((table.display() == MISSING) == table.frame.isna()).all(axis=None)


@pytest.mark.parametrize("table_id", IDS)
def test_every_number_fits_into_a_browsers_table(table_id):
    table = load_table(table_id)
    for column in table.meta.columns:
        if column.is_number:
            assert (table.frame[column.name].dropna().abs() / column.scale < 2**53).all(), column.name
            assert (column.scale == 1e18) == ("1e18" in column.label)


# what the slides show

BOLD_ON_SLIDE = {
    "glue": ({"BERT-large"}, {*GLUE_TASKS, "average"}),
    "albert_results": (
        {"ALBERT-xxlarge"},
        {"squad_v1_f1", "squad_v1_em", "squad_v2_f1", "squad_v2_em", "mnli", "sst2", "race", "average"},
    ),
    "roberta": ({"pretrain even longer"}, {"squad_v1_f1", "squad_v2_f1", "mnli_m", "sst2"}),
}


@pytest.mark.parametrize("table_id", sorted(ON_SLIDES))
def test_computed_bold_is_the_bold_of_the_slide(table_id):
    table = load_table(table_id)
    names = table.frame["setting" if table_id == "roberta" else table.frame.columns[0]]
    rows, columns = BOLD_ON_SLIDE.get(table_id, (set(), set()))
    bold = table.best.set_axis(names, axis=0)
    assert {(r, c) for r in bold.index for c in bold.columns if bold.loc[[r], c].any()} == {
        (r, c) for r in rows for c in columns
    }


def test_glue_average_is_the_mean_of_nine_columns_but_for_the_known_misprint():
    frame = rows_by_name("glue")
    error = (frame[GLUE_TASKS].mean(axis=1) - frame["average"]).abs()
    assert error[error > ROUNDING].index.tolist() == ["BiLSTM+ELMo+Attn"]
    assert frame.loc["BiLSTM+ELMo+Attn", GLUE_TASKS].mean() == pytest.approx(70.94, abs=0.005)
    assert "70.94" in " ".join(load_table("glue").meta.notes)


def test_distilbert_score_is_the_mean_of_its_tasks_but_for_the_known_misprint():
    frame = rows_by_name("distilbert")
    error = (frame.drop(columns="score").mean(axis=1) - frame["score"]).abs()
    assert error[error > ROUNDING].index.tolist() == ["BERT-base"]
    assert frame.loc["BERT-base"].drop("score").mean() == pytest.approx(79.72, abs=0.005)
    assert "79.72" in " ".join(load_table("distilbert").meta.notes)
    assert frame.loc["DistilBERT", "score"] / frame.loc["BERT-base", "score"] == pytest.approx(0.97, abs=0.005)


def test_albert_average_counts_each_squad_once():
    frame = rows_by_name("albert_results")
    squads = [frame[[f"squad_v{v}_f1", f"squad_v{v}_em"]].mean(axis=1) for v in (1, 2)]
    mean = (sum(squads) + frame[["mnli", "sst2", "race"]].sum(axis=1)) / 5
    assert ((mean - frame["average"]).abs() <= ROUNDING).all()


def test_albert_sizes_agree_between_its_two_tables():
    sizes, results = rows_by_name("albert_configurations"), rows_by_name("albert_results")
    assert (sizes["parameters"] == results["parameters"]).all()
    assert (sizes["parameter_sharing"] == sizes.index.str.startswith("ALBERT")).all()


def test_glue_training_sets_range_from_2500_to_392000():
    sizes = rows_by_name("glue_task_sizes")["training_examples"]
    assert (sizes.min(), sizes.max(), len(sizes)) == (2500, 392000, 8)


def test_slide_sizes_and_tokens():
    table = rows_by_name("chinchilla_models")
    assert table["parameters"].tolist() == [137e9, 175e9, 178e9, 280e9, 530e9, 70e9]
    assert table["training_tokens"].tolist() == [168e9, 300e9, 300e9, 300e9, 270e9, 1.4e12]
    assert table.loc["Chinchilla", "tokens_per_parameter"] == pytest.approx(20)
    assert load_table("t5_sizes").frame["model"].tolist() == ["t5-small", "t5-base", "t5-large", "t5-3b", "t5-11b"]


def test_recent_models_are_those_of_the_slide_with_computed_ratios():
    frame = load_table("tokens_per_parameter").frame
    sizes = frame.groupby("family", sort=False)["parameters"].apply(list)
    assert sizes["Llama 3"] == [8e9, 70e9, 405e9]
    assert sizes["Qwen2.5"] == [0.5e9, 1.5e9, 3e9, 7e9, 14e9, 32e9, 72e9]
    tokens = frame.groupby("family")["training_tokens"].unique()
    assert [tokens[f].tolist() for f in ("Llama 3", "Qwen2.5", "DeepSeek-V3")] == [[15e12], [18e12], [14.8e12]]
    deepseek = frame[frame["family"] == "DeepSeek-V3"].iloc[0]
    assert deepseek["tokens_per_parameter"] == pytest.approx(14800 / 671)
    assert deepseek["tokens_per_active_parameter"] == pytest.approx(400)


def test_the_same_model_has_the_same_numbers_in_every_table():
    ratios = rows_by_name("tokens_per_parameter")[["parameters", "training_tokens"]]
    llama = rows_by_name("llama_sizes")[["parameters", "training_tokens"]]
    six = rows_by_name("chinchilla_models")[["parameters", "training_tokens"]]
    assert ratios.loc[llama.index].equals(llama)
    assert ratios.loc["Chinchilla 70B"].tolist() == six.loc["Chinchilla"].tolist()
    assert ratios.loc["GPT-3 175B"].tolist() == six.loc["GPT-3"].tolist()


# published tables beside the slides


def test_gpt3_heads_make_the_width_but_for_two_known_misprints():
    frame = rows_by_name("gpt3_sizes")
    wrong = frame[frame["heads"] * frame["d_head"] != frame["d_model"]]
    assert wrong.index.tolist() == ["GPT-3 XL", "GPT-3 13B"]


def test_compute_is_six_times_parameters_times_tokens_but_for_one_known_misprint():
    frame = load_table("chinchilla_allocation").frame
    wrong = [
        (row.parameters, k)
        for row in frame.itertuples()
        for k in (1, 2, 3)
        if not 0.85 < getattr(row, f"flops_{k}") / (6 * row.parameters * getattr(row, f"tokens_{k}")) < 1.15
    ]
    assert wrong == [(175e9, 3)]


def test_chain_of_thought_table_is_complete_and_agrees_with_the_ablation():
    frame = load_table("wei2022_cot_by_scale").frame
    assert len(frame) == 500
    assert frame["score"].between(0, 100).all()
    pairs = frame.groupby(["model", "parameters", "task"], dropna=False)["prompt"].apply(set)
    assert all(prompts == {"standard", "cot"} for prompts in pairs)
    lamda = frame[(frame["model"] == "LaMDA") & (frame["parameters"] == 137e9) & (frame["task"] == "GSM8K")]
    ablation = rows_by_name("wei2022_cot_ablation")["gsm8k"]
    assert lamda.set_index("prompt")["score"].to_dict() == {
        "standard": ablation["Standard prompting"],
        "cot": ablation["Chain of thought"],
    }


def test_scaling_exponents_of_parameters_and_tokens_add_up_to_one():
    frame = load_table("scaling_exponents").frame
    assert np.allclose(frame["a"] + frame["b"], 1)


def test_the_fit_and_its_intervals_agree():
    fit = rows_by_name("besiroglu_fit")
    assert fit["estimate"].between(fit["low"], fit["high"]).all()
    constants = rows_by_name("scaling_law_constants").loc["Besiroglu et al. (Epoch)"]
    assert constants.tolist() == fit["estimate"].tolist()


# search, sort, ids


@settings(max_examples=50)
@given(words=st.text(max_size=20), table_id=st.sampled_from(IDS))
def test_search_keeps_whole_rows_and_their_bold(words, table_id):
    table = load_table(table_id)
    found = table.search(words)
    assert found.frame.equals(table.frame.loc[found.frame.index])
    assert found.best.equals(table.best.loc[found.frame.index])
    shown = [" ".join(row).casefold() for row in found.display().itertuples(index=False)]
    assert all(word in row for row in shown for word in words.casefold().split())


def test_search_finds_what_is_shown_and_nothing_is_lost_without_words():
    table = load_table("wei2022_cot_by_scale")
    assert len(table.search("PALM  gsm8k 540b").frame) == 2
    assert table.search(" ").frame.equals(table.frame)
    assert table.search("no such row").frame.empty


@settings(max_examples=50)
@given(data=st.data())
def test_sort_is_a_stable_permutation_with_missing_cells_last(data):
    table = load_table(data.draw(st.sampled_from(IDS)))
    column = data.draw(st.sampled_from(list(table.frame.columns)))
    descending = data.draw(st.booleans())
    ordered = table.sort(column, descending=descending)
    assert sorted(ordered.frame.index) == sorted(table.frame.index)
    values = ordered.frame[column]
    present = values.dropna().tolist()
    assert present == sorted(present, reverse=descending)
    assert values.isna().tolist() == sorted(values.isna().tolist())
    for value in set(present):
        index = ordered.frame.index[values == value].tolist()
        assert index == sorted(index)


@given(st.text(max_size=200).filter(lambda text: text not in IDS))
def test_an_unknown_id_is_an_error_that_a_visitor_can_read(table_id):
    with pytest.raises(TableError, match="Expected the id of a table") as error:
        load_table(table_id)
    assert len(str(error.value)) < 1000


def test_an_unknown_id_suggests_close_ones_and_never_leaves_the_folder():
    with pytest.raises(TableError, match="Did you mean roberta"):
        load_table("robrta")
    with pytest.raises(TableError):
        load_table("../tables/glue")


def test_a_loaded_frame_is_the_callers_own():
    mine = load_table("glue").frame
    mine.loc[0, "rte"] = 0.0
    assert load_table("glue").frame.loc[0, "rte"] == 61.7


# how numbers are written


@pytest.mark.parametrize(
    ("form", "value", "written"),
    [
        ("count", 1.4e12, "1.4T"),
        ("count", 1.75e11, "175B"),
        ("count", 1.28e6, "1.28M"),
        ("count", 392000.0, "392k"),
        ("count", 3652.0, "3,652"),
        ("count", 1024.0, "1,024"),
        ("count", 768.0, "768"),
        ("exa", 6.4e19, "64"),
        ("exa", 8.9e16, "0.089"),
        ("exa", 1.3e28, "13,000,000,000"),
        ("scientific", 6e-5, "6e-5"),
        ("three_digits", 36000.0, "36,000"),
        ("three_digits", 300 / 175, "1.71"),
        ("three_digits", 20.0, "20"),
        ("three_digits", 270 / 530, "0.509"),
        ("{:.1f}x", 4.7, "4.7x"),
        ("yes_no", True, "yes"),
        ("text", "BERT", "BERT"),
        ("count", float("nan"), MISSING),
    ],
)
def test_cells_read_as_on_the_slides(form, value, written):
    assert ColumnMeta("x", "X", form).show(value) == written


@given(st.floats(min_value=1e-3, max_value=1e15))
def test_written_counts_lose_at_most_a_thousandth(value):
    written = ColumnMeta("x", "X", "count").show(value).replace(",", "")
    scale = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(written[-1], 1)
    assert float(written.rstrip("kMBT")) * scale == pytest.approx(value, rel=1e-3, abs=1e-3)


def test_the_arrow_points_to_better_values():
    headers = {d: ColumnMeta("x", "X", "count", higher_is_better=d).header for d in (True, False, None)}
    assert headers == {True: "X↑", False: "X↓", None: "X"}


def test_equals_are_all_best_and_one_value_alone_is_not():
    meta = load_table("compact_berts").meta
    frame = load_table("compact_berts").frame
    frame["glue_test"] = [77.0, 77.0, 70.0, float("nan")]
    assert best_cells(frame, meta)["glue_test"].tolist() == [True, True, False, False]


# broken files

META = """
title: Two models
lecture_section: RoBERTa
source: {authors: A et al., year: 2020, title: A paper, table: Table 1, url: "https://arxiv.org/abs/1907.11692"}
columns:
  model: {label: Model, format: text}
  score: {label: Score, higher_is_better: true, format: "{:.1f}", optional: true}
best: [score]
notes: []
"""
ROWS = "model,score\nA,1.5\nB,\n"


def broken(folder: Path, meta: str = META, rows: str = ROWS) -> Path:
    (folder / "mine.yaml").write_text(meta, encoding="utf-8")
    (folder / "mine.csv").write_text(rows, encoding="utf-8")
    return folder


def test_two_files_are_all_that_a_new_table_takes(tmp_path):
    assert list_tables(folder=broken(tmp_path)) == ["mine"]
    assert load_table("mine", folder=tmp_path).display()["score"].tolist() == ["1.5", MISSING]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("model,score\nA,1.5\nB,82/83\n", r"mine\.csv, row 3, column score: expected one finite number.*got 82/83"),
        ("model,score\nA,nan\n", r"mine\.csv, row 2, column score"),
        ("model,score\nA,1e999\n", r"mine\.csv, row 2, column score"),
        ("model,score\nA, 1.5\n", r"mine\.csv, row 2, column score"),
        ("model,score\nA,1_5\n", r"mine\.csv, row 2, column score"),
        ("model,score\n,1.5\n", r"mine\.csv, row 2, column model"),
        ("model,score\n90.4/83.2,1.5\n", r"mine\.csv, row 2, column model.*not two numbers"),
        ("model,score\n=SUM(A1),1.5\n", r"mine\.csv, row 2, column model"),
        ("model,score\nA\x07,1.5\n", r"mine\.csv, row 2, column model"),
        ("model,score\nA,1.5,2\n", r"mine\.csv, row 2: expected 2 cells; got 3"),
        ("model,score\nA,1.5\n\nB,2\n", r"mine\.csv, row 3: expected 2 cells; got 0"),
        ("model,score\nA,1.5\nA,1.5\n", r"mine\.csv, row 3: expected every row once; got the cells of row 2"),
        ("model,points\nA,1.5\n", r"mine\.csv, row 1: expected the columns model, score; got model, points"),
        ("model,score\n", r"mine\.csv, row 2: expected at least one row"),
        ("", r"mine\.csv, row 1"),
        ('model,score\n"A"x,1.5\n', r"mine\.csv: expected CSV"),
    ],
)
def test_a_broken_row_is_named_by_file_row_and_column(tmp_path, rows, message):
    with pytest.raises(TableError, match=message):
        load_table("mine", folder=broken(tmp_path, rows=rows))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: Two models", "", "expected the key 'title'"),
        ("title: Two models", "title: ' '", "title to be a str that is not empty"),
        ("notes: []", "notes: []\nnote: x", "expected only the keys"),
        ("notes: []", "notes: []\nnotes: []", "the key 'notes' twice"),
        ("notes: []", "notes: [", "expected YAML"),
        ("notes: []", "notes: [1]", "a list of texts"),
        ("lecture_section: RoBERTa", "lecture_section: Roberta", "lecture_section to be one of"),
        ("year: 2020", "year: soon", "year to be a int"),
        ("year: 2020", "year: true", "year to be a int"),
        ("https:", "http:", "url to begin with https"),
        ("best: [score]", "best: [points]", "column points: expected best to name columns"),
        ("best: [score]", "best: [model]", "column model: expected higher_is_better"),
        ("higher_is_better: true, ", "", "column score: expected higher_is_better"),
        ('"{:.1f}"', '"{:.1q}"', "column score: expected format to be one of"),
        ('"{:.1f}"', "percent", "column score: expected format to be one of"),
        ("model: {label", "Model 1: {label", "column Model 1: expected a machine name"),
        ("optional: true", "optional: perhaps", "column score: expected optional to be a bool"),
        ("optional: true", "ratio: [score, size]", "column score: expected ratio to name number columns"),
        ("optional: true", "ratio: [score]", "column score: expected ratio to name two columns"),
        (META, "- 1", "expected a mapping"),
    ],
)
def test_a_broken_description_is_named_by_file_and_key(tmp_path, old, new, message):
    with pytest.raises(TableError, match=rf"mine\.yaml.*{message}"):
        load_table("mine", folder=broken(tmp_path, meta=META.replace(old, new)))


@pytest.mark.parametrize("suffix", [".csv", ".yaml"])
def test_a_missing_twin_is_named(tmp_path, suffix):
    (broken(tmp_path) / f"mine{suffix}").unlink()
    with pytest.raises(TableError, match=rf"mine\{suffix}: expected this file beside its twin"):
        load_table("mine", folder=tmp_path)


def test_other_bytes_than_utf8_are_named(tmp_path):
    (broken(tmp_path) / "mine.csv").write_bytes(b"model,score\n\xff,1\n")
    with pytest.raises(TableError, match=r"mine\.csv: expected UTF-8"):
        load_table("mine", folder=tmp_path)


def test_one_broken_cell_in_a_shipped_table_is_found(tmp_path):
    for path in FOLDER.glob("glue.*"):
        shutil.copy(path, tmp_path)
    text = (tmp_path / "glue.csv").read_text().replace("92.7", "92,7")
    (tmp_path / "glue.csv").write_text(text)
    with pytest.raises(TableError, match=r"glue\.csv, row 6: expected 11 cells; got 12"):
        load_table("glue", folder=tmp_path)


def test_tables_need_neither_streamlit_nor_torch():
    code = "import sys, lecture_core.tables; print({'streamlit', 'torch', 'transformers'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=FOLDER.parents[1]
    )
    assert done.stdout.strip() == "set()"
