"""A tiny chat model of SmolVLM's class, written as a checkpoint and asked through the production path."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lecture_core import catalog, loading, vision_language
from lecture_core.engine.local import LocalEngine
from lecture_core.engine.pictures import Picture
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.scenes import cover, parse, render
from tests.tiny.models import write_vision_chat

MODEL = "tiny-vision-chat"
PICTURE = Picture.of(render(parse("big-red-star-1-1.small-blue-circle-4-4.small-green-square-2-3")))
QUESTION = "What colour is the star?"
PLACES = 16  # tokens of a picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat")
    write_vision_chat(folder / MODEL)
    return folder


@pytest.fixture
def row(folder, monkeypatch):
    """The catalog's own row of SmolVLM, its weights replaced by tiny ones."""
    row = replace(catalog.get("smolvlm-256m-instruct"), id=MODEL, source=f"bundled:{MODEL}", context_length=128)
    rows = catalog._rows() | {MODEL: row}
    monkeypatch.setattr(catalog, "_rows", lambda: rows)
    monkeypatch.setattr(loading, "BUNDLED", folder)
    return row


@pytest.fixture
def engine(row):
    return LocalEngine()


def asked(engine, question=QUESTION, picture=PICTURE):
    return engine.answer_about_image(picture, question, model=MODEL)


def ids_of(result):
    return [token.token_id for token in result.tokens]


@pytest.fixture
def plain(row):
    """Model, processor and the inputs of PICTURE and QUESTION, as the code drawer loads them."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    folder = loading.resolve(row)
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    processor = AutoProcessor.from_pretrained(folder, backend="pil")
    turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}
    prompt = processor.apply_chat_template([turn], add_generation_prompt=True)
    picture = [[PICTURE.pixels()]]
    inputs = processor(text=[prompt], images=picture, do_image_splitting=False, return_tensors="pt")
    return model, processor, inputs


def test_the_answer_is_what_plain_transformers_writes(engine, plain):
    model, processor, inputs = plain
    written = model.generate(**inputs, max_new_tokens=48, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    result = asked(engine)
    assert ids_of(result) == written.tolist()
    assert result.text == processor.decode(written, skip_special_tokens=True).strip()
    assert result.question_tokens == inputs["input_ids"].shape[1] > PLACES


def test_each_words_probability_is_that_of_one_pass_over_the_finished_answer(engine, plain):
    model, _, inputs = plain
    result = asked(engine)
    whole = torch.cat([inputs["input_ids"], torch.tensor([ids_of(result)])], dim=1)
    inputs = {**inputs, "input_ids": whole, "attention_mask": torch.ones_like(whole)}
    with torch.inference_mode():
        logprobs = model(**inputs).logits.log_softmax(-1)[0, result.question_tokens - 1 : -1]
    expected = logprobs[range(len(result.tokens)), ids_of(result)].tolist()
    assert [token.logprob for token in result.tokens] == pytest.approx(expected, abs=2e-4)
    for token in result.tokens:
        assert token.rank == 1
        assert np.exp(token.logprob) == pytest.approx(token.alternatives[0].probability, rel=1e-4)
        assert len(token.alternatives) == 5


def test_the_picture_decides(engine):
    other = Picture.of(np.zeros((64, 64, 3), dtype=np.uint8))
    assert asked(engine).tokens[0].logprob != pytest.approx(asked(engine, picture=other).tokens[0].logprob, rel=1e-2)


def test_covering_agrees_with_asking_about_the_covered_picture(engine):
    result = asked(engine)
    found = engine.answer_when_covered(PICTURE, QUESTION, ids_of(result)[:4], model=MODEL, grid=3)
    first = np.exp(sum(token.logprob for token in result.tokens[:4]))
    assert found.probability == pytest.approx(first, rel=1e-3)
    assert len(found.covered) == len(found.first_words) == 9
    for cell in range(9):
        view = Picture.of(cover(PICTURE.pixels(), [cell], grid=3))
        assert found.first_words[cell] == asked(engine, picture=view).tokens[0].token
        alone = engine.answer_when_covered(view, QUESTION, ids_of(result)[:4], model=MODEL, grid=1)
        assert found.covered[cell] == pytest.approx(alone.probability, rel=1e-3)
    assert found.covered[0] != pytest.approx(found.probability, rel=1e-2)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_size_of_a_batch_makes_no_difference(row, monkeypatch, size):
    model = loading.load(row)
    ids = ids_of(vision_language.answer(PICTURE, QUESTION, model))
    usual = vision_language.answer_when_covered(PICTURE, QUESTION, ids[:3], model, grid=2)
    monkeypatch.setattr(vision_language, "CHAT_VIEWS", size)
    found = vision_language.answer_when_covered(PICTURE, QUESTION, ids[:3], model, grid=2)
    assert found.covered == pytest.approx(usual.covered, rel=1e-4)


def test_an_answer_ends_at_its_end_token_and_the_text_leaves_it_out(row):
    model = loading.load(row)
    end = model.network.generation_config.eos_token_id
    written = ids_of(vision_language.answer(PICTURE, QUESTION, model))
    model.network.generation_config.eos_token_id = [end, written[2]]  # as if the third word were an end
    result = vision_language.answer(PICTURE, QUESTION, model)
    assert result.reason == "stop"
    assert ids_of(result) == written[: written.index(written[2]) + 1]
    assert result.text == model.processor.decode(written[: len(result.tokens) - 1]).strip()


@pytest.mark.parametrize("sign", ["<image>", "<end_of_utterance>", "<|im_start|>", "<global-img>"])
def test_a_question_cannot_speak_the_templates_language(engine, sign):
    with pytest.raises(InvalidInputError, match="plain words"):
        asked(engine, f"What is {sign} this?")


def test_unknown_scripts_are_read_and_nothing_is_called_unknown(engine):
    assert asked(engine, "Что это? 这是什么 🦄").unknown == ()


@pytest.mark.parametrize("question", ["", " ", "\x07", "star " * 50])
def test_what_cannot_be_read_is_refused(engine, question):
    with pytest.raises(InvalidInputError):
        asked(engine, question)


def test_picture_and_question_together_must_fit(row, monkeypatch):
    monkeypatch.setitem(catalog._rows(), MODEL, replace(row, context_length=32))
    with pytest.raises(ContextLengthError, match="at most 31 tokens together"):
        asked(LocalEngine())


def test_a_visitors_own_picture_and_its_answers_are_not_kept(engine):
    own = Picture.of(PICTURE.pixels(), private=True)
    first = asked(engine, picture=own)
    engine.answer_when_covered(own, QUESTION, ids_of(first)[:2], model=MODEL, grid=2)
    assert engine.results.held == 0
    assert not asked(engine, picture=own).provenance.cached
    assert asked(engine).tokens == first.tokens
    assert asked(engine).provenance.cached


def test_only_a_chat_model_has_a_processor(row):
    model = loading.load(row)
    assert model.processor is not None
    assert model.images is not None
    assert model.words.tokenizer.get_vocab() == model.processor.tokenizer.get_vocab()
