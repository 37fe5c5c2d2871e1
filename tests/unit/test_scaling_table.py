"""A visitor's table of runs: what is read, and what is refused in which words."""

import math

import pytest

from lecture_core.errors import InvalidInputError, LectureError
from lecture_core.scaling_table import LIMIT_BYTES, MOST_RUNS, Mapped, decode, guess, guess_unit, points, read

COLUMNS = {"parameters": "N", "tokens": "D", "loss": "loss"}
ONE = dict.fromkeys(COLUMNS, 1.0)


def runs(text, *, columns=COLUMNS, units=ONE, skip_bad=False, decimal=None):
    table = read(text)
    return points(table, Mapped(columns, units, decimal or table.decimal), skip_bad=skip_bad)[0]


@pytest.mark.parametrize(
    "text",
    [
        "N,D,loss\n1e6,2e7,3.5\n2000000,4e7,3.25",
        "N;D;loss\n1e6;2e7;3,5\n2000000;4e7;3,25",
        "N\tD\tloss\n1e6\t2e7\t3,5\n2000000\t4e7\t3,25",
        "N\tD\tloss\r\n1M\t20M\t3.5\r\n2M\t40 m\t3.25\r\n",
        'N;D;loss\n"1.000.000";"20.000.000";"3,5"\n2.000.000;40.000.000;3,25',
        'N,D,loss\n"1,000,000","20,000,000",3.5\n\n"2 000 000",40_000_000,3.25,\n',
        "\n N , D , loss \n 1e6, 2e7, 3.5\n 2E+6, .4e8, 3.25",
    ],
)
def test_every_common_kind_of_table_gives_the_same_numbers(text):
    read_runs = runs(text)
    assert read_runs.parameters == (1e6, 2e6)
    assert read_runs.tokens == (2e7, 4e7)
    assert read_runs.loss == (3.5, 3.25)


def test_units_turn_into_counts_flops_and_nats():
    text = "N,C,loss\n70,5.88,2.0\n7,0.6,3"
    columns = {"parameters": "N", "compute": "C", "loss": "loss"}
    made = runs(text, columns=columns, units={"parameters": 1e9, "compute": 1e23, "loss": math.log(2)})
    assert made.parameters[0] == 70e9
    assert made.tokens[0] == pytest.approx(1.4e12)
    assert made.loss[0] == pytest.approx(2 * math.log(2))
    sizes = runs("D,C,loss\n2e7,1.2e14,3", columns={"tokens": "D", "compute": "C", "loss": "loss"})
    assert sizes.parameters == pytest.approx((1e6,))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("N,D,loss", {"parameters": "N", "tokens": "D", "loss": "loss"}),
        ("Model Size,Training Tokens,Training FLOP,val loss", {"compute": "Training FLOP", "loss": "val loss"}),
        (
            "params (B),tokens (B),final_loss",
            {"parameters": "params (B)", "tokens": "tokens (B)", "loss": "final_loss"},
        ),
        ("run,flops,n_params,loss", {"compute": "flops", "parameters": "n_params", "loss": "loss"}),
        ("a,b,c d", {}),
    ],
)
def test_columns_are_guessed_by_name(header, expected):
    found = guess(header.split(","))
    assert expected.items() <= found.items()
    assert bool(found) == bool(expected)


def test_units_are_guessed_by_name_then_by_size():
    assert guess_unit("params (B)", ["70"]) == "billions"
    assert guess_unit("tokens_millions", ["300"]) == "millions"
    assert guess_unit("N", ["70000000"]) == "counts"
    assert guess_unit("N", ["70", "175"]) == "millions"


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_table_without_a_header_is_told_which_line_to_add(sign):
    with pytest.raises(LectureError) as caught:
        read("1e7,1e9,4.1\n1e7,2e9,3.9".replace(",", sign))
    line = sign.join(("parameters", "tokens", "loss"))
    assert str(caught.value) == (
        f"The first line must name the columns; it reads: 1e7, 1e9, 4.1. Add a line such as: {line}."
    )
    with pytest.raises(LectureError, match=r"it reads: 70M, 1\.4B, 3,2"):
        read("70M;1.4B;3,2")


def test_columns_without_a_name_or_with_the_same_one_are_told_apart():
    assert read("N,,N\n1,2,3").header == ("N", "column 2", "N (2)")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("abc", "“abc”"),
        ("NaN", "“NaN”"),
        ("inf", "“inf”"),
        ("-1e6", "“-1e6”"),
        ("0", "“0”"),
        ("", "nothing"),
        ("=SUM(A1:A9)", "a formula"),
        ("@SUM(A1)", "a formula"),
        ("=cmd|' /C calc'!A0", "a formula"),
        ("+A1", "“+A1”"),
        ("1e999", "“1e999”"),
        ("1.2.3", "“1.2.3”"),
        ("12,5", "“12,5”"),
        ("<b>7</b>", "“<b>7</b>”"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(cell, said):
    text = f'N,D,loss\n1e6,2e7,3.5\n1e6,"{cell}",3.4\n2e6,4e7,3.3'
    with pytest.raises(InvalidInputError) as caught:
        runs(text)
    assert f"row 3, column D: {said}" in str(caught.value)
    assert len(runs(text, skip_bad=True)) == 2


def test_many_bad_cells_are_counted_not_listed():
    with pytest.raises(InvalidInputError, match=r"row 2, column D.*and 16 more"):
        runs("N,D,loss\n" + "1e6,x,3\n" * 20)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing"),
        (" \n\n", "nothing"),
        ("just words", "one column"),
        ("N,D,loss\n1,2,3,4", "4 in row 2"),
        ("N,D,loss\n1e6,2e7,3,5", "decimal commas"),
        ('N,D,loss\n1,"2,3', "row 2"),
        ("N,D,loss\n" + "1e6,2e7,3.5\n" * 100_000, "100,000"),
        ("x" * (LIMIT_BYTES + 1), "5.1 MB"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(text, said):
    with pytest.raises(InvalidInputError, match=said):
        read(text)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04 zipped", "spreadsheet"),
        (b"N,D\n\xff\xfe\x00", "UTF-8"),
        (b"x" * (LIMIT_BYTES + 1), "5.1 MB"),
    ],
)
def test_a_file_that_is_no_text_says_why(data, said):
    with pytest.raises(InvalidInputError, match=said):
        decode(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_of_spreadsheets_are_text(encoding):
    assert read(decode("Größe,D,loss\n1,2,3".encode(encoding))).header == ("Größe", "D", "loss")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"parameters": "N", "loss": "loss"}, "two of parameters"),
        ({"parameters": "N", "tokens": "D"}, "no loss"),
        ({"parameters": "N", "tokens": "N", "loss": "loss"}, "one column twice"),
    ],
)
def test_missing_columns_are_named(columns, said):
    with pytest.raises(InvalidInputError, match=said):
        runs("N,D,loss\n1e6,2e7,3.5", columns=columns)


def test_the_most_rows_are_read():
    assert len(runs("N,D,loss\n" + "1e6,2e7,3.5\n" * MOST_RUNS)) == MOST_RUNS
