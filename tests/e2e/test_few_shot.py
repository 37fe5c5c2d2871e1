"""The few-shot lab in the browser: the guess, a long prompt, a task that is too long."""

import pytest

pytestmark = pytest.mark.e2e


def test_the_answer_without_exemplars_comes_after_the_guess(server, visit):
    seen = visit(server).open("/few_shot")
    seen.page.get_by_text("waits for your guess").wait_for()
    seen.page.get_by_role("radio", name="No", exact=True).click()
    seen.page.get_by_text("You guessed").wait_for()
    seen.settle()
    assert seen.page.get_by_text("waits for your guess").count() == 0
    seen.is_healthy()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_long_prompt_shows_its_beginning_and_its_question(server, visit, width):
    seen = visit(server, width=width).open("/few_shot?few_shot_k=32")
    seen.page.get_by_text("29 more exemplars between").wait_for()
    beginning, *_, end = (text.strip() for text in seen.page.get_by_test_id("stCode").all_inner_texts() if text.strip())
    assert beginning.startswith("Input: 2014-06-01")
    assert end.endswith("Input: 2005-07-23\nOutput:")
    seen.settle()
    seen.keep(f"few_shot_k_32_{width}")
    seen.is_healthy()


def test_a_pasted_task_that_is_too_long_is_said_and_stays(server, visit):
    seen = visit(server).open("/few_shot?few_shot_task=Your+own+task")
    box = seen.page.get_by_label("Your examples, one a line")
    box.wait_for()
    seen.settle()
    lines = "".join(f"{i} km => {i}000 m\n" for i in range(600))
    box.fill(lines)
    box.press("Control+Enter")
    seen.page.get_by_text("at most 8,000 characters in all; got 11,180 on 600 lines").wait_for()
    assert box.input_value() == lines
    seen.is_healthy()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_recorded_question_is_opened_by_a_click_on_its_answer(server, visit, width):
    seen = visit(server, width=width).open("/few_shot?few_shot_task=Sentiment+of+a+review")
    assert seen.page.get_by_text("Parts of the link").count() == 0
    seen.page.get_by_text("Every recorded question").wait_for()
    grid = seen.page.get_by_test_id("stDataFrame").filter(has_text="Truth").last
    grid.scroll_into_view_if_needed()
    place = grid.bounding_box()
    if width == 390:  # the answers are to the right of the question
        seen.page.mouse.move(place["x"] + 200, place["y"] + 90)
        seen.page.mouse.wheel(260, 0)
        seen.page.wait_for_timeout(500)
    seen.page.mouse.click(place["x"] + place["width"] - 60, place["y"] + 90)
    seen.page.get_by_text("Output and verdict").wait_for()
    seen.settle()
    assert seen.page.get_by_text("The model said").count() == 2
    seen.keep(f"few_shot_recorded_question_{width}")
    seen.page.get_by_label("Task").first.click()
    seen.page.get_by_role("option", name="Date format").click()
    seen.settle()
    assert seen.page.get_by_text("Output and verdict").count() == 0, "the click was on another task's table"
    seen.is_healthy()


def test_a_guess_goes_out_with_its_question(server, visit):
    seen = visit(server).open("/few_shot")
    guess = seen.page.get_by_role("radio", name="Yes", exact=True)
    guess.click()
    seen.page.get_by_text("You guessed").wait_for()
    seen.page.get_by_role("combobox", name="Question").click()
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("Enter")
    seen.page.get_by_text("You guessed").wait_for(state="detached")
    seen.settle()
    assert guess.get_attribute("aria-checked") == "false"
    seen.is_healthy()


@pytest.mark.parametrize(
    "address",
    [
        "few_shot?few_shot_item=2: 1981-02-19",
        "in_context_learning?in_context_learning_conditions=a format that changes",
    ],
)
def test_another_task_leaves_no_value_in_the_address_that_it_does_not_have(server, visit, address):
    seen = visit(server).open(f"/{address}")
    for task in ("Word in context", "Sentiment of a review"):
        seen.page.get_by_role("combobox", name="Task").click()
        seen.page.get_by_role("option", name=task).click()
        seen.settle()
        assert seen.page.get_by_text("Parts of the link").count() == 0
    seen.page.reload()
    seen.page.locator("h1").first.wait_for()
    seen.settle()
    assert seen.page.get_by_text("Parts of the link").count() == 0
    assert "item" not in seen.page.url
    assert "conditions" not in seen.page.url
    seen.is_healthy()
