import math

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertConfig, LlamaConfig, T5Config
from transformers.masking_utils import create_bidirectional_mask, create_causal_mask

from lecture_core import objectives
from lecture_core.errors import InvalidInputError
from lecture_core.hidden_text import read
from tests.tiny.models import SIZES

TEXT = "the cat [sat] on the [mat]."
SEQ2SEQ_TEXT = "Thank you [for inviting] me to your party [last] week."


def test_a_masked_lm_learns_from_the_hidden_tokens_alone(engine):
    found = objectives.masked_lm(read(TEXT), engine, "tiny-mlm")
    assert found.input_text == "the cat [MASK] on the [MASK]."
    assert [t.text for t in found.targets if t.loss] == ["sat", "mat"]
    assert found.loss_positions == 2
    assert all(t.predicted is not None for t in found.targets if t.loss)


def test_probabilities_are_those_of_fill_mask(engine):
    found = objectives.masked_lm(read(TEXT), engine, "tiny-mlm")
    masks = engine.fill_mask(found.input_text, model="tiny-mlm", candidates=["sat", "mat"]).masks
    for i, token in enumerate(t for t in found.targets if t.loss):
        assert math.exp(token.predicted.logprob) == pytest.approx(masks[i].asked[i].probability, abs=1e-5)


def test_a_word_of_two_tokens_becomes_two_masks(engine):
    found = objectives.masked_lm(read("the [cats] sat"), engine, "tiny-mlm")
    assert found.input_text == "the [MASK] [MASK] sat"
    assert found.loss_positions == 2


def test_a_decoder_learns_from_every_token_after_the_first(engine):
    found = objectives.autoregressive(read(TEXT), engine, "tiny-lm")
    assert [t.text for t in found.inputs[1:]] == [t.text for t in found.targets[:-1]]
    assert found.loss_positions == len(found.targets)
    logprobs = engine.token_logprobs("the cat sat on the mat.", model="tiny-lm").tokens
    assert [t.predicted for t in found.targets] == list(logprobs[1:])


def test_a_span_is_one_sentinel_and_the_target_carries_all_loss(engine):
    found = objectives.span_corruption(read(SEQ2SEQ_TEXT), engine, "tiny-t5")
    assert sum(t.text.startswith("<extra_id_") for t in found.inputs) == 2
    assert found.loss_positions == len(found.targets)
    sentinel = next(t for t in found.inputs if t.text == "<extra_id_0>")
    assert sentinel.words == (2, 3)
    hidden = [t for t in found.targets if t.words in ((2,), (3,), (8,)) and not t.text.startswith("<")]
    assert "".join(t.text for t in hidden) == "forinvitinglast"


def test_pseudo_likelihood_masks_one_token_at_a_time(engine, tiny_folder):
    text = "the cat sat on the mat."
    found = engine.masked_logprobs(text, model="tiny-mlm", in_turn=True)
    words = AutoTokenizer.from_pretrained(tiny_folder / "tiny-mlm")
    model = AutoModelForMaskedLM.from_pretrained(tiny_folder / "tiny-mlm").eval()
    ids = words(text)["input_ids"]
    for position, token in enumerate(found.tokens, start=1):
        masked = torch.tensor([ids])
        masked[0, position] = words.mask_token_id
        with torch.inference_mode():
            expected = model(masked).logits[0, position].log_softmax(-1)[ids[position]]
        assert token.logprob == pytest.approx(float(expected), abs=1e-4)


@pytest.mark.parametrize("positions", [[], [-1], [99]])
def test_positions_outside_the_text_are_refused(engine, positions):
    with pytest.raises(InvalidInputError, match="positions"):
        engine.masked_logprobs("the cat sat", model="tiny-mlm", positions=positions)


LENGTHS = pytest.mark.parametrize("length", [1, 2, 7, 40])


def embeds(length, width=16):
    return torch.zeros(2, length, width)


def padded(length):
    """A batch of two, the second text one token longer than the first: a mask of its own is needed then."""
    mask = torch.ones(2, length + 1, dtype=torch.long)
    mask[0, -1] = 0
    return mask


def eager(config):
    config._attn_implementation = "eager"
    return config


def allowed(theirs, shape):
    """Their mask of the first text as bool, without padding; None is what transformers returns if all is allowed."""
    rows, columns = shape
    return np.ones(shape, bool) if theirs is None else (theirs[0, 0, :rows, :columns] == 0).numpy()


@LENGTHS
def test_the_decoder_only_grid_is_the_mask_that_transformers_uses(length):
    theirs = create_causal_mask(
        eager(LlamaConfig(vocab_size=50, **SIZES)),
        inputs_embeds=embeds(length + 1),
        attention_mask=padded(length),
        past_key_values=None,
        position_ids=torch.arange(length + 1)[None],
    )
    assert theirs is not None
    assert np.array_equal(objectives.causal(length), allowed(theirs, (length, length)))


