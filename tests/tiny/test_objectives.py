import math

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, LlamaConfig
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


@pytest.mark.parametrize("length", [1, 2, 7, 40])
def test_grids_are_the_masks_that_transformers_uses(length):
    config = LlamaConfig(vocab_size=50, **SIZES)
    config._attn_implementation = "eager"
    hidden = torch.zeros(1, length, 16)
    positions = torch.arange(length)[None]
    theirs = create_causal_mask(
        config, inputs_embeds=hidden, attention_mask=None, past_key_values=None, position_ids=positions
    )
    allowed = np.ones((length, length), bool) if theirs is None else (theirs[0, 0] == 0).numpy()
    assert np.array_equal(objectives.causal(length), allowed)
    both = create_bidirectional_mask(config, inputs_embeds=hidden, attention_mask=torch.ones(1, length))
    assert both is None or np.array_equal(objectives.bidirectional(length), (both[0, 0] == 0).numpy())


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
