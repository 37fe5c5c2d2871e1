import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_core.engine.pictures import Picture
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.loading import load
from lecture_core.scenes import cover, parse, render

MODEL = "tiny-vlm"
SCENE = parse("big-red-star-1-1.small-blue-circle-4-4.small-green-square-2-3")
PICTURE = Picture.of(render(SCENE))
QUESTION = "What colour is the star?"


def asked(engine, question=QUESTION, picture=PICTURE):
    return engine.answer_about_image(picture, question, model=MODEL)


def test_the_answer_is_what_plain_transformers_writes(engine, rows):
    from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

    from lecture_core.loading import resolve

    folder = resolve(rows[MODEL])
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    words = AutoTokenizer.from_pretrained(folder)
    pixels = AutoImageProcessor.from_pretrained(folder)(PICTURE.pixels(), return_tensors="pt")["pixel_values"]
    ids = words(QUESTION, return_tensors="pt")["input_ids"]
    written = model.generate(pixels, decoder_input_ids=ids, max_new_tokens=48, do_sample=False)[0, ids.shape[1] :]
    result = asked(engine)
    assert [token.token_id for token in result.tokens] == written.tolist()
    assert result.question_tokens == ids.shape[1]
    assert result.provenance.model == MODEL


def test_probabilities_are_those_of_the_softmax(engine):
    for token in asked(engine).tokens:
        assert np.exp(token.logprob) == pytest.approx(token.alternatives[0].probability, rel=1e-5)
        assert 0 < sum(c.probability for c in token.alternatives) <= 1 + 1e-6


def test_covering_agrees_with_asking_about_the_covered_picture(engine):
    result = asked(engine)
    ids = [token.token_id for token in result.tokens]
    found = engine.answer_when_covered(PICTURE, QUESTION, ids, model=MODEL, grid=3)
    assert len(found.covered) == len(found.first_words) == 9
    assert found.probability == pytest.approx(result.probability, rel=1e-4)
    for cell in (0, 4, 8):
        alone = asked(engine, picture=Picture.of(cover(PICTURE.pixels(), [cell], grid=3)))
        assert found.first_words[cell] == alone.tokens[0].token


def test_covering_an_empty_cell_changes_nothing(engine):
    ids = [token.token_id for token in asked(engine).tokens]
    found = engine.answer_when_covered(PICTURE, QUESTION, ids, model=MODEL, grid=4)
    assert found.covered[3] == pytest.approx(found.probability, rel=1e-5)


def test_any_picture_is_scaled_to_the_model(engine):
    photo = np.random.default_rng(0).integers(0, 256, (50, 120, 3), dtype=np.uint8)
    assert asked(engine, picture=Picture.of(photo)).tokens


def test_a_photo_gets_the_same_answer_and_is_not_kept(engine):
    first = engine.answer_about_photo(PICTURE, QUESTION, model=MODEL)
    assert engine.results.held == 0
    assert not engine.answer_about_photo(PICTURE, QUESTION, model=MODEL).provenance.cached
    assert first.tokens == asked(engine).tokens
    assert asked(engine).provenance.cached


def test_unknown_words_are_named(engine):
    assert asked(engine, "what colour is the Unicorn").unknown == ("Unicorn",)
    assert asked(engine).unknown == ()


@pytest.mark.parametrize("question", ["", " ", "\x07", "star " * 50])
def test_what_cannot_be_read_is_refused(engine, question):
    with pytest.raises(InvalidInputError):
        asked(engine, question)


def test_a_long_question_is_refused_with_the_limit(engine):
    with pytest.raises(ContextLengthError, match="at most 62 words"):
        asked(engine, "a " * 62)
    with pytest.raises(ContextLengthError):
        asked(engine, "a b " * 40)


@pytest.mark.parametrize(("ids", "grid"), [([], 4), ([9999], 4), ([5, 1], 0), ([5, 1], 9)])
def test_answers_and_grids_out_of_range_are_refused(engine, ids, grid):
    with pytest.raises(InvalidInputError):
        engine.answer_when_covered(PICTURE, QUESTION, ids, model=MODEL, grid=grid)


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40))
def test_a_picture_keeps_its_pixels(height, width):
    pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert np.array_equal(Picture.of(pixels).pixels(), pixels)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3), (3000, 4, 3)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(InvalidInputError):
        Picture.of(np.zeros(shape, dtype=np.uint8))


def test_the_loader_gives_pictures_to_this_role_only(rows):
    assert load(rows[MODEL]).images is not None
    assert load(rows["tiny-lm"]).images is None
    assert load(rows[MODEL]).network.dtype == torch.float32
