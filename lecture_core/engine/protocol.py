"""The contract between pages and engines: plain values in, the dataclasses of `results` out."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from lecture_core.engine.pictures import CoveredAnswers, ImageAnswer, Picture
from lecture_core.engine.results import (
    Corruption,
    Detection,
    FillMaskResult,
    GenerationChunk,
    Message,
    NextToken,
    PromptScores,
    RecipeToken,
    Scores,
    TextToText,
    Tokenised,
    TokenLogprobs,
    VocabularyAtMask,
)
from lecture_core.engine.status import EngineStatus


class Engine(Protocol):
    """What pages may ask of the models. All calls raise children of `LectureError` for a visitor's mistakes.

    Requests that run or wait are bounded; who asks what somebody else is being answered waits for that at no cost.
    """

    def tokenise(self, text: str, *, model: str) -> Tokenised:
        """Split a text into the model's tokens; loads the tokenizer only."""

    def masking_recipe(
        self, text: str, *, model: str, mask_probability: float = 0.15, seed: int = 0
    ) -> tuple[RecipeToken, ...]:
        """Apply BERT's masking recipe with the model's tokenizer; loads no weights."""

    def fill_mask(
        self, text: str, *, model: str, top_k: int = 10, candidates: Sequence[str] = (), session: str = ""
    ) -> FillMaskResult:
        """Rank the vocabulary at every mask of `text`."""

    def vocabulary_at_mask(self, text: str, *, model: str, session: str = "") -> VocabularyAtMask:
        """Log-probability of every whole word of the vocabulary at the only mask of a text."""

    def masked_logprobs(
        self,
        text: str,
        *,
        model: str,
        positions: Sequence[int] | None = None,
        in_turn: bool = False,
        top_k: int = 5,
        session: str = "",
    ) -> TokenLogprobs:
        """Log-probability of a text's own tokens where they are hidden: all at once, or one in turn."""

    def corrupt(
        self,
        text: str,
        *,
        model: str,
        mask_probability: float = 0.15,
        seed: int = 0,
        temperature: float = 1.0,
        session: str = "",
    ) -> Corruption:
        """Mask some tokens and let the generator `model` sample what to put there."""

    def detect_replacements(
        self, corrupted: Corruption | str, *, model: str, original: str | None = None, session: str = ""
    ) -> Detection:
        """Give each token's probability of being a replacement."""

    def token_logprobs(self, text: str, *, model: str, top_k: int = 5, session: str = "") -> TokenLogprobs:
        """Log-probability of each token of `text` given the tokens before it."""

    def score(self, prompt: str, completions: Sequence[str], *, model: str, session: str = "") -> Scores:
        """Log-probability of each completion after `prompt`; the prompt is computed once."""

    def score_prompts(
        self, prompts: Sequence[str], completions: Sequence[str], *, model: str, session: str = ""
    ) -> PromptScores:
        """Log-probability of each completion after each prompt; what all prompts share is computed once."""

    def next_token(self, prompt: str, *, model: str, top_k: int = 10, session: str = "") -> NextToken:
        """Distribution of the token after `prompt`."""

    def text_to_text(
        self, text: str, *, model: str, max_new_tokens: int = 64, top_k: int = 5, session: str = ""
    ) -> TextToText:
        """What an encoder-decoder model writes for `text` (prefix included), greedily."""

    def target_logprobs(
        self, text: str, target: str, *, model: str, top_k: int = 5, session: str = ""
    ) -> TokenLogprobs:
        """Every token of `target` given `text` and the true tokens before it: what carries loss in training."""

    def answer_about_image(
        self, picture: Picture, question: str, *, model: str, top_k: int = 5, session: str = ""
    ) -> ImageAnswer:
        """What a vision-language model answers about a picture, greedily."""

    def answer_about_photo(
        self, picture: Picture, question: str, *, model: str, top_k: int = 5, session: str = ""
    ) -> ImageAnswer:
        """As `answer_about_image`, for a visitor's own picture: neither it nor the answer is kept."""

    def answer_when_covered(
        self,
        picture: Picture,
        question: str,
        answer_ids: Sequence[int],
        *,
        model: str,
        grid: int = 4,
        session: str = "",
    ) -> CoveredAnswers:
        """Probability of an answer with each cell of the picture covered in turn: what it rests on."""

    def generate(
        self,
        prompt: str | Sequence[Message],
        *,
        model: str,
        max_new_tokens: int = 64,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        logprobs: bool = True,
        session: str = "",
    ) -> Iterator[GenerationChunk]:
        """Stream a continuation; closing the iterator or `cancel(session)` frees the model. Temperature 0 is greedy.

        Without `logprobs` the chunks bring none, which is faster.
        """

    def weights_checksum(self, model: str, *, generating: bool, load: bool = False) -> str:
        """Short hash over the weights that answer: equal before and after means no update.

        Empty while they are not in memory, unless they shall be loaded for it. `generating` asks for those that write
        text, which on a CPU may be another copy than those that score it.
        """

    def status(self) -> EngineStatus:
        """What is loaded, where, and who waits."""

    def cancel(self, session: str) -> None:
        """Stop what `session` runs or waits for.

        A single result ends between two of its forward passes. What another session asked too is computed for that one.
        """
