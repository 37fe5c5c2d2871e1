import pytest

from lecture_core.errors import InvalidInputError


@pytest.mark.parametrize("text", ["[MASK] [MASK]", "the ___ sat", "the <mask> sat"])
@pytest.mark.parametrize("in_turn", [True, False])
def test_a_mask_is_no_word_to_score(engine, text, in_turn):
    with pytest.raises(InvalidInputError, match=r"Expected a text without masks; got .*Write the hidden word itself"):
        engine.masked_logprobs(text, model="tiny-mlm", in_turn=in_turn)


@pytest.mark.parametrize("positions", [None, []])
def test_a_text_of_unknown_signs_only_is_named(engine, positions):
    with pytest.raises(InvalidInputError, match="at least one word that this model knows; got unknown signs only"):
        engine.masked_logprobs("\N{GRINNING FACE} \N{PILE OF POO}", model="tiny-mlm", positions=positions, in_turn=True)


def test_unknown_tokens_among_known_ones_are_left_out(engine):
    found = engine.masked_logprobs("the \N{GRINNING FACE} cat", model="tiny-mlm", in_turn=True)
    assert [token.token for token in found.tokens] == ["the", "cat"]
