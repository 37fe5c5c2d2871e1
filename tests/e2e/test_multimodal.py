"""The multi-modal page under a real hand: the answer beside the board on a phone, a sample picture covered."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e


def test_on_a_phone_the_answer_stands_beside_the_board(server, visit):
    seen = visit(server, width=390).open("/multimodal?multimodal_covered=B3")
    board = seen.page.locator(".board").first.bounding_box()
    line = seen.page.get_by_text("as you covered it").first.bounding_box()
    below = line["y"] - board["y"] - board["height"]
    assert 0 < below < 150  # both fit one screen
    expect(seen.page.get_by_text("Cell B3 matters most")).to_have_count(1)
    seen.is_healthy()


def test_a_sample_picture_is_covered_by_hand(server, visit):
    seen = visit(server).open("/multimodal?multimodal_sample=Apple&multimodal_photo_rests=true")
    board = seen.page.locator(".board.photo")
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    assert box["width"] / box["height"] == pytest.approx(256 / 192, rel=0.02)
    seen.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
    seen.page.mouse.up()
    expect(board.locator(".hatch")).to_have_count(2)
    expect(seen.page.get_by_text("as you covered it")).to_have_count(1)
    picture = seen.page.get_by_role("img", name="The picture with cell").bounding_box()
    heat = seen.page.locator(".js-plotly-plot").last.bounding_box()
    assert picture["x"] + picture["width"] <= heat["x"]  # side by side, nothing lies over the other
    seen.is_healthy()


def test_one_bad_link_is_one_sentence(server, visit):
    seen = visit(server).open("/multimodal?multimodal_scene=nonsense")
    expect(seen.page.get_by_test_id("stAlertContentError")).to_have_count(1)
    seen.is_healthy()
