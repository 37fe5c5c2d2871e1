"""A server of ours in its own process and a real Chromium in front of it."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from lecture_core.ui.components import script

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(f"{url}/healthz", timeout=2):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"no answer from {url} after {START_SECONDS} s:\n{log.read_text(encoding='utf-8')}")


@contextmanager
def serving(command: list[str], folder: Path) -> Iterator[str]:
    """Start a server of ours on a free port and yield its address."""
    port = _free_port()
    log = folder / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command, "--port", str(port)], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait(f"http://localhost:{port}", process, log)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(["-m", "lecture_core.web"], tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[str]:
    with serving(["-m", "lecture_core.web"], tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(["-m", "tests.e2e.gallery_server"], tmp_path_factory.mktemp("gallery")) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Visit:
    """A page in the browser and all that went wrong while it was open."""

    page: Page
    base: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(30_000)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._look)

    def _note(self, message: ConsoleMessage) -> None:
        # On a deep link Streamlit first asks for its server below the page's own address and is told 404.
        expected = "/_stcore/" in message.location.get("url", "") and "404" in message.text
        if message.type == "error" and not expected:
            self.errors.append(message.text)

    def _look(self, request: Request) -> None:
        if not request.url.startswith((self.base, self.base.replace("http", "ws", 1), "data:", "blob:")):
            self.foreign.append(request.url)

    def open(self, path: str, *, settle: float = 120.0) -> "Visit":
        """Open a path and wait until its script has run."""
        self.page.goto(f"{self.base}{path}")
        self.page.locator("h1").first.wait_for()
        self.settle(settle)
        return self

    def settle(self, seconds: float = 120.0) -> None:
        """Wait until no script runs and what it sent is drawn."""
        self.page.wait_for_timeout(300)
        idle = self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')
        idle.wait_for(state="attached", timeout=seconds * 1000)
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=seconds * 1000)
        self.page.wait_for_timeout(400)

    def is_healthy(self) -> None:
        """Assert that nothing failed, nothing was fetched from elsewhere and the page fits its width."""
        assert self.page.get_by_test_id("stException").count() == 0
        assert self.errors == []
        assert self.foreign == []
        assert not self.overflows()

    def overflows(self) -> bool:
        """Say whether the page can be scrolled sideways."""
        return bool(
            self.page.evaluate(
                "() => [document.documentElement, document.querySelector('[data-testid=stMain]')]"
                ".some(e => e.scrollWidth > e.clientWidth + 1)"
            )
        )

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page in the ignored folder `screenshots`."""
        SCREENSHOTS.mkdir(exist_ok=True)
        size = self.page.viewport_size
        height = self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        self.page.set_viewport_size({"width": size["width"], "height": max(800, min(int(height), 6000))})
        self.page.wait_for_timeout(500)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")
        self.page.set_viewport_size(size)


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Iterator[dict[tuple[int, str], BrowserContext]]:
    """Keep one browser profile for each screen and theme: Streamlit's scripts are fetched once, not once a test."""
    kept: dict[tuple[int, str], BrowserContext] = {}
    yield kept
    for context in kept.values():
        context.close()


@pytest.fixture
def visit(browser: Browser, contexts: dict[tuple[int, str], BrowserContext]):
    """Give a function that opens a new visitor: `visit(address, width=1280, scheme="light")`."""
    pages: list[Page] = []

    def new(base: str, *, width: int = 1280, scheme: str = "light") -> Visit:
        view = (width, scheme)
        if view not in contexts:
            contexts[view] = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        pages.append(contexts[view].new_page())
        return Visit(pages[-1], base)

    yield new
    for page in pages:
        page.close()


@pytest.fixture
def scripted(browser: Browser):
    """Give a function that mounts a component's script, without a server: `scripted(names)(data, width=700)`.

    It returns the page; `sent` there holds what the script reported.
    """
    pages: list[Page] = []
    errors: list[str] = []

    def load(*names: str):
        page = browser.new_page(viewport={"width": 900, "height": 800})
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content("<div id=host></div>")
        page.evaluate(
            """async (script) => {
                const address = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
                window.module = await import(address);
                window.sent = [];
                window.mount = (data, width) => {
                    const host = document.getElementById("host");
                    host.style.width = width + "px";
                    const setTriggerValue = (_, value) => window.sent.push(value);
                    window.module.default({data, parentElement: host, setTriggerValue});
                };
            }""",
            script(*names),
        )

        def mount(data: dict, width: int = 700) -> Page:
            page.evaluate("([data, width]) => window.mount(data, width)", [data, width])
            return page

        return mount

    yield load
    for page in pages:
        page.close()
    assert errors == []
