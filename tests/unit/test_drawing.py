import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lecture_core.drawing import MAX_ELEMENTS, NUMBERS, read, render
from lecture_core.drawing_path import trace

UNICORN = """Here it is:
<svg width="100" height="80" viewBox="0 0 100 80">
  <!-- <rect x="0" y="0" width="100" height="80"/> -->
  <ellipse cx="50" cy="40" rx="25" ry="12" fill="white" stroke="black"/>
  <circle cx='80' cy='25' r='10' fill='#ffccee'/>
  <polygon points="80,15 84,2 86,16" fill="gold"/>
  <line x1="35" y1="50" x2="35" y2="72" stroke="black" stroke-width="3"/>
  <path d="M25 40 q-10 0 -12 14 t-4 8" fill="none" stroke="purple"/>
</svg>"""
numbers = st.one_of(
    st.integers(-20_000, 20_000).map(str), st.sampled_from(["", "1e9", "nan", "inf", "1e", "50%", "2px"])
)
names = st.sampled_from([*NUMBERS, "script", "svg", "text", "style", "image", "a", "foreignObject", "use"])
attribute_names = st.sampled_from(["x", "y", "cx", "cy", "r", "rx", "width", "height", "points", "d", "fill", "stroke"])
attributes = st.dictionaries(attribute_names, st.one_of(numbers, st.text(max_size=12)), max_size=6)


def written(element, pairs):
    inside = " ".join(f'{name}="{value}"' for name, value in pairs.items())
    return f"<{element} {inside}/>"


def test_a_drawing_is_read_and_drawn():
    drawing = read(UNICORN)
    assert [p.element for p in drawing.primitives] == ["ellipse", "circle", "polygon", "line", "path"]
    assert drawing.box == (0, 0, 100, 80)
    assert drawing.refused == {}
    picture = render(drawing, side=200)
    assert picture.shape == (160, 200, 3)
    assert tuple(picture[50, 160]) == (255, 204, 238)
    assert tuple(picture[0, 0]) == (255, 255, 255)


@pytest.mark.parametrize(
    "element",
    [
        "<script>alert(1)</script>",
        '<image href="http://example.org/x.png"/>',
        '<a href="javascript:alert(1)"></a>',
        '<rect width="5" height="5" onclick="alert(1)"/>',
        '<rect width="5" height="5" style="fill:url(http://example.org)"/>',
        '<rect width="5" height="5" transform="scale(9)"/>',
        '<rect width="5" height="calc(5px)"/>',
        '<rect width="5" height="-5"/>',
        '<rect width="5" height="5" fill="red" &xxe;/>',
        '<circle cx="1e99" r="5"/>',
        '<path d="M0 0 A1 1 0 0 0 5 5"/>',
        '<path d="L1 1"/>',
        '<path d="M0 0 L1"/>',
        '<text x="1" y="1">unicorn</text>',
        '<polygon points="1 2 3"/>',
        '<use href="#a"/>',
    ],
)
def test_whatever_is_not_on_the_list_is_left_out_and_counted(element):
    drawing = read(f"<svg>{element}</svg>")
    assert drawing.primitives == ()
    assert sum(drawing.refused.values()) == 1


def test_a_foreign_colour_draws_nothing():
    (primitive,) = read('<rect width="5" height="5" fill="url(#x)" stroke="hsl(1,2%,3%)"/>').primitives
    assert primitive.fill is None
    assert primitive.stroke is None


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])  # the first draw builds Unicode's tables
@given(st.lists(st.tuples(names, attributes), max_size=4))
def test_only_listed_elements_with_bounded_numbers_come_through(elements):
    drawing = read("<svg>" + "".join(written(*element) for element in elements) + "</svg>")
    for primitive in drawing.primitives:
        assert primitive.element in NUMBERS
        assert np.isfinite(primitive.points).all()
    assert render(drawing, side=48).dtype == np.uint8


@settings(max_examples=300)
@given(st.text(alphabet="<>/=\"'- !svgrectpathd0159.,MLCz&;\n", max_size=300))
def test_no_text_breaks_the_reader_or_the_renderer(text):
    picture = render(read(text), side=48)
    assert max(picture.shape[:2]) <= 48
    assert picture.shape[2] == 3


@settings(max_examples=300)
@given(st.text(alphabet="MmLlHhVvCcSsQqTtZzAa0123456789.,- e", max_size=120))
def test_a_path_is_points_or_nothing(text):
    for points, _ in trace(text) or []:
        assert np.isfinite(points).all()


@pytest.mark.parametrize(
    "text", ["<" * 20_000, '<rect x="' * 2_200, "<!--" * 5_000, "<a " + "b='" * 6_000, "1" * 20_000]
)
def test_hostile_text_is_read_in_a_moment(text):
    started = time.process_time()
    read(text)
    trace(text)
    assert time.process_time() - started < 1


def test_the_number_of_elements_and_points_is_bounded():
    assert len(read('<rect width="5" height="5"/>' * 600).primitives) == MAX_ELEMENTS
    assert read(f'<polygon points="{"1 2 " * 900}"/>').primitives == ()
    assert trace("M0 0" + "L1 1" * 900) is None


def test_relative_and_absolute_paths_agree():
    relative, absolute = trace("m10 10 l5 0 v5 h-5 z"), trace("M10 10 L15 10 V15 H10 Z")
    assert relative == absolute == [(((10, 10), (15, 10), (15, 15), (10, 15)), True)]


def test_a_curve_ends_where_it_says_and_a_straight_one_stays_straight():
    ((points, closed),) = trace("M0 0 C1 1 2 2 3 3")
    assert not closed
    assert points[-1] == (3, 3)
    assert all(x == pytest.approx(y) for x, y in points)


def test_a_smooth_curve_mirrors_the_last_control_point():
    assert trace("M0 0 Q1 2 2 0 T4 0") == trace("M0 0 Q1 2 2 0 Q3 -2 4 0")
    assert trace("M0 0 C0 1 2 1 2 0 S4 -1 4 0") == trace("M0 0 C0 1 2 1 2 0 C2 -1 4 -1 4 0")
