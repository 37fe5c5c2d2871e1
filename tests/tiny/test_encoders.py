import pytest
import torch

from lecture_core.distribution import Distributions
from lecture_core.engine.results import TEMPERATURES
from lecture_core.errors import (
    ContextLengthError,
    InvalidInputError,
    LectureError,
    ModelUnavailableError,
    UnknownModelError,
)
from lecture_core.replaced_token_detection import changed
from tests.tiny.models import VOCABULARY

TEXT = "she went to the [MASK] to see the [MASK] ."


def test_probabilities_over_the_vocabulary_sum_to_one_at_every_temperature(engine):
    for mask in engine.fill_mask(TEXT, model="tiny-mlm", top_k=len(VOCABULARY)).masks:
        for temperature in TEMPERATURES:
            assert sum(mask.probability(c, temperature) for c in mask.candidates) == pytest.approx(1, abs=1e-5)
        assert sum(c.probability for c in mask.candidates) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("scale", [0.1, 3.0, 400.0])
def test_distributions_are_those_of_torch_row_by_row(scale):
    logits = torch.randn(40, 9_000, generator=torch.Generator().manual_seed(0)) * scale - 50
    found = Distributions(top_k=5, asked=(3, None))(logits)
    entropies = torch.distributions.Categorical(logits=logits).entropy().tolist()
    for row, one, entropy in zip(logits, found, entropies, strict=True):
        for temperature, normaliser in one.log_normalisers.items():
            assert normaliser == pytest.approx(float((row / temperature).logsumexp(-1)), rel=1e-6, abs=1e-4)
        assert one.entropy == pytest.approx(entropy, abs=1e-3)
        assert (list(one.best), list(one.logits)) == (row.topk(5).indices.tolist(), row.topk(5).values.tolist())
        assert one.asked == [(float(row[3]), sorted(row.tolist(), reverse=True).index(float(row[3])) + 1), None]


def test_candidates_come_in_order_of_rank(engine):
    for mask in engine.fill_mask(TEXT, model="tiny-mlm", top_k=10).masks:
        assert [c.rank for c in mask.candidates] == list(range(1, 11))


@pytest.mark.parametrize("other", ["<mask>", "___", "______", "[mask]"])
def test_every_way_to_write_a_mask_is_understood(engine, other):
    ours = engine.fill_mask(TEXT, model="tiny-mlm").masks
    assert engine.fill_mask(TEXT.replace("[MASK]", other), model="tiny-mlm").masks == ours


def test_an_asked_word_has_the_rank_it_has_among_all(engine):
    everything = engine.fill_mask(TEXT, model="tiny-mlm", top_k=len(VOCABULARY)).masks[0].candidates
    asked = engine.fill_mask(TEXT, model="tiny-mlm", candidates=["hospital", "hospitals"]).masks[0].asked
    assert asked[0] == next(c for c in everything if c.token == "hospital")
    assert asked[1] is None


def test_spans_cut_the_tokens_out_of_the_text(engine):
    text = "The cats sat, on the mat."
    result = engine.tokenise(text, model="tiny-mlm")
    cut = [text[a:b].lower() for a, b in result.spans if b > a]
    assert cut == ["the", "cat", "s", "sat", ",", "on", "the", "mat", "."]
    assert result.starts_word[3] is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n ",
        "no mask here",
        "[MASK] " * 40,
        "x" * 10_000 + "[MASK]",
        "a\x00b [MASK]",
        "\ud800 [MASK]",
        "the " * 100 + "[MASK]",
    ],
)
def test_unusable_text_gets_a_sentence(engine, text):
    with pytest.raises((InvalidInputError, ContextLengthError), match=r"Expected .+; got .+\. .+"):
        engine.fill_mask(text, model="tiny-mlm")


@pytest.mark.parametrize(
    "text", ["🙂 [MASK] 🙂", "שלום [MASK]", "<script>alert(1)</script> [MASK]", "![x](http://e.x/i.png) [MASK]"]
)
def test_strange_text_is_ordinary_text(engine, text):
    assert len(engine.fill_mask(text, model="tiny-mlm").masks) == 1


def test_an_unknown_model_suggests_a_known_one(engine):
    with pytest.raises(UnknownModelError, match="minilm-mlm"):
        engine.fill_mask(TEXT, model="minilm-mml")


def test_a_model_of_another_kind_is_refused(engine):
    with pytest.raises(InvalidInputError, match="causal_lm"):
        engine.fill_mask(TEXT, model="tiny-lm")


