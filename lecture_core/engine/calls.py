"""The calls whose results depend on nothing but their inputs: each names its roles and its computation.

They know neither threads nor memory: an engine gives them `_run` and `_forward`. Results are kept and shared by
`remembered`; torch is imported once a request has got its place, so that a refusal does not wait for it.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast

from lecture_core import device as devices
from lecture_core.engine.pictures import CoveredAnswers, ImageAnswer, Picture
from lecture_core.engine.remembering import Call, Remembering, recorded, remembered, remembered_slow
from lecture_core.engine.results import (
    Corruption,
    Detection,
    FillMaskResult,
    NextToken,
    PromptScores,
    RecipeToken,
    Scores,
    TextToText,
    Tokenised,
    TokenLogprobs,
    VocabularyAtMask,
)
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import LoadedModel
from lecture_core.text_input import MAX_PROMPT_CHARACTERS, checked

if TYPE_CHECKING:
    from lecture_core.forward import ForwardRequest

T = TypeVar("T")
Prepared = Union["ForwardRequest[T]", Callable[[LoadedModel], T]]
MASKED = ("masked_lm", "rtd_generator")
CAUSAL = ("causal_lm",)
SEQ2SEQ = ("seq2seq",)
VISION = ("vision_language",)


def remembered_unless_private(call: Call) -> Call:
    """As `remembered`, for a call about a picture: nothing is kept where the picture is a visitor's own."""
    kept = remembered(call)

    @wraps(call)
    def answered(self: Remembering, picture: Picture, *inputs: Any, **settings: Any) -> Any:
        return (call if picture.private else kept)(self, picture, *inputs, **settings)

    return cast(Any, answered)


