"""How long a student waits at a fresh server with a cold browser: healthy, landing page, first result, next, later.

`python -m benchmarks.startup` starts the server and a Chromium without profile; one line of JSON last, in seconds.
The next result is asked for at once, while the model is still being loaded; the later one after that. Pages that need
no model are opened from the menu: from the click until the server has sent all of it, until the title of each stands,
and until nothing changes any more. What a table writes into its canvas for screen readers, 0.2 s after it is drawn, is
not seen and does not count.
"""

import json
import re
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from lecture_core import outline
from tests.e2e.conftest import FLAGS, serving

ROUNDS = 3
PAGES = ("tables", "models", "chinchilla", "scaling_bench", "open_weight_models")
STILL = """() => new Promise(done => {
  let last = performance.now()
  const seen = change => change.target.nodeName !== 'CANVAS'
  const watch = new MutationObserver(changes => { if (changes.some(seen)) last = performance.now() })
  watch.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true})
  const look = () => performance.now() - last > 500 ? (watch.disconnect(), done(last)) : setTimeout(look, 20)
  look()
})"""


def one_round() -> dict[str, float]:
    """Return the seconds of one fresh server and browser."""
    started = time.perf_counter()
    with serving(["-m", "lecture_core.web"], Path(tempfile.mkdtemp())) as url, sync_playwright() as playwright:
        seconds = {"healthy": time.perf_counter() - started}
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        sent = [0.0]
        page.on("websocket", lambda socket: socket.on("framereceived", lambda _: sent.append(time.time())))
        begun = time.perf_counter()
        page.goto(url)
        page.get_by_text("What runs here").wait_for()
        seconds["landing"] = time.perf_counter() - begun
        begun = time.perf_counter()
        page.goto(f"{url}/masked_lm")
        page.get_by_text("Mask 1 of 5").wait_for(timeout=60_000)
        page.get_by_text("minilm-mlm · rev").first.wait_for()
        seconds["first_result"] = time.perf_counter() - begun
        begun = time.perf_counter()
        page.get_by_text("At the doctor's").click()
        page.get_by_text("Mask 1 of 1").wait_for()
        seconds["next_result"] = time.perf_counter() - begun
        page.get_by_text(re.compile(r"\blive$")).first.wait_for()
        begun = time.perf_counter()
        page.get_by_text("Capital", exact=True).click()
        page.get_by_text("capital", exact=True).first.wait_for()
        seconds["later_result"] = time.perf_counter() - begun
        seconds |= later_pages(page, sent)
        browser.close()
    return seconds


def later_pages(page: Page, sent: list[float]) -> dict[str, float]:
    """Median and slowest wait for what the server sends of a page, for its title, and for all of it to be drawn.

    Every page is opened once before.

    Args:
        sent: when each message of the server came, in seconds of the wall clock, which the browser has too.
    """
    served, title, whole = [], [], []
    page.evaluate("addEventListener('click', event => { window.clicked = event.timeStamp }, true)")
    for number, stem in enumerate(PAGES * 3):
        link = page.locator(f'[data-testid="stSidebarNavLink"][href$="/{stem}"]')
        heading = page.get_by_role("heading", name=outline.page(stem).title, exact=True, level=1)
        link.click()
        heading.wait_for()
        seen = page.evaluate("performance.now()")
        still, clicked, zero = page.evaluate(STILL), page.evaluate("clicked"), page.evaluate("performance.timeOrigin")
        if number >= len(PAGES):
            served.append(sent[-1] - (zero + clicked) / 1000)
            title.append((seen - clicked) / 1000)
            whole.append((still - clicked) / 1000)
    return {
        "page_served": statistics.median(served),
        "slowest_page_served": max(served),
        "page_title": statistics.median(title),
        "slowest_page_title": max(title),
        "whole_page": statistics.median(whole),
        "slowest_whole_page": max(whole),
    }


def main() -> None:
    """Report the median of each wait."""
    rounds = [one_round() for _ in range(ROUNDS)]
    for seconds in rounds:
        print(" ".join(f"{name} {value:.2f} s" for name, value in seconds.items()))
    medians = {f"{name}_seconds": round(statistics.median(r[name] for r in rounds), 2) for name in rounds[0]}
    print(json.dumps({"benchmark": "startup", "rounds": ROUNDS} | medians))


if __name__ == "__main__":
    main()
