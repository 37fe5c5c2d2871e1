"""What a masking rate leaves to learn from: how many tokens teach, and how well they can still be guessed.

Lecture: recap of pre-training. BERT hides 15 %; for large models Wettig et al. 2023 (arXiv:2202.08005) found 40 %
better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lecture_core.engine.protocol import Engine
from lecture_core.engine.results import TokenLogprob
from lecture_core.provenance import Provenance

RATES = (0.15, 0.4, 0.8)


@dataclass(frozen=True)
class Left:
    """What hiding a share of a text's tokens leaves, over several draws of what is hidden.

    Attributes:
        rate: share of the tokens that is hidden, in (0, 1); at least one token.
        tokens: real tokens of all draws together.
        hidden: of these, those hidden; they carry the loss.
        right: of these, those whose original is the model's first choice.
        nats: mean loss of a hidden token.
    """

    rate: float
    tokens: int
    hidden: int
    right: int
    nats: float
    provenance: Provenance


def left_at(
    engine: Engine, text: str, *, model: str, seeds: Sequence[int], rates: Sequence[float] = RATES
) -> list[Left]:
    """Hide tokens at each rate, once a seed, and ask a masked LM for them.

    Args:
        seeds: one a draw, at least one.
        text: complete, without masks; tokens that the model does not know are never hidden.

    Raises:
        InvalidInputError: no usable text.
    """
    return [_left(engine, text, model, seeds, rate) for rate in rates]


def _left(engine: Engine, text: str, model: str, seeds: Sequence[int], rate: float) -> Left:
    real = [i for i, special in enumerate(engine.tokenise(text, model=model).special) if not special]
    found: list[TokenLogprob] = []
    for seed in seeds:
        recipe = engine.masking_recipe(text, model=model, mask_probability=rate, seed=seed)
        hidden = [i for i in real if recipe[i].fate != "untouched"]
        answer = engine.masked_logprobs(text, model=model, positions=hidden, top_k=1)
        found += answer.tokens
    nats = -sum(token.logprob for token in found) / len(found)
    right = sum(token.rank == 1 for token in found)
    return Left(rate, len(seeds) * len(real), len(found), right, nats, answer.provenance)
