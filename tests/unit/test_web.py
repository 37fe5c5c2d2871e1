"""The server refuses what no visitor may do and forbids what no page needs."""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from lecture_core.web.app import HEADERS, refused


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
