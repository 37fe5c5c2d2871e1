import pytest

from lecture_core.masking_rate import left_at

TEXT = "the cat sat on the mat and the dog ran to the hospital"


def test_more_hidden_means_more_that_teach(engine):
    rows = left_at(engine, TEXT, model="tiny-mlm", seeds=range(6))
    assert [row.rate for row in rows] == [0.15, 0.4, 0.8]
    assert rows[0].hidden < rows[1].hidden < rows[2].hidden <= rows[2].tokens
    assert {row.tokens for row in rows} == {6 * 13}


def test_the_loss_is_that_of_the_hidden_tokens(engine):
    row = left_at(engine, TEXT, model="tiny-mlm", seeds=[3], rates=[0.4])[0]
    recipe = engine.masking_recipe(TEXT, model="tiny-mlm", mask_probability=0.4, seed=3)
    hidden = [i for i, token in enumerate(recipe) if token.fate != "untouched"]
    found = engine.masked_logprobs(TEXT, model="tiny-mlm", positions=hidden)
    assert row.hidden == len(hidden)
    assert row.nats == pytest.approx(-sum(t.logprob for t in found.tokens) / len(hidden))
    assert row.right == sum(t.rank == 1 for t in found.tokens)


def test_one_token_is_always_hidden(engine):
    row = left_at(engine, "the cat", model="tiny-mlm", seeds=[0], rates=[0.001])[0]
    assert (row.hidden, row.tokens) == (1, 2)
