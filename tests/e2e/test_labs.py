"""The labs as a student uses them: the default result is there, a click changes it, strange text stays text."""

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

LECTURE = (
    "Natural language [MASK] (NLP) is an [MASK] subfield of linguistics, computer science, and artificial [MASK] "
    "concerned with the interactions [MASK] computers and human [MASK] ..."
)
STRANGE = [
    "<img src=x onerror=\"document.title='broken'\"> [MASK]",
    "<script>document.title='broken'</script> [MASK]",
    "![x](https://example.org/x.png) the [MASK]",
    "שלום [MASK] עולם 🙂",
]


def test_the_masked_lm_answers_at_once_and_a_click_hides_a_word(server, visit):
    seen = visit(server).open("/masked_lm")
    seen.page.get_by_text("Mask 1 of 5").wait_for()
    seen.page.get_by_role("button", name="computer", exact=False).first.click()
    seen.page.get_by_text("of 6").wait_for()
    assert "computer science" not in seen.page.locator("textarea").first.input_value()
    seen.keep("masked_lm_after_a_click")
    seen.is_healthy()


def test_the_address_of_a_view_restores_it(server, visit):
    first = visit(server).open("/masked_lm")
    area = first.page.locator("textarea").first
    area.fill("The dog ___ at the cat.")
    area.press("Control+Enter")
    first.page.get_by_text("Mask 1 of 1").wait_for()
    again = visit(server)
    again.page.goto(first.page.url)
    again.page.get_by_text("Mask 1 of 1").wait_for()
    expect(again.page.locator("textarea").first).to_have_value("The dog ___ at the cat.")


def test_a_link_restores_the_words_that_clicks_have_hidden(server, visit):
    first = visit(server).open("/masked_lm?masked_lm_mask=3")
    first.page.get_by_text("Mask 3 of 5").wait_for()
    first.page.locator(".strip").first.locator(".chip", has_text="computers").click()
    first.page.get_by_text("Mask 3 of 6").wait_for()
    first.page.wait_for_url("**masked_lm_hidden=**")
    first.settle()
    again = visit(server).open(first.page.url.removeprefix(server))
    again.page.get_by_text("Mask 3 of 6").wait_for()
    hidden = again.page.locator(".strip").first.locator(".chip.masked").nth(3)  # the selected one is not striped
    hidden.click()
    again.page.get_by_text("Mask 5 of 6").wait_for()
    again.settle()
    again.page.locator(".strip").first.locator(".chip.selected").click()
    expect(again.page.locator("textarea").first).to_have_value(LECTURE)
    assert [seen.page.get_by_test_id("stAlert").count() for seen in (first, again)] == [0, 0]
    again.is_healthy()


@pytest.mark.parametrize("text", STRANGE)
def test_strange_text_is_shown_as_text(server, visit, text):
    seen = visit(server).open(f"/masked_lm?masked_lm_text={quote(text)}")
    seen.page.get_by_text("Mask 1 of 1").wait_for()
    assert seen.page.title() == "Masked language model"
    assert seen.page.locator("img[src*='example.org'], img[src='x']").count() == 0
    seen.is_healthy()


def test_bad_text_gets_a_sentence_and_the_page_goes_on(server, visit):
    seen = visit(server).open(f"/masked_lm?masked_lm_text={quote('no mask here')}")
    seen.page.get_by_text("Expected at least one mask").wait_for()
    area = seen.page.locator("textarea").first
    area.fill("The cat sat on the [MASK].")
    area.press("Control+Enter")
    seen.page.get_by_text("Mask 1 of 1").wait_for()
    seen.is_healthy()


@pytest.mark.parametrize("width", [1280, 390])
def test_marking_and_revealing_the_fakes(server, visit, width):
    seen = visit(server, width=width).open("/replaced_token_detection")
    seen.page.get_by_role("button", name="chef", exact=False).last.click()
    seen.settle()
    seen.page.get_by_role("button", name="Reveal", exact=True).click()
    seen.page.get_by_text("The discriminator found").wait_for()
    seen.page.get_by_text("1 false alarm").first.wait_for()
    seen.settle()
    seen.keep(f"replaced_token_detection_revealed_{width}")
    assert not seen.overflows()
    seen.is_healthy()


def test_a_hasty_second_click_does_not_hide_the_truth_and_the_link_shows_it(server, visit):
    seen = visit(server).open("/replaced_token_detection")
    seen.page.locator(".strip").first.locator(".chip", has_text="bible").click()
    seen.page.wait_for_url("**replaced_token_detection_marks=15**")
    seen.settle()
    seen.page.get_by_role("button", name="Reveal", exact=True).dblclick()
    seen.page.get_by_text("The discriminator found").wait_for()
    seen.page.wait_for_url("**revealed=true**")
    seen.settle()
    again = visit(server).open(seen.page.url.removeprefix(server))
    found = again.page.get_by_test_id("stMetric").filter(has_text="You found")
    expect(found).to_contain_text("1 of ")
    assert again.page.get_by_test_id("stAlert").count() == 0
    again.is_healthy()