def test_a_missing_model_names_the_command(engine):
    with pytest.raises(ModelUnavailableError, match="catalog pull bert-large-uncased"):
        engine.fill_mask(TEXT, model="bert-large-uncased")


def test_damaged_weights_are_reported_and_the_engine_goes_on(engine, rows, tmp_path, monkeypatch):
    from lecture_core import loading

    broken = tmp_path / "tiny-mlm"
    broken.mkdir()
    for file in (loading.BUNDLED / "tiny-mlm").iterdir():
        (broken / file.name).write_bytes(b"junk" if file.suffix == ".safetensors" else file.read_bytes())
    whole = loading.BUNDLED
    monkeypatch.setattr(loading, "BUNDLED", tmp_path)
    with pytest.raises(ModelUnavailableError, match="verify tiny-mlm"):
        engine.fill_mask(TEXT, model="tiny-mlm")
    monkeypatch.setattr(loading, "BUNDLED", whole)
    assert engine.fill_mask(TEXT, model="tiny-mlm").masks


def test_the_same_seed_corrupts_the_same_way(engine):
    def corrupt(seed):
        return engine.corrupt("the chef cooked the meal in the bank", model="tiny-mlm", mask_probability=0.4, seed=seed)

    assert corrupt(1).tokens == corrupt(1).tokens
    assert len({corrupt(seed).corrupted_ids for seed in range(5)}) > 1


def test_only_masked_tokens_change_and_equal_samples_count_as_original(engine):
    for seed in range(8):
        result = engine.corrupt("the chef cooked the meal", model="tiny-mlm", mask_probability=0.5, seed=seed)
        assert any(t.masked for t in result.tokens)
        for token, before, after in zip(result.tokens, result.original_ids, result.corrupted_ids, strict=True):
            assert token.replaced == (before != after)
            assert token.masked or not token.replaced
            assert not (token.special and token.masked)


def test_detection_gives_every_token_a_probability_and_the_truth(engine):
    corruption = engine.corrupt("the chef cooked the meal", model="tiny-mlm", mask_probability=0.5, seed=3)
    result = engine.detect_replacements(corruption, model="tiny-discriminator")
    assert [t.replaced for t in result.tokens] == [t.replaced for t in corruption.tokens]
    assert all(0 <= t.probability <= 1 for t in result.tokens)


def test_a_hand_made_fake_is_aligned_with_its_original(engine):
    result = engine.detect_replacements(
        "the chef banana banana the meal", model="tiny-discriminator", original="the chef cooked the meal"
    )
    assert [t.token for t in result.tokens if t.replaced] == ["banana", "banana"]


def test_alignment_marks_insertions_only():
    assert changed([1, 2, 3], [1, 9, 2, 3]) == [False, True, False, False]
    assert changed([1, 2, 3], [1, 2, 3]) == [False] * 3


def test_the_masking_recipe_keeps_its_shares(engine):
    text = " ".join(["the cat sat on the mat ."] * 8)
    fates = [
        t.fate
        for seed in range(60)
        for t in engine.masking_recipe(text, model="tiny-mlm", mask_probability=0.15, seed=seed)
        if not t.special
    ]
    chosen = [f for f in fates if f != "untouched"]
    assert len(chosen) / len(fates) == pytest.approx(0.15, abs=0.02)
    assert chosen.count("masked") / len(chosen) == pytest.approx(0.8, abs=0.05)
    assert chosen.count("random") / len(chosen) == pytest.approx(0.1, abs=0.04)


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_a_share_out_of_range_is_refused(engine, share):
    with pytest.raises(LectureError):
        engine.corrupt("the cat sat", model="tiny-mlm", mask_probability=share)


@pytest.mark.parametrize("seed", range(5))
def test_a_share_is_counted_out_not_drawn_token_by_token(engine, seed):
    text = "the cat sat on the mat and the dog ran to the river bank to see the doctor in the hospital"  # 20 tokens
    recipe = engine.masking_recipe(text, model="tiny-mlm", mask_probability=0.15, seed=seed)
    assert sum(token.fate != "untouched" for token in recipe) == 3
    corruption = engine.corrupt(text, model="tiny-generator", mask_probability=0.15, seed=seed)
    assert sum(token.masked for token in corruption.tokens) == 3


def test_a_text_with_masks_is_not_corrupted_further(engine):
    with pytest.raises(InvalidInputError, match="without masks"):
        engine.corrupt("the [MASK] sat on the mat", model="tiny-generator")
