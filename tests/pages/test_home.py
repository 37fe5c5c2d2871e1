"""The landing page is a map of every page and needs no model, no torch and no chart."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core.model_cards import cards
from lecture_core.outline import PAGES
from lecture_core.quantities import megabytes

ROOT = Path(__file__).parents[2]
# Streamlit imports plotly by itself where it is installed; what must not be drawn is a chart of ours.
FRESH = """
import json, sys
from streamlit.testing.v1 import AppTest
at = AppTest.from_file(sys.argv[1], default_timeout=30).run()
heavy = [name for name in ("torch", "transformers", "xllamacpp", "lecture_core.figures") if name in sys.modules]
print(json.dumps({"exceptions": [e.value for e in at.exception], "title": at.title[0].value, "heavy": heavy}))
"""


@pytest.fixture(scope="module")
def home():
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30).run()


def test_home_draws_without_exception(home):
    assert not home.exception
    assert home.title[0].value == "Lecture Lab"


@pytest.mark.parametrize("row", [row for row in PAGES if row.stem != "home"], ids=lambda row: row.stem)
def test_every_page_is_on_the_map(home, row):
    links = [element.proto for element in home.main.children.values() for element in _all(element)]
    assert any(row.title in link.label for link in links)
    assert any(row.promise == markdown.value for markdown in home.markdown)


def _all(element):
    if getattr(element, "type", "") == "page_link":
        yield element
    for child in getattr(element, "children", {}).values():
        yield from _all(child)


def test_memory_is_the_same_as_on_the_cards(home):
    shown = " ".join(markdown.value for markdown in home.markdown)
    here = [card for card in cards() if card.availability.usable]
    assert here
    assert all(f"{megabytes(card.float32_bytes)} of memory in float32" in shown for card in here)


def test_sidebar_names_the_device(home):
    assert any("Runs on" in markdown.value for markdown in home.sidebar.markdown)


def test_a_fresh_process_draws_home_without_torch_or_charts():
    command = [sys.executable, "-W", "ignore", "-c", FRESH, str(ROOT / "streamlit_app.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {"exceptions": [], "title": "Lecture Lab", "heavy": []}