class ModelCalls(Remembering):
    """Implements the pure part of `protocol.Engine` on top of the four methods that an engine brings."""

    def _words(self, model: str, roles: tuple[str, ...]) -> LoadedTokenizer:
        """The tokenizer of a model of one of the roles; any role if there are none."""
        raise NotImplementedError

    def _context_length(self, words: LoadedTokenizer) -> int:
        """What a request of this model may hold, in tokens."""
        raise NotImplementedError

    def _run(self, model: str, roles: tuple[str, ...], job: Callable[[LoadedModel], T], session: str = "") -> T:
        """Run a job on the thread that owns the model. Here and below, one request of a session runs at a time."""
        raise NotImplementedError

    def _forward(
        self,
        model: str,
        roles: tuple[str, ...],
        prepare: "Callable[[LoadedTokenizer], Prepared[T]]",
        session: str = "",
    ) -> T:
        """Answer a request of one forward pass, together with those that wait at the same time.

        Where `prepare` returns a job instead of a request, that is run as by `_run`.
        """
        raise NotImplementedError

    def _scored(self, model: str, prompts: Sequence[str], completions: Sequence[str], session: str) -> PromptScores:
        """Answer a request for scores, together with those that wait at the same time and share its exemplars."""
        raise NotImplementedError

    @recorded
    def tokenise(self, text: str, *, model: str) -> Tokenised:
        """See `Engine.tokenise`."""
        words = self._words(model, ())
        ids, starts = words.encode(checked(text, limit=MAX_PROMPT_CHARACTERS))
        return Tokenised(
            spans=tuple(words.spans(text)),
            tokens=tuple(words.readable(i) for i in ids),
            ids=tuple(ids),
            starts_word=tuple(starts),
            special=tuple(i in words.special_ids for i in ids),
            mask_token=words.mask_token,
            context_length=self._context_length(words),
        )

    @recorded
    def masking_recipe(
        self, text: str, *, model: str, mask_probability: float = 0.15, seed: int = 0
    ) -> tuple[RecipeToken, ...]:
        """See `Engine.masking_recipe`."""
        from lecture_core import masked_lm

        words = self._words(model, MASKED)
        return masked_lm.masking_recipe(text, words, mask_probability=mask_probability, seed=seed)

    @remembered
    def fill_mask(
        self, text: str, *, model: str, top_k: int = 10, candidates: Sequence[str] = (), session: str = ""
    ) -> FillMaskResult:
        """See `Engine.fill_mask`."""

        def prepare(words: LoadedTokenizer) -> "ForwardRequest[FillMaskResult]":
            from lecture_core import masked_lm

            return masked_lm.fill_masks_request(text, words, top_k=top_k, asked=candidates)

        return self._forward(model, MASKED, prepare, session)

    @remembered
    def vocabulary_at_mask(self, text: str, *, model: str, session: str = "") -> VocabularyAtMask:
        """See `Engine.vocabulary_at_mask`."""

        def prepare(words: LoadedTokenizer) -> "ForwardRequest[VocabularyAtMask]":
            from lecture_core import masked_lm

            return masked_lm.vocabulary_request(text, words)

        return self._forward(model, MASKED, prepare, session)

    @remembered
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
        """See `Engine.masked_logprobs`."""

        def prepare(words: LoadedTokenizer) -> "Prepared[TokenLogprobs]":
            from lecture_core import pseudo_likelihood

            if in_turn:
                return lambda m: pseudo_likelihood.masked_logprobs_in_turn(text, m, positions=positions, top_k=top_k)
            return pseudo_likelihood.masked_logprobs_request(text, words, positions=positions, top_k=top_k)

        return self._forward(model, MASKED, prepare, session)

    @remembered
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
        """See `Engine.corrupt`."""

        def prepare(words: LoadedTokenizer) -> "ForwardRequest[Corruption]":
            from lecture_core import replaced_token_detection as rtd

            return rtd.corrupt_request(
                text, words, mask_probability=mask_probability, seed=seed, temperature=temperature
            )

        return self._forward(model, MASKED, prepare, session)

    @remembered
    def detect_replacements(
        self, corrupted: Corruption | str, *, model: str, original: str | None = None, session: str = ""
    ) -> Detection:
        """See `Engine.detect_replacements`."""

        def prepare(words: LoadedTokenizer) -> "ForwardRequest[Detection]":
            from lecture_core import replaced_token_detection as rtd

            before = None if original is None else words.encode(checked(original))[0]
            if isinstance(corrupted, str):
                ids, starts = words.encode(checked(corrupted))
                return rtd.detect_request(ids, starts, before, words)
            starts = [token.starts_word for token in corrupted.tokens]
            return rtd.detect_request(list(corrupted.corrupted_ids), starts, list(corrupted.original_ids), words)

        return self._forward(model, ("rtd_discriminator",), prepare, session)

    @remembered_slow
    def token_logprobs(self, text: str, *, model: str, top_k: int = 5, session: str = "") -> TokenLogprobs:
        """See `Engine.token_logprobs`."""

        def prepare(words: LoadedTokenizer) -> "Prepared[TokenLogprobs]":
            from lecture_core import token_logprobs

            if token_logprobs.read_alone(words, len(words.encode(checked(text))[0]), devices.choose().name):
                return lambda m: token_logprobs.token_logprobs_of_long(text, m, top_k=top_k)
            return token_logprobs.token_logprobs_request(text, words, top_k=top_k)

        return self._forward(model, CAUSAL, prepare, session)

    @remembered
    def score(self, prompt: str, completions: Sequence[str], *, model: str, session: str = "") -> Scores:
        """See `Engine.score`."""
        return self._scored(model, [prompt], completions, session).prompts[0]

    @remembered
    def score_prompts(
        self, prompts: Sequence[str], completions: Sequence[str], *, model: str, session: str = ""
    ) -> PromptScores:
        """See `Engine.score_prompts`."""
        return self._scored(model, prompts, completions, session)

    @remembered
    def next_token(self, prompt: str, *, model: str, top_k: int = 10, session: str = "") -> NextToken:
        """See `Engine.next_token`."""

        def prepare(words: LoadedTokenizer) -> "ForwardRequest[NextToken]":
            from lecture_core import token_logprobs

            return token_logprobs.next_token_request(prompt, words, top_k=top_k)

        return self._forward(model, CAUSAL, prepare, session)

    @remembered
    def text_to_text(
        self, text: str, *, model: str, max_new_tokens: int = 64, top_k: int = 5, session: str = ""
    ) -> TextToText:
        """See `Engine.text_to_text`."""

        def job(m: LoadedModel) -> TextToText:
            from lecture_core import text_to_text as t2t

            return t2t.write(text, m, max_new_tokens=max_new_tokens, top_k=top_k)

        return self._run(model, SEQ2SEQ, job, session)

    @remembered
    def target_logprobs(
        self, text: str, target: str, *, model: str, top_k: int = 5, session: str = ""
    ) -> TokenLogprobs:
        """See `Engine.target_logprobs`."""

        def job(m: LoadedModel) -> TokenLogprobs:
            from lecture_core import text_to_text as t2t

            return t2t.target_logprobs(text, target, m, top_k=top_k)

        return self._run(model, SEQ2SEQ, job, session)

    @remembered_unless_private
    def answer_about_image(
        self, picture: Picture, question: str, *, model: str, top_k: int = 5, session: str = ""
    ) -> ImageAnswer:
        """See `Engine.answer_about_image`."""
        return self._run(model, VISION, _about(picture, question, top_k), session)

    def answer_about_photo(
        self, picture: Picture, question: str, *, model: str, top_k: int = 5, session: str = ""
    ) -> ImageAnswer:
        """See `Engine.answer_about_photo`."""
        return self._run(model, VISION, _about(picture, question, top_k), session)

    @remembered_unless_private
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
        """See `Engine.answer_when_covered`."""

        def job(m: LoadedModel) -> CoveredAnswers:
            from lecture_core import vision_language

            return vision_language.answer_when_covered(picture, question, answer_ids, m, grid=grid)

        return self._run(model, VISION, job, session)


def _about(picture: Picture, question: str, top_k: int) -> Callable[[LoadedModel], ImageAnswer]:
    def job(m: LoadedModel) -> ImageAnswer:
        from lecture_core import vision_language

        return vision_language.answer(picture, question, m, top_k=top_k)

    return job
