"""A visitor's table of runs: what is read, and what is refused in which words."""

import math

import pytest

from lecture_core.errors import InvalidInputError, LectureError
from lecture_core.scaling_columns import guess, guess_unit
from lecture_core.scaling_points import MOST_FITTED, thinned
from lecture_core.scaling_table import LIMIT_BYTES, Mapped, decode, points, read

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


@pytest.mark.parametrize(
    "header",
    [
        "parameters,tokens,learning_rate",
        "parameters,tokens",
        "N,D,loss_std",
        "N,D,loss_per_byte",
        "N,D,loss (nats/byte)",
        "N,D,weight_loss_rate",
        "params,tokens,tokens_per_second",
    ],
)
def test_a_column_that_is_not_called_a_loss_is_not_taken_for_one(header):
    assert "loss" not in guess(header.split(","))
    with pytest.raises(InvalidInputError, match="and none known as a loss"):
        points(read(f"{header}\n" + "1e6,2e7,3.5,4\n".rsplit(",", 4 - header.count(","))[0]), Mapped({}, {}))


@pytest.mark.parametrize("name", ["loss", "Loss (nats)", "val_loss", "held-out loss", "test loss [nats/token]", "NLL"])
def test_common_names_of_a_loss_are_known(name):
    assert guess(["step", "N", "D", name])["loss"] == name


def test_a_held_out_loss_goes_before_the_training_loss_and_token_before_byte():
    assert guess(["N", "D", "train_loss", "val_loss"])["loss"] == "val_loss"
    assert guess(["N", "D", "loss_per_byte", "loss_per_token"])["loss"] == "loss_per_token"
    assert guess(["N", "D", "tokens_per_second", "loss"])["tokens"] == "D"


@pytest.mark.parametrize(
    ("quantity", "name", "cells", "unit"),
    [
        ("parameters", "params (B)", ["70"], "billions"),
        ("parameters", "N (M)", ["70"], "millions"),
        ("tokens", "D (B)", ["1400"], "billions"),
        ("tokens", "D [1e9]", ["1400"], "billions"),
        ("tokens", "tokens_millions", ["300"], "millions"),
        ("parameters", "params_b", ["70"], "billions"),
        ("loss", "loss (nats)", ["3.1"], "nats per token"),
        ("loss", "loss (bits)", ["4.1"], "bits per token"),
        ("compute", "C (PF-days)", ["4.1"], "PFLOP/s-days"),
        ("compute", "C", ["1e20"], "FLOPs"),
        ("parameters", "N", ["70000000"], "counts"),
        ("parameters", "N", ["70", "175"], "millions"),
        ("parameters", "N", ["125", "13000", "175000"], "millions"),
        ("parameters", "N", ["55536", "55536", "55536"], "counts"),
        ("tokens", "D", ["524288", "1048576"], "counts"),
        ("tokens", "D", ["0.5", "4.2"], "millions"),
    ],
)
def test_units_are_guessed_by_name_then_by_size(quantity, name, cells, unit):
    assert guess_unit(quantity, name, cells, ".") == unit
    if "(" in name:
        assert guess([name]) == {quantity: name}


def test_thousands_dots_are_counted_with_the_decimal_sign():
    assert guess_unit("parameters", "N", ["55.536", "220.000"], ",") == "counts"
    assert guess_unit("parameters", "N", ["55.536", "220.000"], ".") == "millions"


@pytest.mark.parametrize(
    "text",
    [
        'N,D,loss\n55536,524288,"3,65"',
        "N;D;loss\n55.536;524.288;3,65",
        "N;D;loss\n55.536;524.288;3,650",
        "N;D;loss\n55,536;524,288;3.650",
        'N,D,loss\n"55,536","524,288",3.65',
        "N\tD\tloss\n55 536\t524 288\t3,65",
    ],
)
def test_the_decimal_sign_is_found_with_any_separator_and_with_groups(text):
    made = runs(text)
    assert (made.parameters, made.tokens, made.loss) == ((55536,), (524288,), (3.65,))


def test_a_cell_that_needs_the_other_decimal_sign_says_so():
    with pytest.raises(InvalidInputError, match="Choose the other decimal sign"):
        runs("N;D;loss\n1e6;2e7;3.5\n1e6;2e7;3,25")
    with pytest.raises(InvalidInputError, match=r"“x”\. Correct these cells"):
        runs("N;D;loss\n1e6;2e7;x")


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
        ({"parameters": "N", "tokens": "D"}, "none known as a loss"),
        ({"parameters": "N", "tokens": "N", "loss": "loss"}, "one column twice"),
    ],
)
def test_missing_columns_are_named(columns, said):
    with pytest.raises(InvalidInputError, match=said):
        runs("N,D,loss\n1e6,2e7,3.5", columns=columns)


def test_a_hundred_thousand_rows_are_read_and_evenly_thinned():
    text = "N,D,loss\n" + "".join(f"{1e6 + i},{2e7 + 7 * i},{4 - i / 1e5:.5f}\n" for i in range(100_000))
    made = runs(text)
    assert len(made) == 100_000
    fitted = thinned(made)
    assert len(fitted) == MOST_FITTED
    assert fitted.parameters[0] == 1e6
    assert fitted.parameters[-1] == 1e6 + 99_999
    steps = [b - a for a, b in zip(fitted.parameters, fitted.parameters[1:], strict=False)]
    assert 49 <= min(steps) <= max(steps) <= 51
    assert thinned(fitted) is fitted
