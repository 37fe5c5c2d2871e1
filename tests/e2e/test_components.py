"""The components in a real browser: mouse, keyboard, address, right-to-left text, and text that wants to be markup."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e


@pytest.fixture
def seen(gallery, visit):
    return visit(gallery).open("/")


def _chips(seen, strip=0):
    return seen.page.locator(".strip").nth(strip).locator(".chip")


def test_a_click_reports_the_index_once(seen):
    _chips(seen).nth(3).click()
    seen.page.get_by_text("clicks: [3]").wait_for()
    seen.page.get_by_role("radio", name="Doctor").click()
    seen.page.get_by_text("text: She went").wait_for()
    assert seen.page.get_by_text("clicks: [3]", exact=True).count() == 1


def test_the_same_token_may_be_clicked_again(seen):
    _chips(seen).nth(3).click()
    seen.page.get_by_text("clicks: [3]").wait_for()
    seen.settle()
    _chips(seen).nth(3).click()
    seen.page.get_by_text("clicks: [3, 3]").wait_for()


def test_arrow_keys_move_and_enter_chooses_and_focus_stays(seen):
    chips = _chips(seen)
    chips.nth(0).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
        seen.page.keyboard.press(key)
    seen.page.get_by_text("clicks: [1]").wait_for()
    seen.settle()
    expect(_chips(seen).nth(1)).to_be_focused()
    seen.page.keyboard.press("End")
    expect(_chips(seen).last).to_be_focused()


def test_one_stop_in_the_tab_order(seen):
    assert [chip.get_attribute("tabindex") for chip in _chips(seen).all()].count("0") == 1


def test_arrow_keys_follow_right_to_left_text(seen):
    chips = _chips(seen, 1)
    assert seen.page.locator(".strip").nth(1).get_attribute("dir") == "rtl"
    chips.nth(0).focus()
    seen.page.keyboard.press("ArrowLeft")
    expect(chips.nth(1)).to_be_focused()
    first, second = chips.nth(1).bounding_box(), chips.nth(2).bounding_box()
    assert first["x"] > second["x"]


def test_the_number_shows_on_focus_in_a_long_strip(seen):
    chip = _chips(seen, 2).nth(30)
    number = chip.locator(".number")
    assert number.evaluate("e => getComputedStyle(e).opacity") == "0"
    chip.hover()
    assert number.evaluate("e => getComputedStyle(e).opacity") == "1"
    assert chip.get_attribute("aria-label") == "token 31, w30, 0.50"


def test_marks_are_told_apart_without_colour(seen):
    chips = _chips(seen)
    styles = chips.evaluate_all(
        "nodes => nodes.slice(3, 8).map(n => {const s = getComputedStyle(n.querySelector('.word'));"
        "return s.borderTopStyle + s.textDecorationLine + s.fontWeight})"
    )
    assert len(set(styles)) == 5
    assert chips.locator("svg.icon").count() == 5


def test_hostile_text_shows_letter_by_letter_and_calls_nobody(seen):
    body = seen.page.locator("body")
    assert seen.page.locator("img[src*=evil], a[href*=evil]").count() == 0
    assert seen.page.title() != "owned"
    assert "document.title" in _chips(seen).nth(8).inner_text()
    assert _chips(seen).nth(9).inner_text().strip() == "![x](https://evil.example/a.png)"
    alert = seen.page.get_by_role("alert").inner_text().replace("\u2060", "")
    assert "![x](https://evil.example/a.png)" in alert
    assert "<script>" in alert
    assert "<img src=x" in body.inner_text()
    assert seen.foreign == []
    assert seen.errors == []


def test_an_asked_word_stands_below_the_list_with_its_rank(seen):
    rows = seen.page.locator(".bars .row")
    assert rows.last.locator(".rank").inner_text() == "4,213"
    assert rows.last.locator(".percent").inner_text() == "0.002 %"
    assert rows.last.locator(".note").inner_text() == "asked"
    assert rows.first.locator(".note").count() == 1


def test_an_example_fills_the_text_and_the_address(seen):
    seen.page.get_by_role("radio", name="Doctor").click()
    seen.page.get_by_text("text: She went to the [MASK].").wait_for()
    seen.page.wait_for_url("**gallery_text=**")
    again = seen.page.url
    seen.page.goto("about:blank")
    seen.page.goto(again)
    seen.page.get_by_text("text: She went to the [MASK].").wait_for()


def test_what_was_typed_is_one_click_away_after_an_example(seen):
    area = seen.page.get_by_label("Text")
    area.fill("my own words")
    seen.page.get_by_role("radio", name="Doctor").click()
    seen.page.get_by_text("text: She went to the [MASK].").wait_for()
    seen.page.get_by_role("radio", name="Your text").click()
    seen.page.get_by_text("text: my own words").wait_for()
    expect(area).to_have_value("my own words")


def test_copy_link_confirms_and_copies_the_address(seen):
    seen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    seen.page.get_by_role("button", name="Copy link to this view").click()
    seen.page.get_by_text("Link copied").wait_for()
    assert seen.page.evaluate("navigator.clipboard.readText()") == seen.page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_gallery_fits_a_phone(gallery, visit, scheme):
    phone = visit(gallery, width=390, scheme=scheme).open("/")
    phone.keep(f"gallery_390_{scheme}")
    assert not phone.overflows()
    strip = phone.page.locator(".strip").first.bounding_box()
    widest = max(chip.bounding_box()["width"] for chip in _chips(phone).all())
    assert widest <= strip["width"]
