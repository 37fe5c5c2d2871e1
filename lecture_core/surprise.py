"""How surprising a text is to a causal LM: bits of each token, bits in all, perplexity.

Lecture: from GPT to GPT-3; the loss of a language model. A token's surprise is -log2 of its probability given the
tokens before it. Source: Shannon 1951, Prediction and entropy of printed English.
"""

import math
from dataclasses import dataclass

from lecture_core.engine.results import TokenLogprob, TokenLogprobs
from lecture_core.errors import InvalidInputError


@dataclass(frozen=True)
class Surprise:
    """A text's surprise.

    Attributes:
        tokens: those after the first, which has no context.
        bits: surprise of each of them.
    """

    tokens: tuple[TokenLogprob, ...]
    bits: tuple[float, ...]

    @property
    def total(self) -> float:
        """Bits in all: what an ideal coder that uses this model would need after the first token."""
        return math.fsum(self.bits)

    @property
    def per_token(self) -> float:
        """Bits a token: the training loss in nats per token, divided by ln 2."""
        return self.total / len(self.bits)

    @property
    def perplexity(self) -> float:
        """Two to the power of bits a token: among how many equally likely tokens a guess would be as hard."""
        return 2**self.per_token

    def peaks(self, most: int = 3) -> tuple[int, ...]:
        """Return the places in `tokens` of the most surprising ones, those first; none that was the first choice."""
        order = sorted(range(len(self.bits)), key=lambda i: -self.bits[i])
        return tuple(i for i in order if self.tokens[i].rank > 1)[:most]


def surprise(found: TokenLogprobs) -> Surprise:
    """Return the surprise of each token after the first.

    Raises:
        InvalidInputError: the text is a single token, so nothing is predicted.
    """
    rest = found.tokens[1:]
    if not rest:
        raise InvalidInputError(
            expected="at least two tokens", got="one", remedy="add a word: the first token is never predicted"
        )
    return Surprise(rest, tuple(-token.logprob / math.log(2) for token in rest))
