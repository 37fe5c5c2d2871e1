"""What a student copies from the code drawer prints what the page shows."""

import subprocess
import sys
from pathlib import Path

import pytest

from lecture_core import catalog, duel
from lecture_core.contrast import differences
from lecture_core.encoder_code import detection_code, duel_code, fill_mask_code
from lecture_core.engine import get_engine
from lecture_core.masking_rate import RATES, left_at
from lecture_core.panel_code import contrast_code, in_order_code, recipe_code, sizes_code, strength_code, surprise_code
from lecture_core.t5_sizes import SIZES, parameters

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


def test_contrast_code_prints_the_words_that_the_page_names():
    pair = ("The nurse said that [MASK] was tired.", "The engineer said that [MASK] was tired.")
    first, second = (get_engine().vocabulary_at_mask(text, model="minilm-mlm") for text in pair)
    named = differences(first, second)
    printed = output(contrast_code(catalog.get("minilm-mlm"), *pair)).splitlines()
    assert f"'{named[0].word}'" in printed[0]
    assert f"'{named[8].word}'" in printed[1]


def test_surprise_code_prints_the_sum_of_the_page():
    text = "The cat sat on the moon."
    shown = get_engine().masked_logprobs(text, model="minilm-mlm", in_turn=True)
    printed = output(surprise_code(catalog.get("minilm-mlm"), text)).splitlines()
    assert len(printed) == len(shown.tokens) + 1
    assert printed[-1] == f"pseudo-log-likelihood {sum(t.logprob for t in shown.tokens):.1f} nats"


def test_in_order_code_prints_the_words_of_both_ways():
    text = "He deposited the [MASK] in the [MASK]."
    engine = get_engine()
    at_once = [m.candidates[0].token for m in engine.fill_mask(text, model="minilm-mlm").masks]
    second = engine.fill_mask(text.replace("[MASK]", at_once[0], 1), model="minilm-mlm").masks[0].candidates[0].token
    printed = output(in_order_code(catalog.get("minilm-mlm"), text)).splitlines()
    assert printed == [f"all at once {at_once}", f"left to right {[at_once[0], second]}"]


def test_sizes_code_counts_what_the_page_counts():
    printed = output(sizes_code(SIZES)).splitlines()
    assert [line.split(" parameters")[0] for line in printed] == [f"{s.name} {parameters(s):,}" for s in SIZES]


def test_recipe_code_finds_what_the_page_finds():
    text, draws = " ".join(duel.sentences()[:4]), 5
    shown = left_at(get_engine(), text, model="minilm-mlm", seeds=range(draws))
    printed = output(recipe_code(catalog.get("minilm-mlm"), text, RATES, draws=draws, seed=0)).splitlines()
    losses = [float(line.split()[-2]) for line in printed]
    assert losses == sorted(losses)
    assert losses == pytest.approx([row.nats for row in shown], rel=0.35)  # other draws of the same kind


def test_strength_code_shows_what_the_panel_shows():
    specs = (catalog.get("minilm-electra-generator"), catalog.get("minilm-electra-discriminator"))
    texts = tuple(duel.sentences())
    code = strength_code(*specs, texts, share=0.3, seed=7, temperatures=(0.5, 2.0))
    cold, hot = output(code).splitlines()
    rows = [
        duel.strength(
            get_engine(), texts, generator=specs[0].id, discriminator=specs[1].id, temperature=t, share=0.3, seed=7
        )
        for t in (0.5, 2.0)
    ]
    for line, row in zip((cold, hot), rows, strict=True):
        assert float(line.split(":")[1].split("%")[0]) / 100 == pytest.approx(row.replaced, abs=0.1)
        assert float(line.split("is ")[-1].split()[0]) == pytest.approx(row.loss, abs=0.15)


def test_duel_code_prints_the_samples_and_the_verdict_of_the_page():
    specs = (catalog.get("minilm-electra-generator"), catalog.get("minilm-electra-discriminator"))
    corruption = get_engine().corrupt(
        duel.sentences()[0], model=specs[0].id, mask_probability=0.3, seed=3, temperature=1.5
    )
    verdict = get_engine().detect_replacements(corruption, model=specs[1].id)
    lines = output(duel_code(*specs, corruption, 1.5)).splitlines()
    assert [float(line[12:].split()[0]) for line in lines] == [round(t.probability, 2) for t in verdict.tokens]
    sampled = [float(line.split()[-1]) for line in lines if "sampled with" in line]
    expected = [token.probability for token in corruption.tokens if token.masked]
    assert sampled == pytest.approx(expected, abs=6e-4)
