"""The cloze set suits the vocabulary of the shipped masked LM."""

import pytest

from lecture_core import catalog
from lecture_core.cloze import load_cloze
from lecture_core.loading import load_tokenizer

pytestmark = pytest.mark.bundled


def test_every_answer_is_one_token():
    words = load_tokenizer(catalog.get("minilm-mlm"))
    assert [item.answer for item in load_cloze().items if words.single_token(item.answer) is None] == []


def test_nearly_every_forced_choice_can_be_made():
    words = load_tokenizer(catalog.get("minilm-mlm"))
    unknown = [w for item in load_cloze().items for w in item.candidates if words.single_token(w) is None]
    assert len(unknown) <= 1, unknown
