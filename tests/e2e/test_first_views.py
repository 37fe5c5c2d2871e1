"""A fresh server answers at once with what was recorded, and with the live result as soon as its model is there."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import serving

pytestmark = [pytest.mark.e2e, pytest.mark.bundled]
RECORDED = "lecture_core.ui.first_views"


@pytest.fixture
def cold_server(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTURE_FIRST_VIEWS", "on")
    with serving(["-m", "lecture_core.web"], tmp_path) as url:
        yield url


def test_a_cold_page_shows_the_recorded_result_and_then_the_live_one(cold_server, visit):
    seen = visit(cold_server).open("/chain_of_thought")
    expect(seen.page.get_by_text(RECORDED).first).to_be_visible(timeout=15_000)
    expect(seen.page.get_by_text(RECORDED)).to_have_count(0, timeout=120_000)
    expect(seen.page.get_by_text("● live").first).to_be_visible(timeout=60_000)
    seen.is_healthy()
