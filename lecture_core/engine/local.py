"""The engine in this process: one worker a model, models loaded at first use, least recently used ones let go."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from lecture_core import catalog, generation
from lecture_core import device as devices
from lecture_core.engine import llama
from lecture_core.engine.admission import LIMITS, Admission
from lecture_core.engine.pool import WorkerPool, memory_budget
from lecture_core.engine.result_cache import LIMIT, ResultCache, remembered
from lecture_core.engine.results import (
    Corruption,
    Detection,
    EngineStatus,
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
from lecture_core.engine.streams import stream
from lecture_core.errors import InvalidInputError
from lecture_core.loading import LoadedModel, LoadedTokenizer, gguf_path, revision_of
from lecture_core.provenance import Provenance
from lecture_core.text_input import MAX_PROMPT_CHARACTERS, checked

if TYPE_CHECKING:
    from lecture_core.catalog import ModelSpec
    from lecture_core.encoder import EncoderRequest

T = TypeVar("T")
MASKED = ("masked_lm", "rtd_generator")
DEADLINE = 90.0  # seconds for an answer, loading and a first conversion included


class LocalEngine:
    """Runs the catalog's models in this process; thread-safe. Implements `protocol.Engine`. Loads nothing by itself.

    Args:
        result_bytes: what kept results of pure calls may take together; 0 computes everything anew.
    """

    def __init__(self, *, result_bytes: int = LIMIT) -> None:
        self.results = ResultCache(result_bytes)
        self._admission = Admission(LIMITS[devices.choose().name])
        self._pool = WorkerPool(memory_budget(), patience=DEADLINE)
        self._llama = llama.LlamaPool()

    def tokenise(self, text: str, *, model: str) -> Tokenised:
        """See `Engine.tokenise`."""
        words = self._pool.words(catalog.get(model))
        ids, starts = words.encode(checked(text, limit=MAX_PROMPT_CHARACTERS))
        return Tokenised(
            spans=tuple(words.spans(text)),
            tokens=tuple(words.readable(i) for i in ids),
            ids=tuple(ids),
            starts_word=tuple(starts),
            special=tuple(i in words.special_ids for i in ids),
            mask_token=words.mask_token,
            context_length=self._context_length(words.spec),
        )

    def masking_recipe(
        self, text: str, *, model: str, mask_probability: float = 0.15, seed: int = 0
    ) -> tuple[RecipeToken, ...]:
        """See `Engine.masking_recipe`."""
        from lecture_core import masked_lm

        words = self._pool.words(self._spec(model, MASKED))
        return masked_lm.masking_recipe(text, words, mask_probability=mask_probability, seed=seed)

    @remembered
    def fill_mask(
        self, text: str, *, model: str, top_k: int = 10, candidates: Sequence[str] = (), session: str = ""
    ) -> FillMaskResult:
        """See `Engine.fill_mask`."""
        from lecture_core import masked_lm

        return self._encode(
            model, MASKED, lambda words: masked_lm.fill_masks_request(text, words, top_k=top_k, asked=candidates)
        )

    @remembered
    def vocabulary_at_mask(self, text: str, *, model: str, session: str = "") -> VocabularyAtMask:
        """See `Engine.vocabulary_at_mask`."""
        from lecture_core import masked_lm

        return self._encode(model, MASKED, lambda words: masked_lm.vocabulary_request(text, words))

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
        from lecture_core import pseudo_likelihood

        def job(m: LoadedModel) -> TokenLogprobs:
            return pseudo_likelihood.masked_logprobs(text, m, positions=positions, in_turn=in_turn, top_k=top_k)

        return self._run(model, MASKED, job)

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
        from lecture_core import replaced_token_detection as rtd

        def prepare(words: LoadedTokenizer) -> "EncoderRequest[Corruption]":
            return rtd.corrupt_request(
                text, words, mask_probability=mask_probability, seed=seed, temperature=temperature
            )

        return self._encode(model, MASKED, prepare)

    @remembered
    def detect_replacements(
        self, corrupted: Corruption | str, *, model: str, original: str | None = None, session: str = ""
    ) -> Detection:
        """See `Engine.detect_replacements`."""
        from lecture_core import replaced_token_detection as rtd

        def prepare(words: LoadedTokenizer) -> "EncoderRequest[Detection]":
            before = None if original is None else words.encode(checked(original))[0]
            if isinstance(corrupted, str):
                ids, starts = words.encode(checked(corrupted))
                return rtd.detect_request(ids, starts, before, words)
            starts = [token.starts_word for token in corrupted.tokens]
            return rtd.detect_request(list(corrupted.corrupted_ids), starts, list(corrupted.original_ids), words)

        return self._encode(model, ("rtd_discriminator",), prepare)

    @remembered
    def token_logprobs(self, text: str, *, model: str, top_k: int = 5, session: str = "") -> TokenLogprobs:
        """See `Engine.token_logprobs`."""
        from lecture_core import scoring

        return self._run(model, ("causal_lm",), lambda m: scoring.token_logprobs(text, m, top_k=top_k))

    @remembered
    def score(self, prompt: str, completions: Sequence[str], *, model: str, session: str = "") -> Scores:
        """See `Engine.score`."""
        from lecture_core import scoring

        return self._run(model, ("causal_lm",), lambda m: scoring.score(prompt, completions, m))

    @remembered
    def score_prompts(
        self, prompts: Sequence[str], completions: Sequence[str], *, model: str, session: str = ""
    ) -> PromptScores:
        """See `Engine.score_prompts`."""
        from lecture_core import scoring

        return self._run(model, ("causal_lm",), lambda m: scoring.score_prompts(prompts, completions, m))

    @remembered
    def next_token(self, prompt: str, *, model: str, top_k: int = 10, session: str = "") -> NextToken:
        """See `Engine.next_token`."""
        from lecture_core import scoring

        return self._run(model, ("causal_lm",), lambda m: scoring.next_token(prompt, m, top_k=top_k))

    @remembered
    def text_to_text(
        self, text: str, *, model: str, max_new_tokens: int = 64, top_k: int = 5, session: str = ""
    ) -> TextToText:
        """See `Engine.text_to_text`."""
        from lecture_core import text_to_text as t2t

        def job(m: LoadedModel) -> TextToText:
            return t2t.write(text, m, max_new_tokens=max_new_tokens, top_k=top_k)

        return self._run(model, ("seq2seq",), job)

    @remembered
    def target_logprobs(
        self, text: str, target: str, *, model: str, top_k: int = 5, session: str = ""
    ) -> TokenLogprobs:
        """See `Engine.target_logprobs`."""
        from lecture_core import text_to_text as t2t

        return self._run(model, ("seq2seq",), lambda m: t2t.target_logprobs(text, target, m, top_k=top_k))

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
        session: str = "",
    ) -> Iterator[GenerationChunk]:
        """See `Engine.generate`. Mistakes raise here, before the first chunk is asked for."""
        spec = self._spec(model, ("causal_lm",))
        for text in [prompt] if isinstance(prompt, str) else [m.content for m in prompt]:
            checked(text, limit=MAX_PROMPT_CHARACTERS)
        sampling = generation.Sampling(max_new_tokens, temperature, top_p, seed, tuple(stop))
        run = self._llama.run if llama.serves(spec) else self._transformers_run

        def fill(emit: generation.Emit, cancelled: threading.Event) -> tuple[str, Provenance]:
            return run(spec, prompt, sampling, emit, cancelled)

        return stream(fill, self._admission, session, deadline=DEADLINE)

    def weights_checksum(self, model: str) -> str:
        """See `Engine.weights_checksum`. llama.cpp maps its file read-only, so the file is what it computes with."""
        spec = self._spec(model, ())
        if llama.serves(spec):
            return revision_of(gguf_path(spec))
        return self._run(model, (), _parameters_hash)

    def status(self) -> EngineStatus:
        """See `Engine.status`."""
        device = devices.choose()
        loaded = self._pool.status() + self._llama.status()
        return EngineStatus(device.name, device.dtype, device.reason, tuple(loaded), self._admission.waiting)

    def cancel(self, session: str) -> None:
        """See `Engine.cancel`."""
        self._admission.cancel(session)

    def _run(self, model: str, roles: tuple[str, ...], job: Callable[[LoadedModel], T]) -> T:
        spec = self._spec(model, roles)
        with self._admission.admit(), self._pool.use(spec) as worker:
            return _timed(*worker.run(job, deadline=DEADLINE))

    def _encode(
        self, model: str, roles: tuple[str, ...], prepare: "Callable[[LoadedTokenizer], EncoderRequest[T]]"
    ) -> T:
        spec = self._spec(model, roles)
        with self._admission.admit(), self._pool.use(spec) as worker:
            return _timed(*worker.encode(prepare, deadline=DEADLINE))

    def _spec(self, model: str, roles: tuple[str, ...]) -> "ModelSpec":
        spec = catalog.get(model)
        if roles and spec.role not in roles:
            raise InvalidInputError(
                expected=f"a model of the kind {' or '.join(roles)}",
                got=f"{spec.id}, a {spec.role}",
                remedy=f"choose {catalog.models(roles[0])[0].id}",
            )
        return spec

    def _context_length(self, spec: "ModelSpec") -> int:
        return min(spec.context_length, llama.SLOT_TOKENS) if llama.serves(spec) else spec.context_length

    def _transformers_run(
        self,
        spec: "ModelSpec",
        prompt: str | Sequence[Message],
        sampling: generation.Sampling,
        emit: generation.Emit,
        cancelled: threading.Event,
    ) -> tuple[str, Provenance]:
        def job(model: LoadedModel) -> tuple[str, Provenance]:
            origin = Provenance(spec.id, model.revision, model.device.name, model.device.dtype, sampling.seed)
            if cancelled.is_set():
                return "cancelled", origin
            return generation.stream_with_transformers(model, prompt, sampling, emit), origin

        with self._pool.use(spec) as worker:
            return worker.run(job, deadline=None)[0]


def _timed(result: T, seconds: float) -> T:
    origin = getattr(result, "provenance", None)
    return result if origin is None else replace(result, provenance=replace(origin, seconds=seconds))  # type: ignore[type-var]


def _parameters_hash(model: LoadedModel) -> str:
    digest = hashlib.sha256()
    for _, parameter in sorted(model.network.state_dict().items()):
        digest.update(parameter.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]
