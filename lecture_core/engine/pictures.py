"""Pictures as plain values, and what engines return about them."""

import math
from dataclasses import dataclass, field

import numpy as np

from lecture_core.engine.results import TokenLogprob
from lecture_core.errors import InvalidInputError
from lecture_core.provenance import Provenance

MAX_SIDE = 2048  # pixels


@dataclass(frozen=True)
class Picture:
    """A picture without any file format.

    Attributes:
        rgb: height x width x 3 bytes, row by row from the top left.
        private: a visitor's own picture; neither it nor what is computed from it is kept.
    """

    width: int
    height: int
    rgb: bytes
    private: bool = field(default=False, compare=False, repr=False)  # outside of the name of a recorded answer

    @classmethod
    def of(cls, pixels: np.ndarray, *, private: bool = False) -> "Picture":
        """Take over an array; (H, W, 3) uint8.

        Args:
            private: whether it is a visitor's own.

        Raises:
            InvalidInputError: another shape or type, or a side of 0 or more than 2,048 pixels.
        """
        fits = pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8
        if not fits or not all(1 <= side <= MAX_SIDE for side in pixels.shape[:2]):
            raise InvalidInputError(
                expected=f"a picture of at most {MAX_SIDE:,} by {MAX_SIDE:,} pixels, 3 bytes each",
                got=f"{pixels.dtype} of shape {pixels.shape}",
                remedy="give a smaller picture",
            )
        return cls(pixels.shape[1], pixels.shape[0], pixels.tobytes(), private)

    def pixels(self) -> np.ndarray:
        """The picture as an array; (H, W, 3) uint8, read-only."""
        return np.frombuffer(self.rgb, dtype=np.uint8).reshape(self.height, self.width, 3)


@dataclass(frozen=True)
class ImageAnswer:
    """What a vision-language model answers about a picture, word by word, greedily.

    Attributes:
        text: the answer as a person reads it.
        tokens: each token written with its log-probability (nats) and the best alternatives; the end token last,
            unless `reason` is `length`.
        question_tokens: tokens of the question; for a chat model all it reads, the picture's places counted.
        unknown: words of the question that the model has no token for; it reads them all as the same one.
        reason: `stop` (end token) or `length`.
    """

    text: str
    tokens: tuple[TokenLogprob, ...]
    question_tokens: int
    unknown: tuple[str, ...]
    reason: str
    provenance: Provenance

    @property
    def probability(self) -> float:
        """Probability of exactly this answer, its end included, in [0, 1]."""
        return math.exp(sum(token.logprob for token in self.tokens))


@dataclass(frozen=True)
class CoveredAnswers:
    """How much a model still believes in an answer while one cell of the picture is covered.

    Attributes:
        grid: the picture is divided into grid x grid cells.
        answer: the answer asked about.
        probability: its probability with the whole picture, in [0, 1].
        covered: its probability with each cell covered, row by row from the top left.
        first_words: the most probable first word with each cell covered.
    """

    grid: int
    answer: str
    probability: float
    covered: tuple[float, ...]
    first_words: tuple[str, ...]
    provenance: Provenance
