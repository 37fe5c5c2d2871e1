"""The server refuses what no visitor may do and forbids what no page needs."""

import pytest
from starlette.responses import HTMLResponse, JSONResponse
from starlette.testclient import TestClient
from streamlit.proto.BackMsg_pb2 import BackMsg

from lecture_core.ui.memory import BROWSER_COOKIE
from lecture_core.web.app import HEADERS, number_browsers, refused


def _message(**fields):
    return {"type": "websocket.receive", "bytes": BackMsg(**fields).SerializeToString()}


@pytest.mark.parametrize("field", ["clear_cache", "set_run_on_save"])
def test_operator_messages_are_refused(field):
    assert refused(_message(**{field: True}))


@pytest.mark.parametrize(
    "message",
    [
        _message(stop_script=True),
        {"type": "websocket.receive", "bytes": b"\xff\xff not a message"},
        {"type": "websocket.receive", "text": "hello"},
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 1000},
    ],
)
def test_other_messages_pass(message):
    assert not refused(message)


def test_policy_allows_no_foreign_image_and_no_inline_script():
    policy = dict(part.split(" ", 1) for part in HEADERS["content-security-policy"].split("; "))
    assert policy["img-src"] == "'self' data: blob:"
    assert "unsafe-inline" not in policy["script-src"]
    assert "http" not in HEADERS["content-security-policy"]


def _numbers(cookies):
    """The number in each answer of a page that is asked for with these cookies."""

    async def start_page(scope, receive, send):
        return await HTMLResponse("<p>page</p>")(scope, receive, send)

    client = TestClient(number_browsers(start_page))
    return [client.get("/", headers={"cookie": cookie}).cookies.get(BROWSER_COOKIE) for cookie in cookies]


def test_a_browser_gets_one_number_and_keeps_it():
    first, second, kept = _numbers(["", "other=1", f"{BROWSER_COOKIE}=abc"])
    assert first
    assert second
    assert first != second
    assert kept is None


def test_only_pages_bring_a_number():
    async def health(scope, receive, send):
        return await JSONResponse({})(scope, receive, send)

    assert "set-cookie" not in TestClient(number_browsers(health)).get("/healthz").headers
