"""Charts of the Chinchilla lab: what they mark is true, and their labels can be read."""

import itertools
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from lecture_core.errors import TableError
from lecture_core.figures import scaling
from lecture_core.figures.loss_terms import loss_above_floor
from lecture_core.figures.template import FONT_SIZE, base_layout, log_axis
from lecture_core.quantities import count, log_marks, power, three_digits
from lecture_core.scaling_laws import CHINCHILLA_FLOPS, EPOCH, HOFFMANN_PRINTED, Law, compute_optimal, predict_loss
from lecture_core.scaling_models import MODELS_FILE, load_models, named
from lecture_core.scaling_report import PUBLISHED_LAWS, Split, code, implied_by_published, verdict
from lecture_core.tables import load_table

CHINCHILLA = Split(7e10, CHINCHILLA_FLOPS / 6 / 7e10, EPOCH)
EXTREME_LAWS = [
    Law(E, A, B, alpha, beta)
    for E, A, B, alpha, beta in itertools.product((0.01, 4.0), (1.0, 5000.0), (1.0, 5000.0), (0.05, 1.0), (0.05, 1.0))
]
EXTREME_SPLITS = [(1e7, 1e9), (1e7, 1e15), (1e13, 1e9), (1e13, 1e15), (1e13, 1e18 / 6e13)]


def figures(split: Split) -> list:
    return [scaling.isoflop_curves(split), scaling.loss_plane(split, load_models())]


def trace_with(figure, text: str):
    return next(trace for trace in figure.data if trace.text is not None and text in list(trace.text))


def pieces(trace) -> list[list[tuple[float, float]]]:
    """The lines of a trace, which gaps divide."""
    lines = [[]]
    for x, y in zip(trace.x, trace.y, strict=True):
        if x is None:
            lines.append([])
        else:
            lines[-1].append((x, y))
    return [line for line in lines if line]


def trace_named(figure, name: str):
    return next(trace for trace in figure.data if trace.name == name)


def test_marked_minima_are_the_lowest_points_of_the_curves():
    figure = scaling.isoflop_curves(CHINCHILLA)
    curves = [line for trace in figure.data[:2] for line in pieces(trace)]
    minima = sorted(zip(figure.data[2].x, figure.data[2].y, strict=True))
    lowest = sorted(min(line, key=lambda point: point[1]) for line in curves)
    assert len(lowest) == len(minima) == 5
    for (n, loss), (best_n, best_loss) in zip(lowest, minima, strict=True):
        assert n == pytest.approx(best_n, rel=0.05)
        assert loss == pytest.approx(best_loss, abs=1e-6)


def test_the_split_lies_on_its_own_curve():
    figure = scaling.isoflop_curves(CHINCHILLA)
    yours, (strong,) = trace_with(figure, "yours"), pieces(figure.data[1])
    at = np.interp(math.log(yours.x[0]), np.log([n for n, _ in strong]), [loss for _, loss in strong])
    assert at == pytest.approx(yours.y[0], abs=1e-3)


def test_frontier_holds_the_best_splits():
    figure = scaling.loss_plane(CHINCHILLA, load_models())
    line = trace_named(figure, "best splits")
    assert len(line.x) > 10
    for n, d in zip(line.x, line.y, strict=True):
        assert compute_optimal(6 * n * d, EPOCH).parameters == pytest.approx(n)


def test_diagonals_have_equal_compute():
    figure = scaling.loss_plane(CHINCHILLA, load_models())
    budgets = [[6 * n * d for n, d in line] for line in pieces(trace_named(figure, "equal compute"))]
    assert any(ends == pytest.approx([1e24, 1e24]) for ends in budgets)
    assert all(start == pytest.approx(end) for start, end in budgets)


def test_lines_of_equal_loss_have_equal_loss_and_say_which():
    figure = scaling.loss_plane(CHINCHILLA, load_models())
    lines = pieces(trace_named(figure, "equal loss"))
    said = trace_with(figure, "2.2").text
    for line, name in zip(lines, said, strict=True):
        losses = [float(predict_loss(n, d, EPOCH)) for n, d in line]
        assert losses == pytest.approx([float(name)] * len(losses), abs=1e-6)


def test_plane_shows_every_model_with_tokens_per_parameter_and_source():
    figure = scaling.loss_plane(CHINCHILLA, load_models())
    hover = "\n".join(trace_named(figure, "published models").hovertext)
    for model in load_models():
        assert model.name in hover
        assert f"{three_digits(model.tokens_per_parameter)} tokens per parameter" in hover
        assert model.source in hover
    assert "DeepSeek-V3 (all)" in hover
    assert "DeepSeek-V3 (active)" in hover
    assert {model.family for model in load_models()} == set(scaling.LABEL_POSITIONS)


