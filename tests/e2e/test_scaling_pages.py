"""The scaling labs in Chromium: what must be in sight together, what must not be covered, what a click does."""

import pytest

pytestmark = pytest.mark.e2e


def box(locator) -> dict:
    locator.wait_for()
    return locator.bounding_box()


def test_on_a_phone_the_chart_and_all_its_sliders_are_in_sight_together(visit, server):
    visitor = visit(server, width=390).open("/scaling_bench")
    chart = box(visitor.page.locator(".quick svg").first)
    sliders = visitor.page.get_by_test_id("stSlider")
    assert sliders.count() == 5
    boxes = [box(sliders.nth(i)) for i in range(5)]
    assert min(b["y"] for b in boxes) >= chart["y"] + chart["height"]
    assert max(b["y"] + b["height"] for b in boxes) - chart["y"] < 720
    assert all(b["x"] + b["width"] <= 390 for b in boxes)
    visitor.is_healthy()


@pytest.mark.parametrize("width", [390, 1280])
def test_sliders_of_own_constants_do_not_cover_the_chart(visit, server, width):
    visitor = visit(server, width=width).open("/chinchilla?chinchilla_constants=Your+own")
    chart = box(visitor.page.locator(".quick svg").first)
    sliders = visitor.page.get_by_test_id("stSlider")
    assert sliders.count() == 7
    for i in range(7):
        place = box(sliders.nth(i))
        assert place["y"] + place["height"] <= chart["y"]
    before = visitor.page.locator(".quick .line").first.get_attribute("d")
    thumb = sliders.filter(has_text="α: exponent of N").locator("input[type=range]")
    thumb.focus()
    thumb.press("ArrowLeft")
    visitor.settle()
    assert visitor.page.locator(".quick .line").first.get_attribute("d") != before
    visitor.is_healthy()


def test_on_a_phone_every_choice_of_constants_is_in_sight(visit, server):
    visitor = visit(server, width=390).open("/chinchilla")
    own = box(visitor.page.get_by_role("radio", name="Your own"))
    assert own["x"] + own["width"] <= 390
    visitor.is_healthy()


def test_with_nothing_served_the_chart_has_only_numbers(visit, server):
    visitor = visit(server).open("/open_weight_models?open_weight_models_served=none")
    box(visitor.page.locator(".quick svg").first)
    lines = visitor.page.locator(".quick .line").evaluate_all("lines => lines.map(line => line.getAttribute('d'))")
    assert len(lines) == 1
    assert all("Infinity" not in line and "NaN" not in line for line in lines)
    visitor.is_healthy()


def test_a_click_on_a_published_model_selects_it(visit, server):
    visitor = visit(server).open("/chinchilla")
    point = visitor.page.locator(".drag .pick").filter(has_text="Gopher 280B")
    point.scroll_into_view_if_needed()
    place = box(point)
    visitor.page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    visitor.page.get_by_text("Gopher 280B spent").wait_for()
    visitor.settle()
    assert "chinchilla_moved=Gopher+280B" in visitor.page.url
    visitor.is_healthy()


def test_a_link_brings_the_changed_constants(server, visit):
    seen = visit(server).open("/chinchilla?chinchilla_constants=More+digits")
    seen.page.get_by_role("button", name="E, A, B, α, β").click()
    seen.page.get_by_role("button", name="Change these constants").click()
    seen.page.wait_for_url("**chinchilla_E=**")
    seen.settle()
    link = seen.page.url.split("/chinchilla")[1]
    again = visit(server).open(f"/chinchilla{link}")
    again.page.get_by_text("tokens per parameter").first.wait_for()
    again.settle()
    values = [seen.page.get_by_role("slider").nth(i).get_attribute("aria-valuenow") for i in range(5)]
    assert values == [again.page.get_by_role("slider").nth(i).get_attribute("aria-valuenow") for i in range(5)]
