"""The page on next tokens for one student, in a real browser: a slider's redraw, and the stream of a continuation.

`python -m benchmarks.next_token` starts the app on a free port and drives Chromium; one line of JSON last. The redraw:
from the pressed arrow key on the temperature to the painted bars, answered from stored logits. The first token: from
the Enter key after a new seed to painted text. `engine_tokens_per_second` is one stream of the engine before the
browser starts, as for a student whose browser runs elsewhere; `tokens_per_second` is what the page says under a text
while Chromium draws on the same cores, `page_tokens_per_second` counts all three texts to the last note.
"""

import json
import os
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from lecture_core.engine import get_engine
from lecture_core.ui.samples import SLIDE_PROMPT
from tests.e2e.conftest import FLAGS, serving

MOVES, WARM_UP = 40, 6
STEPS = 3  # of the temperature from 1.0 to its lowest
ROUNDS, FIRST_SEED, SEEDS = 5, 1000, 3
TOKENS = 60
_WATCH = """find => {
  const show = eval(find);
  let seen = show();
  window.pressed = 0; window.changed = 0;
  document.addEventListener('keydown', () => { window.pressed = performance.now(); seen = show(); }, true);
  const look = () => {
    const now = show();
    if (now !== seen && now !== null) { seen = now; window.changed = performance.now(); }
    requestAnimationFrame(look);
  };
  look();
}"""
_BARS = """() => {
  const inside = root => root.querySelector('.bars') ??
    [...root.querySelectorAll('*')].filter(n => n.shadowRoot).map(n => inside(n.shadowRoot)).find(Boolean);
  return inside(document)?.textContent ?? null;
}"""
_REDRAWN = "() => window.changed > window.pressed && performance.now() - window.changed > 150"
_WRITING = """() => {
  const text = document.querySelector('[data-testid=stHtml] pre')?.textContent ?? '';
  return text.includes('▍') && text.length > 1 ? 'writing' : null;
}"""
_NOTES = """() => [...document.querySelectorAll('[data-testid=stHtml] pre + div')].map(n => n.textContent)"""
_DONE = f"n => ({_NOTES})().filter(t => /tokens\\/s/.test(t)).length >= n"


def redraws(page: Page, url: str) -> list[float]:
    """Return the milliseconds from each press of an arrow key on the temperature to the painted bars."""
    page.goto(f"{url}/next_token")
    page.get_by_role("button", name="append").first.wait_for(timeout=120_000)
    page.wait_for_timeout(2000)
    page.evaluate(_WATCH, _BARS)
    thumb = page.locator(".st-key-next_token_temperature [role=slider], .st-key-next_token_temperature input").first
    waits = []
    for move in range(WARM_UP + MOVES):
        thumb.focus()
        thumb.press("ArrowLeft" if move % (2 * STEPS) < STEPS else "ArrowRight")
        page.wait_for_function(_REDRAWN, timeout=20_000, polling=50)
        waits.append(float(page.evaluate("() => window.changed - window.pressed")))
    return waits[WARM_UP:]


def stream(page: Page, seed: int) -> tuple[float, list[float], float]:
    """Write three texts with new seeds: seconds to the first token, the notes' tokens/s, tokens/s in the browser."""
    field = page.locator(".st-key-next_token_write_seed input")
    field.fill(str(seed))
    page.evaluate("() => { window.first = 0; }")
    field.press("Enter")
    page.wait_for_function("() => window.changed > window.pressed", timeout=60_000, polling=20)
    first = float(page.evaluate("() => window.changed"))
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stHtml] pre')?.textContent.includes('▍') === false"
    )
    page.wait_for_function(_DONE, arg=SEEDS, timeout=120_000, polling=100)
    ended, pressed = (float(page.evaluate(f"() => {what}")) for what in ("performance.now()", "window.pressed"))
    notes = page.evaluate(_NOTES)
    tokens = sum(int(re.findall(r"(\d+) tokens,", note)[0]) for note in notes)
    speeds = [float(re.findall(r"([\d.]+) tokens/s", note)[0]) for note in notes]
    return (first - pressed) / 1e3, speeds, (tokens - 1) / (ended - first) * 1e3


def streams(page: Page, url: str) -> list[tuple[float, list[float], float]]:
    """Return what each round measured; no seed is asked twice."""
    page.goto(f"{url}/next_token?next_token_view=Let+it+write&next_token_length={TOKENS}")
    page.wait_for_function(_DONE, arg=SEEDS, timeout=180_000, polling=100)
    page.wait_for_timeout(1000)
    page.evaluate(_WATCH, _WRITING)
    rounds = []
    for number in range(ROUNDS):
        rounds.append(stream(page, FIRST_SEED + SEEDS * number))
        page.wait_for_timeout(500)
    return rounds


def engine_speed() -> float:
    """Return the median tokens/s of streams of the engine, from the request to the last token."""
    speeds = []
    for seed in range(ROUNDS + 1):
        started = time.perf_counter()
        *_, last = get_engine().generate(
            SLIDE_PROMPT, model="smollm2-135m-instruct", max_new_tokens=TOKENS, temperature=0.9, seed=seed
        )
        speeds.append(last.tokens / (time.perf_counter() - started))
    return statistics.median(speeds[1:])  # the first starts llama.cpp


def spread(values: Sequence[float], digits: int) -> list[float]:
    """Lowest and highest, for the record."""
    return [round(min(values), digits), round(max(values), digits)]


def main() -> None:
    """Measure both in one browser and report medians and spread."""
    load, alone = os.getloadavg()[0], engine_speed()
    print(f"engine alone: {alone:.0f} tokens/s")
    with serving(["-m", "lecture_core.web"], Path(tempfile.mkdtemp())) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        waits = redraws(page, url)
        print(f"temperature: median {statistics.median(waits):.0f} ms over {len(waits)} moves")
        rounds = streams(page, url)
        browser.close()
    for seconds, speeds, in_page in rounds:
        print(f"first token {seconds:.2f} s; {statistics.median(speeds):.0f} tokens/s, {in_page:.0f} in the browser")
    firsts, notes, pages = zip(*rounds, strict=True)
    speeds = [speed for note in notes for speed in note]
    result = {
        "benchmark": "next_token",
        "cores": os.cpu_count(),
        "load_before": round(load, 1),
        "moves": len(waits),
        "redraw_median_ms": round(statistics.median(waits)),
        "redraw_p95_ms": round(statistics.quantiles(waits, n=20)[-1]),
        "redraw_spread_ms": spread(waits, 0),
        "rounds": len(rounds),
        "first_token_median_seconds": round(statistics.median(firsts), 3),
        "first_token_spread": spread(firsts, 3),
        "engine_tokens_per_second": round(alone, 1),
        "tokens_per_second": round(statistics.median(speeds), 1),
        "tokens_per_second_spread": spread(speeds, 1),
        "page_tokens_per_second": round(statistics.median(pages), 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
