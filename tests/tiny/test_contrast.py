import math

import pytest
from transformers import AutoTokenizer

from lecture_core import catalog
from lecture_core.contrast import differences
from lecture_core.errors import InvalidInputError
from lecture_core.loading import load_tokenizer
from tests.tiny.models import WORDS

PAIR = ("she went to the [MASK] .", "the chef cooked a [MASK] .")


def test_every_whole_word_is_there_with_the_probability_of_fill_mask(engine):
    found = engine.vocabulary_at_mask(PAIR[0], model="tiny-mlm")
    assert set(found.words) == {word for word in WORDS if word.isalpha()}
    asked = engine.fill_mask(PAIR[0], model="tiny-mlm", candidates=["hospital"]).masks[0].asked[0]
    index = found.words.index("hospital")
    assert math.exp(found.logprobs[index]) == pytest.approx(asked.probability, abs=1e-6)


def test_whole_words_of_a_vocabulary_that_marks_starts(engine, tiny_folder):
    words = load_tokenizer(catalog.get("tiny-t5")).whole_words
    raw = AutoTokenizer.from_pretrained(tiny_folder / "tiny-t5").get_vocab()
    assert "party" in words.values()
    assert all(raw["\u2581" + word] == i for i, word in words.items())


def test_differences_belong_to_their_side_and_come_by_strength(engine):
    first, second = (engine.vocabulary_at_mask(text, model="tiny-mlm") for text in PAIR)
    named = differences(first, second, count=3)
    assert len(named) == 6
    assert all(row.first > row.second for row in named[:3])
    assert all(row.second > row.first for row in named[3:])
    weights = [row.first * math.log(row.first / row.second) for row in named[:3]]
    assert weights == sorted(weights, reverse=True)


def test_a_sentence_against_itself_has_no_differences(engine):
    found = engine.vocabulary_at_mask(PAIR[0], model="tiny-mlm")
    assert differences(found, found) == []


@pytest.mark.parametrize("text", ["no mask", "[MASK] and [MASK]", ""])
def test_one_mask_is_needed(engine, text):
    with pytest.raises(InvalidInputError, match=r"mask|text"):
        engine.vocabulary_at_mask(text, model="tiny-mlm")
