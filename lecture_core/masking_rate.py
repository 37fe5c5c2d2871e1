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
        rate: chance of each token to be hidden, in (0, 1).
        tokens: real tokens of all draws together.
        hidden: of these, those hidden; they carry the loss.
        right: of these, those whose original is the model's first choice.
        nats: mean loss of a hidden token; 0 where none was hidden.
    """

    rate: float
    tokens: int
    hidden: int
    right: int
    nats: float
    provenance: Provenance | None


def left_at(
    engine: Engine, text: str, *, model: str, seeds: Sequence[int], rates: Sequence[float] = RATES
) -> list[Left]:
    """Hide tokens at each rate, once a seed, and ask a masked LM for them.

    Args:
        text: complete, without masks; tokens that the model does not know are never hidden.

    Raises:
        InvalidInputError: no usable text.
    """
    return [_left(engine, text, model, seeds, rate) for rate in rates]


def _left(engine: Engine, text: str, model: str, seeds: Sequence[int], rate: float) -> Left:
    known = engine.tokenise(text, model=model).special
    tokens, origin = 0, None
    found: list[TokenLogprob] = []
    for seed in seeds:
        recipe = engine.masking_recipe(text, model=model, mask_probability=rate, seed=seed)
        real = [i for i, special in enumerate(known) if not special]
        tokens += len(real)
        if hidden := [i for i in real if recipe[i].fate != "untouched"]:
            answer = engine.masked_logprobs(text, model=model, positions=hidden, top_k=1)
            origin = answer.provenance
            found += answer.tokens
    nats = -sum(token.logprob for token in found) / max(1, len(found))
    return Left(rate, tokens, len(found), sum(token.rank == 1 for token in found), nats, origin)
