import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lecture_core.drawing import read, render, shows_anything
from lecture_core.drawing_path import MAX_NUMBER
from lecture_core.drawing_shapes import MAX_CHARACTERS, MAX_ELEMENTS, MAX_POINTS
from lecture_core.drawing_tikz import DRAWN, is_tikz
from lecture_core.drawing_tikz_path import follow

UNICORN = r"""Sure! % not \draw (0,0) circle (9);
\documentclass{standalone}
\usepackage{tikz}
\begin{document}
\begin{tikzpicture}[scale=0.5, thick]
  \definecolor{mane}{RGB}{200, 80, 180}
  \filldraw[fill=white, draw=black] (0,0) ellipse (2 and 1); % body
  \fill[pink!50!white] (2.2,1.2) circle (0.8);
  \draw[line width=2pt, gray] (-1,-0.8) -- (-1,-2.5) (1,-0.8) -- (1,-2.5);
  \fill[color=mane] (1.6,1.9) .. controls (1,1.5) and (1,1) .. (1.4,0.5) -- cycle;
  \filldraw[yellow] (2.4,2) -- (2.6,3.2) -- (2.8,1.9) -- cycle;
  \draw (2.5,1.3) arc (0:180:0.2cm);
  \node at (0,3) {unicorn};
\end{tikzpicture}
\end{document}
"""
numbers = st.one_of(
    st.floats(-20_000, 20_000, allow_nan=False).map(lambda x: f"{x:.3f}"),
    st.sampled_from(["0", "1", "-2", "1e9", "nan", "inf", "9" * 400, "\\x", "1+1", "{1}", "３", "", "2pt", "1em"]),
)
points = st.one_of(
    st.tuples(numbers, numbers).map(lambda p: f"({p[0]},{p[1]})"), st.tuples(numbers).map(lambda a: f"++(30:{a[0]})")
)
joints = st.sampled_from(
    ["--", "-|", "rectangle", "circle (1)", "to", "..", "-- cycle", "node {x}", "grid", "arc (0:90:1)"]
)
paths = st.lists(st.one_of(points, joints), max_size=8).map(" ".join)
options = st.sampled_from(
    [
        "",
        "[red]",
        "[scale=1e9]",
        "[fill=blue!200]",
        "[x=\\y]",
        "[rotate=45,shift={(1,2)}]",
        "[draw=none,fill]",
        "[",
        "]",
    ]
)
commands = st.tuples(
    st.sampled_from([*DRAWN, "input", "write18", "node", "foreach", "begin{scope}", "end{scope}", "def", "clip"]),
    options,
    paths,
    st.sampled_from([";", "", "}", "{", ";}"]),
).map(lambda c: f"\\{c[0]}{c[1]} {c[2]}{c[3]}")


def picture_of(text, side=200):
    return render(read(text), side=side)


def colour_at(picture, across, down):
    height, width = picture.shape[:2]
    return tuple(int(v) for v in picture[int(down * height), int(across * width)])


def test_a_drawing_is_read_and_what_is_left_out_is_counted():
    drawing = read(UNICORN)
    assert [p.element for p in drawing.primitives] == [
        "\\filldraw",
        "\\fill",
        "\\draw",
        "\\draw",
        "\\fill",
        "\\filldraw",
        "\\draw",
    ]
    assert drawing.refused == {"\\node": 1}
    body, head, leg, *_ = drawing.primitives
    assert (body.fill, body.stroke) == ((255, 255, 255), (0, 0, 0))
    assert head.fill == (255, 223, 223)
    assert head.stroke is None
    assert leg.width == pytest.approx(2 * 2.54 / 72.27)
    assert drawing.primitives[4].fill == (200, 80, 180)
    assert max(x for x, _ in body.points) == pytest.approx(1.0)  # scaled by a half
    assert shows_anything(UNICORN)


def test_up_is_up():
    picture = picture_of(r"\fill[red] (0,0) rectangle (4,1); \fill[blue] (0,3) rectangle (4,4);")
    assert colour_at(picture, 0.5, 0.15) == (0, 0, 255)
    assert colour_at(picture, 0.5, 0.85) == (255, 0, 0)
    assert colour_at(picture, 0.5, 0.5) == (255, 255, 255)


