"""The chart that follows a slider, in Chromium: the script by itself, without a server."""

import re

import pytest

from lecture_core.figures import scaling
from lecture_core.figures.quick import drawn
from lecture_core.scaling_laws import CHINCHILLA_FLOPS, EPOCH
from lecture_core.scaling_models import load_models
from lecture_core.scaling_report import Split

pytestmark = pytest.mark.e2e
SPLIT = Split(7e10, CHINCHILLA_FLOPS / 6 / 7e10, EPOCH)
CURVES = drawn(scaling.isoflop_curves(SPLIT)) | {"alt": "curves"}
PLANE = drawn(scaling.loss_plane(SPLIT, load_models())) | {"alt": "plane"}


@pytest.fixture
def mounted(scripted):
    """Mount the script with given data."""
    return scripted("svg", "quick_chart")


def centres(page):
    """Middle of each mark on the screen."""
    boxes = page.locator(".mark").evaluate_all("nodes => nodes.map(n => { const b = n.getBoundingClientRect();"
                                               " return [b.x + b.width / 2, b.y + b.height / 2]; })")  # fmt: skip
    return boxes


@pytest.mark.parametrize("data", [CURVES, PLANE])
@pytest.mark.parametrize("width", [330, 600])
def test_everything_in_the_data_is_drawn_at_its_place(mounted, data, width):
    page = mounted(data, width)
    assert page.locator(".line").count() == len(data["lines"])
    assert page.locator(".mark").count() == len(data["marks"])
    assert page.locator(".word").count() == len(data["words"])
    assert page.locator("image").count() == (data["cells"] is not None)
    ticks = page.locator(".grid text").all_text_contents()
    assert [name for axis in "xy" for _, name in data[axis]["ticks"]] == ticks[:-2]
    marks = sorted(zip([mark["x"] for mark in data["marks"]], centres(page), strict=True))
    assert [x for _, (x, _) in marks] == sorted(x for _, (x, _) in marks)
    svg = page.locator("svg").bounding_box()
    assert svg["width"] == width
    ends = page.locator(".word").evaluate_all("nodes => nodes.map(n => n.getBoundingClientRect().right)")
    assert max(ends) <= svg["x"] + width + 3


def test_a_move_draws_anew_without_leftovers(mounted):
    mounted(CURVES)
    mounted(PLANE)
    page = mounted(CURVES)
    assert page.locator("svg").count() == 1
    assert page.locator(".line").count() == len(CURVES["lines"])
    assert page.locator("image").count() == 0


def test_the_pointer_learns_the_numbers_of_a_mark_and_of_a_place(mounted):
    page = mounted(PLANE)
    gopher = next(i for i, mark in enumerate(PLANE["marks"]) if mark["x"] == 2.8e11)
    x, y = centres(page)[gopher]
    page.mouse.move(x + 3, y)
    tip = page.locator(".tip")
    assert "Gopher" in tip.text_content()
    assert "tokens per parameter" in tip.text_content()
    page.mouse.move(x, y + 120)
    assert re.match(r"N = .+, D = .+\nloss \d\.\d{3}", tip.text_content())
    page.mouse.move(5, 690)
    assert tip.is_hidden()


def test_text_is_shown_letter_by_letter(mounted):
    hostile = "<img src=x onerror=alert(1)>"
    word = {"x": 1e10, "y": 2.0, "text": hostile, "at": "top center", "gap": 8, "size": 14}
    page = mounted(CURVES | {"words": [word]})
    assert page.locator(".word").inner_html() == hostile.replace("<", "&lt;").replace(">", "&gt;")
    assert page.locator("img").count() == 0


def test_a_narrower_place_draws_it_narrower(mounted):
    page = mounted(CURVES, 600)
    page.evaluate("document.getElementById('host').style.width = '340px'")
    page.wait_for_function("document.querySelector('svg').getAttribute('width') === '340'")
