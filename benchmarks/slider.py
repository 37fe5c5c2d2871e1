"""How long a slider of the scaling labs takes to redraw its chart, in a real browser: key pressed to chart painted.

`python -m benchmarks.slider` starts the app on a free port and drives Chromium; one line of JSON last, in seconds.
"""

import json
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e.conftest import FLAGS, serving

MOVES, WARM_UP = 40, 5
SLIDERS = {"parameters": "Parameters N", "compute": "Compute budget C, FLOPs"}
CONSTANTS = {"E": "E: loss", "B": "B: weight", "alpha": "α: how fast"}
VIEWS = {
    "loss_by_size": ("chinchilla?chinchilla_view=Loss+by+size", SLIDERS),
    "size_and_data": ("chinchilla?chinchilla_view=Size+and+data", SLIDERS),
    "own_runs": ("scaling_bench", CONSTANTS),
    "serving": ("open_weight_models", {"quality": "As good as", "served": "Tokens served"}),
}
"""Address of each view and its sliders' labels."""
_WATCH = """() => {
  window.pressed = 0; window.changed = 0;
  document.addEventListener('keydown', () => { window.pressed = performance.now(); window.changed = 0; }, true);
  const chart = [...document.querySelectorAll('*')].map(n => n.shadowRoot?.querySelector('.quick')).find(Boolean);
  new MutationObserver(() => requestAnimationFrame(() => { window.changed = performance.now(); }))
    .observe(chart, {subtree: true, childList: true, attributes: true});
}"""
_QUIET = "() => window.changed > window.pressed && performance.now() - window.changed > 200"
"""Nothing more was drawn for 0.2 s: what came last ended the redraw."""


def moves(page: Page, slider: str) -> list[float]:
    """Return the seconds from each press of an arrow key on a slider to the painted chart."""
    thumb = page.get_by_test_id("stSlider").filter(has_text=slider).locator("input[type=range]")
    waits = []
    for move in range(WARM_UP + MOVES):
        thumb.focus()
        thumb.press("ArrowLeft" if move % 20 < 10 else "ArrowRight")
        page.wait_for_function(_QUIET, timeout=20_000, polling=50)
        waits.append(float(page.evaluate("() => window.changed - window.pressed")) / 1e3)
    return waits[WARM_UP:]


def p95(seconds: list[float]) -> float:
    """Return the wait that one move in twenty exceeds."""
    return statistics.quantiles(seconds, n=20)[-1]


def main() -> None:
    """Move each slider in each view and report median and 95th percentile."""
    measured: dict[str, list[float]] = {}
    with serving(["-m", "lecture_core.web"], Path(tempfile.mkdtemp())) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        for view, (address, sliders) in VIEWS.items():
            page.goto(f"{url}/{address}")
            page.locator(".quick .line").first.wait_for(state="attached", timeout=60_000)
            page.wait_for_timeout(8000)  # the libraries are imported in the background
            page.evaluate(_WATCH)
            for name, label in sliders.items():
                measured[f"{view}_{name}"] = waits = moves(page, label)
                print(f"{view}, {name}: median {statistics.median(waits):.3f} s, p95 {p95(waits):.3f} s")
        browser.close()
    every = [wait for waits in measured.values() for wait in waits]
    result = {"benchmark": "slider", "moves": len(every)}
    result |= {f"{name}_p95_seconds": round(p95(waits), 3) for name, waits in measured.items()}
    result |= {"median_seconds": round(statistics.median(every), 3), "p95_seconds": round(p95(every), 3)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