@pytest.mark.parametrize(
    ("tikz", "svg"),
    [
        (r"\fill[red] (0,0) rectangle (10,10);", '<rect width="10" height="10" y="-10" fill="red"/>'),
        (r"\filldraw[blue] (5,5) circle (3);", '<circle cx="5" cy="-5" r="3" fill="blue" stroke="blue"/>'),
        (r"\fill (5,5) ellipse (3 and 2);", '<ellipse cx="5" cy="-5" rx="3" ry="2"/>'),
        (r"\fill (0,0) -- (4,0) -- (2,3) -- cycle;", '<polygon points="0,0 4,0 2,-3"/>'),
        (r"\fill (0,0) .. controls (1,2) and (3,2) .. (4,0) -- cycle;", '<path d="M0 0 C1 -2 3 -2 4 0 Z"/>'),
    ],
)
def test_tikz_and_svg_become_the_same_primitives(tikz, svg):
    (one,), (other,) = read(tikz).primitives, read(f"<svg>{svg}</svg>").primitives
    assert (one.fill, one.stroke is None) == (other.fill, other.stroke is None)
    corners = lambda p: sorted({(round(x, 6), round(y, 6)) for x, y in p.points})  # noqa: E731
    assert corners(one) == corners(other)


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ("(1,1) -- +(2,0)", (3, 1)),
        ("(1,1) -- ++(2,0) -- ++(0,2)", (3, 3)),
        ("(1,1) -- +(2,0) -- +(0,2)", (1, 3)),
        ("(0,0) -- (90:2)", (0, 2)),
        ("(0,0) -- (10mm,1cm)", (1, 1)),
        ("(0,0) |- (2,3)", (2, 3)),
        ("(1,0) arc (0:90:1)", (0, 1)),
        ("(1,0) arc [start angle=0, end angle=180, radius=1]", (-1, 0)),
        ("(0,0) .. controls (1,1) .. (2,0)", (2, 0)),
    ],
)
def test_a_path_ends_where_it_says(path, end):
    ((points, _),) = follow(path, limit=400)
    assert points[-1] == pytest.approx(end, abs=1e-6)


def test_scopes_move_what_stands_in_them_and_nothing_after():
    text = r"""\begin{scope}[shift={(10,0)}, rotate=90, scale=2] \fill (0,0) rectangle (1,1); \end{scope}
    \fill (0,0) rectangle (1,1);"""
    moved, plain = read(text).primitives
    assert sorted({(round(x), round(y)) for x, y in moved.points}) == [(8, -2), (8, 0), (10, -2), (10, 0)]
    assert max(x for x, _ in plain.points) == 1


@pytest.mark.parametrize(
    "command",
    [
        r"\input{/etc/passwd}",
        r"\write18{rm -rf /}",
        r"\immediate\write18{ls}",
        r"\openin\file=/etc/passwd",
        r"\def\x{\draw}",
        r"\newcommand{\a}[1]{#1}",
        r"\directlua{os.execute('ls')}",
        r"\includegraphics{http://example.org/x.png}",
        r"\node at (0,0) {\input{/etc/passwd}};",
        r"\foreach \x in {1,...,9} \draw (\x,0) -- (1,1);",
        r"\foreach \x in {1,2} { \fill (0,0) circle (1); \draw (0,0) -- (\x,1); }",
        r"\draw (\x,0) -- (1,1);",
        r"\draw ({1+1},0) -- (1,1);",
        r"\draw (a) -- (b);",
        r"\draw (0,0) to[out=90] (1,1);",
        r"\draw (0,0) -- (1,1) node {hi};",
        r"\draw plot (\x,{sin(\x)});",
        r"\draw[decorate] (0,0) -- (1,1);",
        r"\draw[red!200] (0,0) -- (1,1);",
        r"\draw[fill=url(x)] (0,0) -- (1,1);",
        r"\draw (0,0) circle (-1);",
        r"\draw (0,0) circle (99999);",
        r"\draw (1e99,0) -- (1,1);",
        r"\draw (３,0) -- (1,1);",
        r"\draw (0,0) -- (1,1)",
        r"\draw[scale=9999] (0,0) -- (9999,1);",
        r"\draw (0,0);",
    ],
)
def test_whatever_is_not_on_the_list_is_left_out_and_counted(command):
    drawing = read(r"\begin{tikzpicture}" + command + r"\end{tikzpicture}")
    assert drawing.primitives == ()
    assert sum(drawing.refused.values()) >= 1


