"""How long the pre-training pages take to react where no model runs: hand moved to page redrawn, in a real browser.

`python -m benchmarks.reaction` starts the app on a free port and drives Chromium; one line of JSON last, in seconds.
A reaction ends with the last change of what can be read, before 0.25 s without any.
"""

import json
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.slider import p95
from tests.e2e.conftest import FLAGS, serving

MOVES, WARM_UP = 24, 4
_WATCH = """() => {
  const read = (node) => [...node.querySelectorAll('*')].map((e) =>
    (e.shadowRoot ? read(e.shadowRoot) : '') + (e.classList.contains('lit') ? 'lit' : '')
    + (e.children.length ? '' : e.textContent) + (e.style?.width ?? '')).join('|');
  window.moved = window.changed = performance.now();
  const begin = () => { window.moved = performance.now(); window.changed = 0; };
  for (const kind of ['keydown', 'pointerdown', 'pointermove']) document.addEventListener(kind, begin, true);
  let before = '';
  const look = () => {
    const now = read(document.querySelector('[data-testid=stMain]'));
    if (now !== before) { before = now; window.changed = performance.now(); }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
_QUIET = "() => window.changed > window.moved && performance.now() - window.changed > 250"

_STILL = "() => performance.now() - window.changed > 4000"


def waits(page: Page, move: Callable[[int], None]) -> list[float]:
    """Return the seconds from each move of the hand to the last change it made."""
    found = []
    for number in range(WARM_UP + MOVES):
        move(number)
        page.wait_for_function(_QUIET, timeout=20_000, polling=50)
        found.append(float(page.evaluate("() => window.changed - window.moved")) / 1e3)
    return found[WARM_UP:]


def opened(page: Page, address: str, sign: str) -> None:
    """Open a page, wait for its result, and begin to watch."""
    page.goto(address)
    page.locator(sign).first.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    page.evaluate(_WATCH)
    page.wait_for_function(_STILL, timeout=120_000, polling=200)  # recorded first views have become live ones


def temperature(page: Page, url: str) -> list[float]:
    """Move the temperature of the masked LM: stored logits are drawn again."""
    opened(page, f"{url}/masked_lm", ".bars .row")
    thumb = page.get_by_test_id("stSlider").first.get_by_role("slider")

    def move(number: int) -> None:
        thumb.focus()
        thumb.press("ArrowLeft" if number % 4 < 2 else "ArrowRight")

    return waits(page, move)


def another_mask(page: Page, url: str) -> list[float]:
    """Click one mask after the other: its stored candidates are drawn."""
    opened(page, f"{url}/masked_lm", ".bars .row")
    return waits(page, lambda _: page.locator(".strip").first.locator(".chip.masked").first.click())


def hover(page: Page, url: str) -> list[float]:
    """Move over the tokens of one form of pre-training: the same words light up in all three."""
    opened(page, f"{url}/three_objectives", ".strip .chip")
    chips = page.locator(".strip").first.locator(".chip")
    return waits(page, lambda number: chips.nth(1 + number % 5).hover())


MEASURED = {"temperature": temperature, "another_mask": another_mask, "hover": hover}


def main() -> None:
    """Measure each kind of move and report median and 95th percentile."""
    found = {}
    with serving(["-m", "lecture_core.web"], Path(tempfile.mkdtemp())) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        for name, measure in MEASURED.items():
            found[name] = measure(page, url)
            print(f"{name}: median {statistics.median(found[name]):.3f} s, p95 {p95(found[name]):.3f} s")
        browser.close()
    result: dict[str, object] = {"benchmark": "reaction", "moves": sum(map(len, found.values()))}
    result |= {f"{name}_median_seconds": round(statistics.median(each), 3) for name, each in found.items()}
    result |= {f"{name}_p95_seconds": round(p95(each), 3) for name, each in found.items()}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
