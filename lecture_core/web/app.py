"""The ASGI application: the Streamlit script, security headers, a health route, no cache wiping by visitors.

Serve it with `python -m lecture_core.web`, or with any ASGI server as `lecture_core.web.app:app`.
"""

import base64
import gc
import hashlib
import importlib
import re
import secrets
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import streamlit as st
from google.protobuf.message import DecodeError
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request, cookie_parser
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.pages_manager import PagesManager

from lecture_core.engine import get_engine
from lecture_core.errors import LectureError
from lecture_core.ui.memory import BROWSER_COOKIE

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "streamlit_app.py"


def _inline_scripts() -> str:
    """Return the CSP hashes of the scripts written inside Streamlit's own start page."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    digests = [
        hashlib.sha256(body.encode()).digest() for body in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    ]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


# Streamlit loads the script of a component from a blob: address and styles elements in place; nothing else is needed.
POLICY = {
    "default-src": "'self'",
    "script-src": f"'self' blob: {_inline_scripts()}",
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
WARM_AFTER = 0.5  # seconds; the landing page of a fresh server comes first
REFUSED = frozenset({"clear_cache", "set_run_on_save"})


def security_headers(app: ASGIApp) -> ASGIApp:
    """Add `HEADERS` to every response: no foreign images, scripts or frames, whatever a text contains."""
    added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def with_headers(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *added]
            await send(message)

        await app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    return with_headers


def number_browsers(app: ASGIApp) -> ASGIApp:
    """Give each browser a random number in a cookie, until it is closed, so that a reload is no second voter."""

    async def with_number(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_number(message: Message) -> None:
            if message["type"] == "http.response.start" and _needs_number(scope, message):
                cookie = f"{BROWSER_COOKIE}={secrets.token_hex(16)}; Path=/; HttpOnly; SameSite=Lax"
                message["headers"] = [*message.get("headers", []), (b"set-cookie", cookie.encode())]
            await send(message)

        await app(scope, receive, send_with_number if scope["type"] == "http" else send)

    return with_number


def _needs_number(scope: Scope, message: Message) -> bool:
    """Whether a response is a page, for a browser that has no number yet."""
    is_page = Headers(raw=message.get("headers", [])).get("content-type", "").startswith("text/html")
    return is_page and BROWSER_COOKIE not in cookie_parser(Headers(scope=scope).get("cookie", ""))


def refuse_operator_messages(app: ASGIApp) -> ASGIApp:
    """Drop the messages by which any visitor could empty the caches of all."""

    async def without_refused(scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_allowed() -> Message:
            message = await receive()
            while refused(message):
                message = await receive()
            return message

        await app(scope, receive_allowed if scope["type"] == "websocket" else receive, send)

    return without_refused


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


async def to_home(_request: Request) -> RedirectResponse:
    """Lead `/home` to the landing page, whose own address is `/`."""
    return RedirectResponse("/")


def warm() -> None:
    """Import the model libraries (about 5 s) and load the first lab's small model before a visitor asks for it.

    The libraries' half a million objects then leave Python's garbage collection: looking through them stops the pages
    of all visitors for 0.15 s.
    """
    time.sleep(WARM_AFTER)
    with suppress(LectureError):  # without weights the page itself says what to do
        get_engine().fill_mask("The first answer is [MASK].", model="minilm-mlm", top_k=1)
    importlib.import_module("plotly.graph_objects")
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Tell Streamlit that pages come from `st.navigation`, and warm up.

    Streamlit assumes the old `pages/` discovery until some session has run the script, and greets the first visitor of
    a deep link with "Page not found".
    """
    PagesManager.uses_pages_directory = False
    threading.Thread(target=warm, name="warm", daemon=True).start()
    yield


def create_app(script: Path) -> st.App:
    """Return the ASGI application that serves a Streamlit script with headers, health route and refusals."""
    return st.App(
        script,
        lifespan=lifespan,
        routes=[Route("/healthz", healthz), Route("/home", to_home)],
        middleware=[Middleware(security_headers), Middleware(number_browsers), Middleware(refuse_operator_messages)],
    )


if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

app = create_app(SCRIPT)