@LENGTHS
@pytest.mark.parametrize("config", [BertConfig(vocab_size=50, **SIZES), T5Config(vocab_size=50, d_model=16)])
def test_the_encoder_grids_are_the_masks_that_transformers_uses(config, length):
    whole = torch.ones(2, length)
    assert create_bidirectional_mask(eager(config), inputs_embeds=embeds(length), attention_mask=whole) is None
    assert objectives.bidirectional(length).all()  # None: everyone may look at everyone
    theirs = create_bidirectional_mask(config, inputs_embeds=embeds(length + 1), attention_mask=padded(length))
    assert theirs is not None
    assert not allowed(theirs, (length, length + 1))[:, -1].any()  # their mask does hide something: the padding
    assert np.array_equal(objectives.bidirectional(length), allowed(theirs, (length, length)))


@LENGTHS
def test_the_cross_grid_is_t5_s_encoder_mask_seen_from_each_target(length):
    targets, config = 5, eager(T5Config(vocab_size=50, d_model=16))
    theirs = create_bidirectional_mask(
        config,
        inputs_embeds=embeds(targets),
        attention_mask=padded(length),
        encoder_hidden_states=embeds(length + 1),
    )
    assert theirs is not None
    assert not allowed(theirs, (targets, length + 1))[:, -1].any()
    assert np.array_equal(objectives.cross(targets, length), allowed(theirs, (targets, length)))


def test_the_decoder_reads_the_target_one_place_later(engine):
    found = objectives.span_corruption(read(SEQ2SEQ_TEXT), engine, "tiny-t5")
    targets, source = [t.text for t in found.targets], [t.text for t in found.inputs]
    encoder, decoder, across = found.attention.values()
    assert list(encoder.rows) == list(encoder.columns) == source
    assert list(decoder.rows) == list(decoder.columns) == list(across.rows) == [objectives.START, *targets[:-1]]
    assert list(across.columns) == source
    assert not any(decoder.allowed[i, i + 1 :].any() for i in range(len(targets)))  # none sees what it predicts


def test_a_decoder_only_grid_names_what_is_read(engine):
    found = objectives.autoregressive(read(TEXT), engine, "tiny-lm")
    (grid,) = found.attention.values()
    assert list(grid.rows) == list(grid.columns) == [t.text for t in found.inputs]


def test_added_tokens_are_no_positions_of_an_encoder(engine):
    found = objectives.masked_lm(read(TEXT), engine, "tiny-mlm")
    assert (found.loss_positions, found.positions, len(found.targets)) == (2, 7, 9)  # the cat sat on the mat .


def test_t5_counts_the_text_apart_from_its_own_signs(engine):
    found = objectives.span_corruption(read(SEQ2SEQ_TEXT), engine, "tiny-t5")
    signs = [t for t in found.targets if t.text.startswith("<extra_id_") or t.text == "</s>"]
    assert len(signs) == 4
    assert found.positions == found.loss_positions == len(found.targets)
    assert found.hidden_tokens == len(found.targets) - len(signs)
    assert found.text_tokens == found.hidden_tokens + len(found.inputs) - 3  # two sentinels and the end


@pytest.mark.parametrize("form", [objectives.masked_lm, objectives.span_corruption])
def test_words_that_the_vocabulary_does_not_know_are_named(engine, form):
    model = "tiny-mlm" if form is objectives.masked_lm else "tiny-t5"
    text = read("cat [😀] sat 数据")
    named = [text.plain[slice(*text.words[i])] for i in form(text, engine, model).unknown_words]
    assert named == ["😀", "数据"] if model == "tiny-t5" else {"😀", "数据"} <= set(named)
    assert form(read("the [cat] sat"), engine, model).unknown_words == ()


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((2, 5, 4), "autoregressive"),
        ((6, 5, 9), "T5"),
        ((6, 11, 11), "a tie: autoregressive and T5"),
        ((3, 3, 3), "a tie: masked LM, autoregressive and T5"),
    ],
)
def test_the_form_with_most_positions_is_named_and_a_tie_too(counts, said):
    assert objectives.most(dict(zip(("masked LM", "autoregressive", "T5"), counts, strict=True))) == said


@pytest.mark.parametrize("form", [objectives.masked_lm, objectives.span_corruption])
def test_nothing_hidden_is_named(engine, form):
    model = "tiny-mlm" if form is objectives.masked_lm else "tiny-t5"
    with pytest.raises(InvalidInputError, match="at least one hidden word"):
        form(read("the cat sat"), engine, model)


def test_one_token_has_no_next_token(engine):
    with pytest.raises(InvalidInputError, match="two tokens"):
        objectives.autoregressive(read("cat"), engine, "tiny-lm")


@pytest.mark.parametrize("text", ["[all of it]", "שלום [עולם]", "[😀] cat", "[数据]"])
def test_strange_text_gives_a_result_in_every_form(engine, text):
    hidden = read(text)
    assert objectives.masked_lm(hidden, engine, "tiny-mlm").loss_positions
    assert objectives.span_corruption(hidden, engine, "tiny-t5").loss_positions
