"""What the bundled masked LM can read at once: 512 tokens, not one more."""

import pytest

from lecture_core.engine import get_engine
from lecture_core.errors import ContextLengthError

pytestmark = pytest.mark.bundled


def test_a_text_of_512_tokens_is_filled():
    text = "the cat sat on the [MASK] " + "a " * 504  # with [CLS] and [SEP]
    assert len(get_engine().tokenise(text, model="minilm-mlm").ids) == 512
    (mask,) = get_engine().fill_mask(text, model="minilm-mlm", top_k=3).masks
    assert mask.position == 6
    assert sum(c.probability for c in mask.candidates) <= 1


def test_one_more_is_refused_with_the_count():
    with pytest.raises(ContextLengthError, match="513"):
        get_engine().fill_mask("the cat sat on the [MASK] " + "a " * 505, model="minilm-mlm")
