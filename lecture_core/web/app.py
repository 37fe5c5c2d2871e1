"""The ASGI application: the Streamlit script, security headers, a health route, no cache wiping by visitors.

Serve it with `python -m lecture_core.web`, or with any ASGI server as `lecture_core.web.app:app`.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from google.protobuf.message import DecodeError
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.pages_manager import PagesManager

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "streamlit_app.py"

# Streamlit loads the script of a component from a blob: address and styles elements in place; nothing else is needed.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' blob:",
    "worker-src": "'self' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
HEADERS = {
    "content-security-policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
REFUSED = frozenset({"clear_cache", "set_run_on_save"})


class SecurityHeaders:
    """Add `HEADERS` to every response: no foreign images, scripts or frames, whatever a text contains."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; add the headers where its response starts."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = message | {"headers": [*message.get("headers", []), *headers]}
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class RefuseOperatorMessages:
    """Drop the messages by which any visitor could empty the caches of all."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on, without the refused messages."""

        async def receive_allowed() -> Message:
            while True:
                message = await receive()
                if not refused(message):
                    return message

        await self.app(scope, receive_allowed if scope["type"] == "websocket" else receive, send)


def refused(message: Message) -> bool:
    """Say whether a message from the browser is one of `REFUSED`; what cannot be read is left to Streamlit."""
    if message["type"] != "websocket.receive" or not message.get("bytes"):
        return False
    try:
        return BackMsg.FromString(message["bytes"]).WhichOneof("type") in REFUSED
    except DecodeError:
        return False


async def healthz(_request: Request) -> JSONResponse:
    """Answer that the process serves; loads nothing."""
    return JSONResponse({"status": "ok"})


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Tell Streamlit that pages come from `st.navigation`.

    It assumes the old `pages/` discovery until some session has run the script, and greets the first visitor of a
    deep link with "Page not found".
    """
    PagesManager.uses_pages_directory = False
    yield


if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

app = st.App(
    SCRIPT,
    lifespan=lifespan,
    routes=[Route("/healthz", healthz)],
    middleware=[Middleware(SecurityHeaders), Middleware(RefuseOperatorMessages)],
)