@pytest.mark.parametrize("width", [270, 360])
def test_names_of_models_do_not_cover_each_other(width):
    """Boxes around the labels on a plot area as narrow as a phone's."""
    figure = scaling.loss_plane(CHINCHILLA, load_models(), height=480)
    trace = trace_with(figure, "LaMDA")
    boxes = [_box(figure, trace, i, width) for i in range(len(trace.text))]
    assert len(boxes) == len(scaling.LABEL_POSITIONS)
    for (left, right, low, high), (left2, right2, low2, high2) in itertools.combinations(boxes, 2):
        assert right <= left2 or right2 <= left or high <= low2 or high2 <= low
    assert all(left >= 0 and right <= width for left, right, _, _ in boxes)


@pytest.mark.parametrize("width", [270, 360])
@pytest.mark.parametrize("name", PUBLISHED_LAWS)
def test_names_of_lines_of_equal_loss_do_not_cover_those_of_models(name, width):
    split = replace(CHINCHILLA, law=PUBLISHED_LAWS[name])
    figure = scaling.loss_plane(split, load_models(), height=480)
    models, lines = trace_with(figure, "LaMDA"), trace_with(figure, "2.2")
    for i, j in itertools.product(range(len(models.text)), range(len(lines.text))):
        left, right, low, high = _box(figure, models, i, width)
        left2, right2, low2, high2 = _box(figure, lines, j, width)
        assert right <= left2 or right2 <= left or high <= low2 or high2 <= low


def _box(figure, trace, i: int, width: int) -> tuple[float, float, float, float]:
    def place(axis, value: float, pixels: float) -> float:
        low, high = axis.range
        return (math.log10(value) - low) / (high - low) * pixels

    x, y = place(figure.layout.xaxis, trace.x[i], width), place(figure.layout.yaxis, trace.y[i], 410)
    at = trace.textposition
    vertical, horizontal = (at if isinstance(at, str) else at[i]).split()
    letters, line = 7.2 * len(trace.text[i]), 12
    x += {"left": -letters - 5, "center": -letters / 2, "right": 5}[horizontal]
    y += {"bottom": -line - 8, "middle": -line / 2, "top": 8}[vertical]
    return x, x + letters, y, y + line


def test_bars_add_up_to_the_loss_above_the_floor():
    shown = loss_above_floor(CHINCHILLA)
    amounts = [float(amount) for amount in re.findall(r" = (\d\.\d{4})\"", shown)]
    assert sum(amounts[2:]) + EPOCH.E == pytest.approx(CHINCHILLA.terms.loss, abs=2e-4)
    assert f"E = {EPOCH.E:.3f}" in shown
    widths = [float(width) for width in re.findall(r"width:([\d.]+)%", shown)]
    assert widths[2] / widths[3] == pytest.approx(amounts[2] / amounts[3], rel=0.01)


@pytest.mark.parametrize("law", EXTREME_LAWS[::5])
def test_bars_keep_to_their_width_and_leave_out_words_without_room(law):
    for parameters, tokens in EXTREME_SPLITS:
        shown = loss_above_floor(Split(parameters, tokens, law))
        widths = [float(width) for width in re.findall(r"width:([\d.]+)%", shown)]
        assert max(widths[0] + widths[1], widths[2] + widths[3]) <= 82.02


def test_charts_have_large_fonts_clear_backgrounds_and_a_title():
    for figure in figures(CHINCHILLA):
        layout = figure.layout
        assert layout.title.text
        assert layout.font.size == layout.xaxis.tickfont.size == layout.yaxis.title.font.size == FONT_SIZE >= 14
        assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
        assert not layout.showlegend
        assert layout == figure.layout


def test_axes_name_quantity_and_tick_in_words():
    curves, plane = figures(CHINCHILLA)
    assert curves.layout.yaxis.title.text == "loss (nats per token)"
    assert plane.layout.xaxis.title.text == "parameters N"
    assert "10B" in plane.layout.xaxis.ticktext
    assert "1T" in plane.layout.yaxis.ticktext


@pytest.mark.parametrize("law", EXTREME_LAWS)
def test_charts_can_be_drawn_at_the_ends_of_every_slider(law):
    for parameters, tokens in EXTREME_SPLITS:
        for figure in figures(Split(parameters, tokens, law)):
            for trace in figure.data:
                numbers = [np.asarray(trace[name], dtype=float) for name in ("x", "y", "z") if name in trace]
                gaps = {bool(np.isnan(values).any()) for values in numbers}
                assert gaps == {False} or trace.mode == "lines"  # a gap ends a line
                assert not any(np.isinf(values).any() for values in numbers)
            assert np.isfinite(figure.layout.xaxis.range).all()
            assert len(figure.layout.xaxis.ticktext or ()) <= 8


