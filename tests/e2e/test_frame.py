"""Every page opens for a first visitor, in both themes, on a projector and a phone, without an error or a call out."""

from urllib.parse import quote
from urllib.request import urlopen

import pytest

from lecture_core.outline import PAGES
from lecture_core.text_input import MAX_PROMPT_CHARACTERS
from lecture_core.ui.memory import BROWSER_COOKIE

pytestmark = pytest.mark.e2e

SCHEMES = [("light", "dark"), ("dark", "light")]
# Every page on a wide and on a narrow screen, one light and one dark, the other way round on the next page.
VIEWS = [
    (row, width, scheme)
    for i, row in enumerate(PAGES)
    for width, scheme in zip((1280, 390), SCHEMES[i % 2], strict=True)
]


def _address(row):
    return "/" if row.stem == "home" else f"/{row.stem}"


def test_first_visitor_of_a_fresh_server_may_use_a_deep_link(fresh_server, visit):
    first = visit(fresh_server).open("/masked_lm")
    first.page.get_by_role("heading", name="Masked language model", level=1).wait_for()
    assert first.page.get_by_role("dialog").count() == 0
    assert first.page.get_by_text("Page not found").count() == 0
    assert first.page.get_by_test_id("stSidebarNav").count() == 1
    assert first.page.title() == "Masked language model"


@pytest.mark.parametrize(("row", "width", "scheme"), VIEWS, ids=lambda value: getattr(value, "stem", value))
def test_page_opens_without_errors(server, visit, row, width, scheme):
    seen = visit(server, width=width, scheme=scheme).open(_address(row))
    seen.keep(f"{row.stem}_{width}_{scheme}")
    assert seen.page.locator("h1").first.inner_text() == row.title
    assert seen.page.get_by_test_id("stException").count() == 0
    assert seen.page.get_by_role("dialog").count() == 0
    assert not seen.overflows()
    assert seen.errors == []
    assert seen.foreign == []


def test_a_view_with_the_longest_text_can_be_reloaded(server):
    text = quote("🦄" * MAX_PROMPT_CHARACTERS)
    with urlopen(f"{server}/chain_of_thought?chain_of_thought_question={text}", timeout=30) as answer:
        assert answer.status == 200


def test_landing_page_loads_no_chart_library(server, visit):
    seen = visit(server)
    scripts: list[str] = []
    seen.page.on("request", lambda request: scripts.append(request.url.rsplit("/", 1)[-1]))
    seen.open("/")
    assert not [name for name in scripts if "plotly" in name.lower()]


def test_every_card_of_the_map_leads_to_its_page(server, visit):
    seen = visit(server)
    for row in PAGES:
        if row.stem != "home":
            seen.open("/")
            seen.page.get_by_test_id("stMain").get_by_role("link", name=row.title).click()
            seen.page.get_by_role("heading", name=row.title, level=1).wait_for()
            assert seen.page.url.split("?")[0] == f"{seen.base}/{row.stem}"


def test_the_theme_can_be_chosen(server, visit):
    seen = visit(server).open("/")
    seen.page.get_by_test_id("stMainMenu").click()
    seen.page.get_by_text("Settings").or_(seen.page.get_by_text("Dark")).first.wait_for()


def test_a_reload_keeps_the_number_of_a_browser_and_another_browser_has_its_own(browser, server):
    def number(context):
        return next(c["value"] for c in context.cookies() if c["name"] == BROWSER_COOKIE)

    seen = []
    for _ in range(2):
        context = browser.new_context()
        page = context.new_page()
        page.goto(server)
        seen.append(number(context))
        page.reload()
        assert number(context) == seen[-1]
        context.close()
    assert seen[0] != seen[1]
