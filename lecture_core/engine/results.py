"""What engines return: frozen dataclasses of plain values, no tensors.

Every engine (local now, others later) gives these; pages, code drawers and tests read the same field names.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lecture_core.provenance import Provenance

TEMPERATURES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Candidate:
    """A token that a model would put at a position.

    Attributes:
        token: readable form, without sub-word marks.
        token_id: index in the vocabulary.
        probability: softmax over the whole vocabulary, in [0, 1].
        logit: value before the softmax; another temperature is redrawn from it without the model.
        rank: 1 for the most probable token of the vocabulary.
    """

    token: str
    token_id: int
    probability: float
    logit: float
    rank: int


@dataclass(frozen=True)
class MaskPrediction:
    """What the model puts at one mask.

    Attributes:
        position: index of the mask among the tokens of the text, [CLS] counted.
        candidates: the top-k, most probable first.
        asked: the words the visitor asked for, in their order; None where a word is not one token of this model.
        log_normalisers: temperature -> log of the sum of exp(logit / temperature) over the vocabulary, so that the
            page can redraw exact probabilities at each of `TEMPERATURES` without the model.
        entropy: of the whole distribution, in nats.
    """

    position: int
    candidates: tuple[Candidate, ...]
    asked: tuple[Candidate | None, ...]
    log_normalisers: Mapping[float, float]
    entropy: float

    def probability(self, candidate: Candidate, temperature: float = 1.0) -> float:
        """Return a candidate's probability over the whole vocabulary at one of `TEMPERATURES`."""
        return math.exp(candidate.logit / temperature - self.log_normalisers[temperature])


@dataclass(frozen=True)
class FillMaskResult:
    """Predictions for every mask of a text, each made with all masks in place.

    Attributes:
        text: the text as the model read it, with its own mask token.
        tokens: readable tokens of the text, special tokens included, in order.
        masks: one prediction a mask, left to right.
    """

    text: str
    tokens: tuple[str, ...]
    masks: tuple[MaskPrediction, ...]
    provenance: Provenance


@dataclass(frozen=True)
class VocabularyAtMask:
    """Every whole word of the vocabulary at the only mask of a text; pieces of words and signs are left out.

    Attributes:
        text: as the model read it.
        words: in the vocabulary's order, the same for every text of a model.
        logprobs: log-probability of each word in nats, over the whole vocabulary.
    """

    text: str
    words: tuple[str, ...]
    logprobs: tuple[float, ...]
    provenance: Provenance


@dataclass(frozen=True)
class CorruptedToken:
    """One position of a corrupted text.

    Attributes:
        original, corrupted: readable tokens before and after.
        masked: whether the generator was asked to fill this position.
        replaced: whether the token differs from the original; False where the sample equals it.
        starts_word: False for a sub-word that continues the token before it.
        special: [CLS], [SEP] and the like.
        probability: the generator's probability of its sample; None where nothing was sampled.
    """

    original: str
    corrupted: str
    masked: bool
    replaced: bool
    starts_word: bool = True
    special: bool = False
    probability: float | None = None


@dataclass(frozen=True)
class Corruption:
    """A text with some tokens masked and filled by samples from a generator."""

    tokens: tuple[CorruptedToken, ...]
    original_ids: tuple[int, ...]
    corrupted_ids: tuple[int, ...]
    provenance: Provenance


@dataclass(frozen=True)
class DetectedToken:
    """One token and the discriminator's probability, in [0, 1], that it is a replacement.

    `replaced` is the truth where an original is known, else None.
    """

    token: str
    probability: float
    replaced: bool | None
    starts_word: bool = True
    special: bool = False


@dataclass(frozen=True)
class Detection:
    """The discriminator's verdict on every token of a text."""

    tokens: tuple[DetectedToken, ...]
    provenance: Provenance


@dataclass(frozen=True)
class TokenLogprob:
    """One token of a text: log-probability given what precedes it (nats), rank, best alternatives.

    The first token has no context: its logprob is 0.0, its rank 0 and it has no alternatives.
    """

    token: str
    token_id: int
    logprob: float
    rank: int
    alternatives: tuple[Candidate, ...]


@dataclass(frozen=True)
class TokenLogprobs:
    """Every token of a text under a causal LM; `mean_nats` averages over the tokens after the first."""

    tokens: tuple[TokenLogprob, ...]
    mean_nats: float
    provenance: Provenance


@dataclass(frozen=True)
class Completion:
    """A scored completion: sum of its tokens' log-probabilities in nats, and each token's."""

    text: str
    logprob: float
    tokens: tuple[TokenLogprob, ...]


@dataclass(frozen=True)
class Scores:
    """Completions in the order asked, scored after one shared prompt."""

    completions: tuple[Completion, ...]
    provenance: Provenance

    @property
    def best(self) -> int:
        """Index of the most probable completion; the first of equals."""
        return max(range(len(self.completions)), key=lambda i: self.completions[i].logprob)


@dataclass(frozen=True)
class PromptScores:
    """The same completions after each prompt, in the order asked."""

    prompts: tuple[Scores, ...]
    provenance: Provenance


@dataclass(frozen=True)
class NextToken:
    """The distribution after a prompt: top-k, entropy in nats, `log_normalisers` as in `MaskPrediction`."""

    candidates: tuple[Candidate, ...]
    entropy: float
    log_normalisers: Mapping[float, float]
    prompt_tokens: int
    provenance: Provenance


@dataclass(frozen=True)
class TextToText:
    """What an encoder-decoder model writes for an input, token by token, greedily.

    Attributes:
        text: the output as a person reads it, sentinels kept.
        tokens: each token written, with its log-probability (nats) and the best alternatives; the end token last,
            unless `reason` is `length`.
        input_tokens: tokens of the input, its end token counted.
        reason: `stop` (end token) or `length`.
    """

    text: str
    tokens: tuple[TokenLogprob, ...]
    input_tokens: int
    reason: str
    provenance: Provenance


@dataclass(frozen=True)
class Message:
    """One turn of a chat: `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class GenerationChunk:
    """A piece of generated text.

    Attributes:
        text: what this chunk adds.
        logprobs: log-probability in nats of each token of the chunk; empty where the backend gives none (sampling in a
            batch on a GPU).
        finished: whether this is the last chunk; it carries `reason` and `provenance`.
        reason: `stop` (end token or stop string), `length` or `cancelled`; empty before the end.
        tokens: tokens generated so far.
    """

    text: str
    logprobs: tuple[float, ...] = ()
    finished: bool = False
    reason: str = ""
    tokens: int = 0
    provenance: Provenance | None = None


@dataclass(frozen=True)
class Tokenised:
    """A text as a model reads it.

    Attributes:
        tokens: readable form of each token.
        starts_word: False for a token that continues the word before it.
        special: [CLS], [SEP] and the like.
        spans: where each token stands in the text, as (start, end) in characters; (0, 0) for added tokens.
        mask_token: the model's own mask; empty where it has none.
    """

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    starts_word: tuple[bool, ...]
    special: tuple[bool, ...]
    spans: tuple[tuple[int, int], ...]
    mask_token: str
    context_length: int


@dataclass(frozen=True)
class RecipeToken:
    """One token under BERT's masking recipe: what it was, what the model sees, and which rule chose it."""

    original: str
    seen: str
    fate: Literal["untouched", "masked", "random", "kept"]
    starts_word: bool
    special: bool
