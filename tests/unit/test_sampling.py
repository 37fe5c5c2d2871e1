"""What temperature, top-k and top-p leave of stored logits equals what they leave of the whole vocabulary."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lecture_core.engine.results import TEMPERATURES, Candidate, NextToken
from lecture_core.errors import InvalidInputError
from lecture_core.provenance import Provenance
from lecture_core.sampling import STORED, TOP_KS, TOP_PS, Truncation, draw, truncate
from lecture_core.sampling_code import next_token_code

LOGITS = st.lists(st.floats(-12, 12), min_size=2, max_size=40)
HOW = st.builds(Truncation, st.sampled_from(TEMPERATURES), st.sampled_from(TOP_KS), st.sampled_from(TOP_PS))


def distribution(logits, stored=None):
    logits = sorted(logits, reverse=True)
    normalisers = {t: math.log(math.fsum(math.exp(x / t) for x in logits)) for t in TEMPERATURES}
    rows = [Candidate(f"t{i}", i, math.exp(x - normalisers[1.0]), x, i + 1) for i, x in enumerate(logits)]
    return NextToken(tuple(rows[:stored]), 0.0, normalisers, 1, Provenance())


def by_hand(logits, how):
    """Temperature, top-k, top-p over the whole vocabulary, each made one again, as transformers does it."""
    weights = [math.exp(x / how.temperature) for x in sorted(logits, reverse=True)]
    for i in range(how.top_k or len(weights), len(weights)):
        weights[i] = 0.0
    whole, reached, kept = math.fsum(weights), 0.0, []
    for weight in weights:
        kept.append(weight if how.top_p == 1 or reached < how.top_p * whole or not kept else 0.0)
        reached += weight
    return [weight / math.fsum(kept) for weight in kept]


def on_the_edge(logits, how):
    """Whether the tokens so far make top-p to the last bit: rounding then decides about the next one."""
    weights = [math.exp(x / how.temperature) for x in sorted(logits, reverse=True)][: how.top_k or None]
    wanted = how.top_p * math.fsum(weights)
    return any(math.isclose(math.fsum(weights[:n]), wanted, rel_tol=1e-9) for n in range(1, len(weights)))


@given(LOGITS, HOW)
def test_with_the_whole_vocabulary_stored_the_result_is_that_of_transformers(logits, how):
    assume(not on_the_edge(logits, how))
    found = truncate(distribution(logits), how)
    assert [o.after for o in found.options] == pytest.approx(by_hand(logits, how), abs=1e-6)
    assert math.fsum(o.after for o in found.options) == pytest.approx(1)
    assert not found.open_ended


@given(LOGITS, HOW, st.integers(1, 20))
def test_what_is_stored_of_a_longer_vocabulary_gets_the_same_numbers(logits, how, stored):
    if 0 < how.top_k > stored:
        return  # the page stores as many as top-k can ask for
    assume(not on_the_edge(logits, how))
    found, whole = truncate(distribution(logits, stored), how), by_hand(logits, how)
    slack = found.options[-1].before / how.top_p if found.open_ended and how.top_p < 1 else 0.0
    for option, expected in zip(found.options, whole, strict=False):
        assert expected * (1 - 1e-6) - 1e-9 <= option.after <= expected * (1 + slack) + 1e-6
    assert found.outside == pytest.approx(1 - math.fsum(o.before for o in found.options), abs=1e-9)


@given(LOGITS, HOW)
def test_survivors_are_the_most_probable_and_at_least_one(logits, how):
    found = truncate(distribution(logits), how)
    alive = [o.after > 0 for o in found.options]
    assert alive[0]
    assert alive == sorted(alive, reverse=True)
    assert sum(alive) <= found.survivors <= (how.top_k or len(logits))


@given(LOGITS, HOW, st.integers(0, 10**6), st.integers(0, 50))
def test_only_survivors_are_drawn_and_the_seed_decides(logits, how, seed, step):
    found = truncate(distribution(logits), how)
    chosen = draw(found, seed=seed, step=step)
    assert found.options[chosen.rank - 1].after > 0
    assert chosen == draw(found, seed=seed, step=step)


def test_draws_follow_the_probabilities():
    found = truncate(distribution([math.log(0.7), math.log(0.3)]), Truncation())
    share = sum(draw(found, seed=seed, step=0).rank == 1 for seed in range(2000)) / 2000
    assert share == pytest.approx(0.7, abs=0.04)


@pytest.mark.parametrize("settings", [(0.3, 0, 1.0), (1.0, STORED + 1, 1.0), (1.0, -1, 1.0), (1.0, 0, 0.0)])
def test_what_stored_logits_cannot_answer_is_refused(settings):
    with pytest.raises(InvalidInputError):
        Truncation(*settings)


@pytest.mark.parametrize("how", [Truncation(), Truncation(2.0, 5, 0.9), Truncation(0.5, 0, 0.5)])
@pytest.mark.parametrize("model", ["smollm2-135m-instruct", "gpt2"])
def test_the_code_is_python_and_holds_text_and_settings(how, model):
    code = next_token_code(model, 'a "quoted"\n{line}', how)
    compile(code, "code", "exec")
    assert repr('a "quoted"\n{line}') in code
    assert ("# top-k" in code, "# top-p" in code) == (how.top_k > 0, how.top_p < 1)