def test_the_slide_s_date_is_completed_without_a_click(server, visit):
    seen = visit(server).open("/few_shot")
    seen.page.get_by_text("!07!23!2005!").first.wait_for()
    seen.is_healthy()


def test_a_click_on_a_row_opens_the_model_s_card(server, visit):
    seen = visit(server).open("/models")
    seen.page.get_by_text("How it learned").wait_for()
    grid = seen.page.get_by_test_id("stDataFrame").first
    grid.click(position={"x": 60, "y": int(35 * 5.5)})  # the fifth row under the header
    seen.page.get_by_role("heading", name="BERT base", exact=True).wait_for()
    seen.page.wait_for_url("**models_model=bert-base-uncased**")
    seen.is_healthy()


def test_a_token_lights_up_in_every_form(server, visit):
    seen = visit(server).open("/three_objectives")
    seen.page.get_by_text("positions carry loss").nth(1).wait_for()
    seen.page.locator(".chip", has_text="party").first.hover()
    expect(seen.page.locator(".chip.lit", has_text="party")).to_have_count(5)  # words, three inputs, decoder's target
    seen.page.locator(".chip", has_text="inviting").first.hover()
    expect(seen.page.locator(".chip.lit", has_text="MASK")).to_have_count(1)
    seen.is_healthy()


def test_a_click_hides_a_word_in_all_forms_and_in_the_address(server, visit):
    seen = visit(server).open("/three_objectives")
    seen.page.get_by_text("positions carry loss").nth(1).wait_for()
    seen.page.get_by_role("button", name="party").click()
    expect(seen.page.locator("textarea").first).to_have_value("Thank you [for inviting] me to your [party last] week.")
    again = visit(server)
    again.page.goto(seen.page.url)
    expect(again.page.locator("textarea").first).to_have_value("Thank you [for inviting] me to your [party last] week.")
    seen.is_healthy()


def drag(seen, word, mask):
    start, end = word.bounding_box(), mask.bounding_box()
    seen.page.mouse.move(start["x"] + 8, start["y"] + 8)
    seen.page.mouse.down()
    seen.page.mouse.move(end["x"] + 12, end["y"] + 12, steps=6)
    seen.page.mouse.up()


def test_a_word_dragged_onto_a_mask_is_asked_for_there(server, visit):
    seen = visit(server).open("/masked_lm?masked_lm_asked=learning")
    seen.page.get_by_text("Mask 1 of 5").wait_for()
    strip = seen.page.locator(".strip").first
    drag(seen, seen.page.locator(".tray .own", has_text="learning"), strip.locator(".chip.masked").nth(1))
    seen.page.get_by_text("Mask 3 of 5").wait_for()
    seen.settle()
    drag(seen, strip.locator(".chip", has_text="linguistics"), strip.locator(".chip.masked").first)
    seen.page.get_by_text("Mask 1 of 5").wait_for()
    expect(seen.page.locator(".asked .word", has_text="linguistics").first).to_be_visible()
    expect(strip.locator(".chip", has_text="linguistics")).to_be_visible()  # dragged, not hidden
    seen.is_healthy()


def test_a_word_of_the_visitor_goes_to_the_selected_mask_by_keyboard(server, visit):
    seen = visit(server).open("/masked_lm?masked_lm_asked=learning,art")
    seen.page.get_by_text("Mask 1 of 5").wait_for()
    seen.page.locator(".strip").first.locator(".chip.masked").nth(0).click()
    seen.page.get_by_text("Mask 2 of 5").wait_for()
    seen.settle()
    seen.page.locator(".tray .own", has_text="art").press("Enter")
    seen.settle()
    seen.page.get_by_text("Mask 2 of 5").wait_for()
    seen.is_healthy()


def test_the_picture_is_covered_and_rearranged_by_hand(server, visit):
    seen = visit(server).open("/multimodal")
    cells = seen.page.locator(".board .cell")
    cells.nth(15).wait_for()
    drag(seen, cells.nth(0), cells.nth(2))
    expect(seen.page.locator(".board .hatch")).to_have_count(3)
    covered = seen.page.get_by_test_id("stMultiSelect")
    expect(covered).to_contain_text("C1")
    seen.page.get_by_text("Move shapes").click()
    seen.page.get_by_text("drag a shape to another cell").wait_for()
    seen.settle()
    drag(seen, cells.nth(0), cells.nth(5))
    expect(cells.nth(5)).to_have_attribute("aria-label", "B2: small blue circle")
    seen.settle()
    cells.nth(5).press("Enter")
    cells.nth(5).press("ArrowDown")
    cells.nth(9).press("ArrowRight")
    cells.nth(10).press("Enter")
    expect(cells.nth(10)).to_have_attribute("aria-label", "C3: small blue circle")
    seen.is_healthy()


def test_a_very_long_word_of_the_visitor_fits_a_phone(server, visit):
    word = "supercalifragilistic" * 8
    seen = visit(server, width=390).open(f"/masked_lm?masked_lm_asked={word},school")
    seen.page.get_by_role("button", name=word).wait_for()
    seen.settle()
    seen.is_healthy()