def test_log_axis_ticks_at_powers_of_ten():
    axis = log_axis(5e5, 2e10, count)
    assert axis["ticktext"] == ["1M", "10M", "100M", "1B", "10B"]
    assert log_axis(1e-3, 1e3, power)["ticktext"][0] == "1e-3"
    assert base_layout(height=300).title.text == ""


@pytest.mark.parametrize(
    ("value", "written"),
    [(7e10, "70B"), (1.4e12, "1.4T"), (6.7e9, "6.7B"), (999.6e9, "1T"), (1.2345e12, "1.23T"), (1e16, "1e16")],
)
def test_counts_are_written_as_they_are_spoken(value, written):
    assert count(value) == written


def test_three_digits_turn_into_a_power_far_from_one():
    assert [three_digits(x) for x in (0, 18.34, 1875.0, 36000.0, 5.71e-11, 4e15)] == [
        "0",
        "18.3",
        "1,880",
        "36,000",
        "5.71e-11",
        "4e15",
    ]


def test_powers_keep_three_digits():
    assert [power(x) for x in (5.76e23, 1e21, 9.999e20)] == ["5.76e23", "1e21", "1e21"]


def test_marks_of_a_slider_are_increasing_unique_and_hold_the_extra_values():
    marks = log_marks(1e7, 1e13, also=[137e9])
    assert list(marks) == sorted(marks)
    assert marks[0] == 1e7
    assert marks[-1] == 1e13
    assert 137e9 in marks
    assert len({count(mark) for mark in marks}) == len(marks)


def test_models_agree_with_the_lectures_tables():
    ours = {(model.parameters, model.tokens) for model in load_models() if model.lecture_table}
    frame = load_table("chinchilla_models").frame
    assert ours == set(zip(frame["parameters"], frame["training_tokens"], strict=True))
    later = load_table("tokens_per_parameter").frame
    columns = ("model", "family", "parameters", "active_parameters", "training_tokens")
    known = set(zip(*(later[column] for column in columns), strict=True))
    ours = {(m.name, m.family, m.parameters, m.active_parameters, m.tokens) for m in load_models()}
    assert known <= ours, "every model of the table of open models, under the same name"
    assert all(m.lecture_table for m in load_models() if m.name not in set(later["model"]))


def test_a_model_is_found_under_earlier_spellings_of_its_name():
    assert named("Llama-3 8B").name == "Llama 3 8B"
    assert named("Qwen-2.5 0.5B").name == "Qwen2.5 0.5B"
    assert named("Llama-4 8B") is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("137e9,137e9", "many,137e9", "row 2, column parameters"),
        ("137e9,137e9", "137e9,138e9", "row 2, column active_parameters"),
        ("168e9", "nan", "row 2, column tokens"),
        ("2022,yes", "2022,perhaps", "row 2, column lecture_table"),
        ("LaMDA 137B,", ",", "row 2, column name"),
        ("name,family", "title,family", "header"),
        ("LaMDA 137B,LaMDA", "LaMDA 137B", "row 2"),
    ],
)
def test_a_broken_models_file_names_the_cell(tmp_path, old, new, message):
    path = tmp_path / "models.csv"
    path.write_text(MODELS_FILE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(TableError, match=message):
        load_models(path)


@pytest.mark.parametrize("law", [EPOCH, HOFFMANN_PRINTED])
def test_the_code_drawer_reproduces_the_shown_numbers(law, capsys):
    split = Split(8e9, 15e12, law)
    exec(code(split), {})
    printed = capsys.readouterr().out
    assert f"loss {split.terms.loss:.4f}" in printed
    assert f"{split.tokens_per_parameter:.3g} tokens per parameter" in printed
    assert f"N = {split.best.parameters:.3g}" in printed
    assert f"gap to the best loss {split.gap:.4f}" in printed
    assert "import" not in code(split)


def test_published_fits_imply_18_93_and_59():
    assert [round(fit.best.tokens_per_parameter) for fit in implied_by_published()] == [18, 93, 59]


def test_verdict_says_on_which_side_a_split_lies():
    assert "as good as the best" in verdict(CHINCHILLA)
    assert "too large" in verdict(Split(280e9, 300e9, EPOCH))
    assert "smaller than the best" in verdict(Split(8e9, 15e12, EPOCH))


def test_half_or_twice_the_best_size_costs_little():
    best = CHINCHILLA.best
    for factor in (0.5, 2):
        assert Split(best.parameters * factor, best.tokens / factor, EPOCH).gap < 0.01
