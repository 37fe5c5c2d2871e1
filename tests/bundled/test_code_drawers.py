"""What a student copies from the code drawer prints what the page shows."""

import subprocess
import sys
from pathlib import Path

import pytest

from lecture_core import catalog
from lecture_core.encoder_code import detection_code, fill_mask_code
from lecture_core.engine import get_engine

pytestmark = pytest.mark.bundled
ROOT = Path(__file__).parents[2]


def output(code):
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_masked_lm_code_prints_the_candidates_of_the_page():
    text = "She went to the [MASK] to see the doctor."
    mask = get_engine().fill_mask(text, model="minilm-mlm", top_k=6).masks[0]
    shown = [(c.token, round(mask.probability(c, 2.0), 3)) for c in mask.candidates]
    assert output(fill_mask_code(catalog.get("minilm-mlm"), text, 2.0)).strip() == str(shown)


def test_detection_code_prints_the_probabilities_of_the_page():
    model, text = "minilm-electra-discriminator", "the chef banana the meal"
    shown = [f"{t.probability:.2f}" for t in get_engine().detect_replacements(text, model=model).tokens]
    assert [line.split()[-1] for line in output(detection_code(catalog.get(model), text)).splitlines()] == shown