def test_a_bad_command_takes_no_good_one_with_it():
    good = r"\fill (0,0) circle (1);"
    bad = (r"\input{x} ", r"\draw (0,0) -- ", r"\foreach \i in {1} {\draw (0,0);} ")
    drawing = read("".join(one + good for one in bad))
    assert [p.element for p in drawing.primitives] == ["\\fill"] * 3
    assert drawing.refused == {"\\input": 1, "\\draw": 1, "\\foreach": 1}


def test_a_scope_that_cannot_be_read_draws_nothing():
    drawing = read(
        r"\begin{scope}[transform canvas={scale=3}] \fill (0,0) circle (1); \end{scope} \fill (0,0) circle (1);"
    )
    assert len(drawing.primitives) == 1
    assert drawing.refused == {"\\begin{scope}": 1, "\\fill": 1}


def test_the_language_is_told_by_the_text():
    assert is_tikz(UNICORN)
    assert not is_tikz(r"<svg><rect width='5' height='5'/></svg> \draw")
    assert not is_tikz(r"a \drawing")
    assert read("I cannot draw.").primitives == ()


def test_numbers_of_commands_points_and_scopes_are_bounded():
    assert len(read(r"\fill (0,0) circle (1);" * 900).primitives) == MAX_ELEMENTS
    assert read(r"\draw (0,0)" + " -- (1,1)" * 900 + ";").primitives == ()
    nested = r"\begin{scope}[scale=9000]" * 500 + r"\fill (0,0) circle (1);"
    assert read(nested).primitives == ()


@pytest.mark.parametrize(
    "text",
    [
        "\\draw" * 4_000,
        "\\foreach{" * 2_200,
        "\\draw[" * 3_300,
        "\\begin{scope}" * 1_500,
        "\\fill {" + "{" * 19_000,
        "\\draw (0,0)" + "--" * 9_000 + ";",
        "\\draw (" + "9" * 19_000 + ",0) -- (1,1);",
        "\\fill[" + "red!50!" * 2_800 + "] (0,0) circle (1);",
        "\\input{" * 2_800 + "\\draw",
        "\\draw" + " " * 19_000 + ";",
        "%" * 20_000 + "\\draw",
    ],
)
def test_hostile_text_is_read_in_a_moment(text):
    started = time.process_time()
    read(text + "\\draw")
    assert time.process_time() - started < 1


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(commands, max_size=6))
def test_only_listed_commands_with_bounded_numbers_come_through(written):
    drawing = read("\\begin{tikzpicture}" + "\n".join(written))
    for primitive in drawing.primitives:
        assert primitive.element.removeprefix("\\") in DRAWN
        assert 2 <= len(primitive.points) <= MAX_POINTS
        assert np.isfinite(primitive.points).all()
        assert np.abs(primitive.points).max() <= MAX_NUMBER
    assert max(render(drawing, side=48).shape[:2]) <= 48
    assert len(drawing.primitives) + sum(drawing.refused.values()) <= 60


@settings(max_examples=400)
@given(st.text(alphabet="\\drawfil{}[](),;-.:%+0189ecyob \n🦄é٣", max_size=200))
def test_no_text_breaks_the_reader_or_the_renderer(text):
    picture = render(read("\\draw " + text), side=48)
    assert max(picture.shape[:2]) <= 48


@given(st.text(min_size=0, max_size=30))
def test_what_stands_after_the_limit_is_not_read(text):
    padded = "\\draw" + " " * MAX_CHARACTERS + "\\fill (0,0) circle (1);" + text
    assert read(padded).primitives == ()
