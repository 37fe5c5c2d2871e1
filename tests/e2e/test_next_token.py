"""The page on next tokens in the browser: a click on a bar appends its token, Stop ends the writing."""

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("width", [1280, 390])
def test_a_click_on_a_bar_appends_its_token_and_undo_takes_it_back(server, visit, width):
    seen = visit(server, width=width).open("/next_token")
    seen.page.get_by_role("button", name="append doors").click()
    seen.page.get_by_text("Your path").wait_for()
    seen.settle()
    assert "next_token_written=+doors" in seen.page.url
    seen.keep(f"next_token_path_{width}")
    seen.page.get_by_role("button", name="Undo").click()
    seen.page.get_by_text("Your path").wait_for(state="detached")
    seen.page.get_by_role("button", name="append doors").wait_for()
    seen.is_healthy()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_tree_and_the_surprise_are_drawn(server, visit, width):
    seen = visit(server, width=width).open("/next_token?next_token_view=Tree")
    seen.page.get_by_text("The most probable path").wait_for()
    seen.keep(f"next_token_tree_{width}")
    seen.page.get_by_role("tab", name="Surprise").click()
    seen.page.get_by_text("Perplexity").first.wait_for()
    seen.settle()
    seen.keep(f"next_token_surprise_{width}")
    seen.is_healthy()


def test_stop_ends_the_writing_and_what_came_stays(server, visit):
    seen = visit(server).open("/next_token?next_token_length=120")
    seen.page.get_by_role("tab", name="Let it write").click()
    seen.page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
    seen.page.get_by_role("button", name="Run again").wait_for()
    seen.settle()
    assert seen.page.locator("pre", has_text="▍").count() == 0, "nobody writes any more"
    assert seen.page.get_by_text("stopped").count() >= 1
    seen.is_healthy()


def test_a_guess_goes_out_with_its_text(server, visit):
    seen = visit(server).open("/next_token")
    guess = seen.page.get_by_role("radio", name="more than twice")
    guess.click()
    seen.page.get_by_text("You guessed").wait_for()
    seen.page.get_by_role("radio", name="A capital").click()
    seen.page.get_by_text("You guessed").wait_for(state="detached")
    seen.settle()
    assert guess.get_attribute("aria-checked") == "false"
    seen.is_healthy()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_name_of_the_model_is_not_cut(server, visit, width):
    seen = visit(server, width=width).open("/next_token")
    model = seen.page.get_by_role("combobox", name="Model").first
    assert model.evaluate("node => node.scrollWidth <= node.clientWidth")
    seen.is_healthy()
