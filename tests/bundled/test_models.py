"""The shipped models do what the lecture says they do."""

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoModelForPreTraining, AutoModelForSeq2SeqLM, AutoTokenizer

from lecture_core import catalog, loading
from lecture_core.engine import get_engine
from lecture_core.model_quality import evaluation

pytestmark = pytest.mark.bundled
LOADERS = {
    "masked_lm": AutoModelForMaskedLM,
    "rtd_generator": AutoModelForMaskedLM,
    "rtd_discriminator": AutoModelForPreTraining,
    "seq2seq": AutoModelForSeq2SeqLM,
}
BUNDLED = [spec.id for spec in catalog.models() if spec.origin == "bundled" and spec.role in LOADERS]
SLIDE = ("2014 06 01", "2007 12 13", "2010 09 23")
DATES = "".join(f"Input: {y}-{m}-{d}\nOutput: !{m}!{d}!{y}!\n" for y, m, d in map(str.split, SLIDE))


@pytest.fixture(scope="module")
def engine():
    return get_engine()


def test_hospital_comes_first(engine):
    result = engine.fill_mask("She went to the [MASK] to see the doctor.", model="minilm-mlm", top_k=5)
    assert result.masks[0].candidates[0].token == "hospital"


def test_paris_is_among_the_first_three(engine):
    result = engine.fill_mask("The capital of France is [MASK].", model="minilm-mlm", top_k=3)
    assert "paris" in [c.token for c in result.masks[0].candidates]


def test_the_odd_word_gets_the_highest_probability(engine):
    tokens = engine.detect_replacements("the chef banana the meal", model="minilm-electra-discriminator").tokens
    assert max((t for t in tokens if not t.special), key=lambda t: t.probability).token == "banana"


def test_the_discriminator_separates_fakes_from_originals(engine):
    sentences = (
        "The river flows through the old town and into the sea.",
        "He was born in a small village and became a famous painter.",
        "Many people live in the city because there is work.",
        "The team won the cup for the first time in ten years.",
    )
    fakes, originals = [], []
    for seed, sentence in enumerate(sentences * 4):
        corruption = engine.corrupt(sentence, model="minilm-electra-generator", mask_probability=0.2, seed=seed)
        for token in engine.detect_replacements(corruption, model="minilm-electra-discriminator").tokens:
            if not token.special:
                (fakes if token.replaced else originals).append(token.probability)
    wins = sum((f > o) + 0.5 * (f == o) for f in fakes for o in originals) / (len(fakes) * len(originals))
    assert wins > 0.7


def test_three_examples_teach_the_date_format(engine):
    chunks = engine.generate(
        f"{DATES}Input: 2005-07-23\nOutput:", model="smollm2-135m-instruct", max_new_tokens=24, stop=["\n"]
    )
    assert "".join(c.text for c in chunks).strip() == "!07!23!2005!"


def test_llama_cpp_streams_cancel_and_refuse_like_the_rest(engine):
    chunks = engine.generate("Once upon a time", model="smollm2-135m-instruct", max_new_tokens=400, session="bundled")
    next(chunks)
    engine.cancel("bundled")
    last = list(chunks)[-1]
    assert last.reason == "cancelled"
    assert last.tokens < 400


def test_sampled_text_depends_on_the_seed(engine):
    def sample(seed):
        options = {"max_new_tokens": 16, "temperature": 1.0, "seed": seed}
        return "".join(c.text for c in engine.generate("My favourite", model="smollm2-135m-instruct", **options))

    assert sample(1) == sample(1)
    assert len({sample(seed) for seed in range(3)}) > 1


def test_both_backends_of_one_model_agree_on_the_greedy_start(engine):
    prompt = "The capital of France is"
    first = engine.next_token(prompt, model="smollm2-135m-instruct", top_k=1).candidates[0].token
    text = "".join(c.text for c in engine.generate(prompt, model="smollm2-135m-instruct", max_new_tokens=3))
    assert text.strip().startswith(first)


@pytest.mark.parametrize("model", BUNDLED)
def test_plain_from_pretrained_loads_float16_safetensors_with_a_card(model):
    folder = loading.BUNDLED / model
    role = catalog.get(model).role
    network, report = LOADERS[role].from_pretrained(folder, dtype="auto", output_loading_info=True)
    assert network.dtype == torch.float16
    assert not report["missing_keys"]
    assert catalog.get(model).parameters == sum(p.numel() for p in network.parameters())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert "<extra_id_31>" in tokenizer.get_vocab() if role == "seq2seq" else tokenizer.mask_token == "[MASK]"
    card = (folder / "README.md").read_text()
    for word in ("Simple English Wikipedia", "CC BY-SA 3.0", "Apache-2.0", "tokens", "held-out", "bad at"):
        assert word in card, word


def test_the_weights_fit_the_repository():
    sizes = [path.stat().st_size for path in loading.BUNDLED.rglob("*") if path.is_file()]
    assert max(sizes) < 95e6
    assert sum(sizes) < 160e6


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("date: 2014-06-01", "June 1, 2014"),
        ("iso: March 30, 1998", "1998-03-30"),
        ("digits: four hundred twelve", "412"),
        ("words: 1971", "one thousand nine hundred seventy-one"),
        ("reverse: window", "wodniw"),
        ("plural: knife", "knives"),
        ("sentiment: The film was not good.", "negative"),
        ("grammar: The cats are in the garden.", "acceptable"),
        ("grammar: The cats is in the garden.", "unacceptable"),
        ("fault: An teacher reads a book.", "a or an"),
    ],
)
def test_t5_does_the_task_that_the_prefix_names(engine, source, target):
    assert engine.text_to_text(source, model="t5-nano").text == target


def test_t5_reaches_its_bar_on_inputs_it_never_saw():
    rates = {group.name: group.rates["exact match"] for group in evaluation("t5-nano").groups}
    for task in ("date", "iso", "digits", "words", "reverse", "plural"):
        assert rates[task].right / rates[task].n >= 0.9
    assert rates["grammar"].low > 0.8
