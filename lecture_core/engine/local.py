"""The engine in this process: one worker a model, models loaded at first use, least recently used ones let go."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from lecture_core import catalog, generation
from lecture_core import device as devices
from lecture_core.engine import continuous, llama
from lecture_core.engine.admission import LIMITS, Admission
from lecture_core.engine.calls import CAUSAL, ModelCalls, Prepared
from lecture_core.engine.first_views import FirstViews, Question
from lecture_core.engine.pool import WorkerPool, memory_budget
from lecture_core.engine.result_cache import LIMIT
from lecture_core.engine.results import GenerationChunk, Message, PromptScores
from lecture_core.engine.status import EngineStatus
from lecture_core.engine.streams import stream
from lecture_core.engine.waiting import Ticket
from lecture_core.errors import BusyError, InvalidInputError, StoppedError
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import LoadedModel, gguf_path, revision_of
from lecture_core.provenance import Provenance
from lecture_core.text_input import MAX_PROMPT_CHARACTERS, checked, without_control_characters

if TYPE_CHECKING:
    from lecture_core.catalog import ModelSpec
    from lecture_core.scoring import ScoreRequest

T = TypeVar("T")
Generate = Callable[
    ["ModelSpec", str | Sequence[Message], generation.Sampling, generation.Emit, Ticket], tuple[str, Provenance]
]
DEADLINE = 90.0  # seconds for an answer, loading and a first conversion included


class LocalEngine(ModelCalls):
    """Runs the catalog's models in this process; thread-safe. Implements `protocol.Engine`. Loads nothing by itself.

    Args:
        result_bytes: what kept results of pure calls may take together; 0 computes everything anew.
        first_views: recorded answers for the time until a model is loaded; None for none.
    """

    def __init__(self, *, result_bytes: int = LIMIT, first_views: FirstViews | None = None) -> None:
        super().__init__(result_bytes=result_bytes, first_views=first_views)
        self._admission = Admission(LIMITS[devices.choose().name])
        self._llama = llama.LlamaPool()
        self._pool = WorkerPool(memory_budget(), patience=DEADLINE, beside=self._llama)

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
        """See `Engine.generate`. Mistakes raise here, before the first chunk is asked for."""
        spec = self._spec(model, CAUSAL)
        for text in [prompt] if isinstance(prompt, str) else [m.content for m in prompt]:
            checked(text, limit=MAX_PROMPT_CHARACTERS)
        for text in stop:
            without_control_characters(text)
        sampling = generation.Sampling(max_new_tokens, temperature, top_p, seed, tuple(stop), logprobs)
        run = self._generator(spec)

        def fill(emit: generation.Emit, ticket: Ticket) -> tuple[str, Provenance]:
            try:
                return run(spec, prompt, sampling, emit, ticket)
            except StoppedError:
                return "cancelled", Provenance(spec.id, seed=sampling.seed)

        question = Question("generate", model, (prompt if isinstance(prompt, str) else tuple(prompt), sampling))
        if chunks := self.stand_in(question, lambda: self._load_generator(spec)):
            return (chunk for chunk in chunks)
        return self._or_recorded_stream(question, stream(fill, self._admission, session, deadline=DEADLINE))

    def ready(self, call: str, model: str) -> bool:
        """See `Remembering.ready`."""
        spec = catalog.get(model)
        if call in ("tokenise", "masking_recipe"):
            return self._pool.has_words(spec)
        if call == "generate" and llama.serves(spec):
            return self._llama.ready(spec)
        return self._pool.has_model(spec)

    def _load_generator(self, spec: "ModelSpec") -> None:
        if llama.serves(spec):
            with self._llama_room(spec, Ticket()):
                self._llama.start(spec)
        else:
            self._run(spec.id, CAUSAL, lambda model: None)

    def _or_recorded_stream(self, question: Question, chunks: Iterator[GenerationChunk]) -> Iterator[GenerationChunk]:
        """The stream, or what was recorded if all places are taken or there is no memory."""
        begun = False
        try:
            for chunk in self.noted_stream(question, chunks):
                begun = begun or bool(chunk.text)
                yield chunk
        except BusyError:
            recorded = None if begun else self.instead(question)
            if recorded is None:
                raise
            yield from recorded
        finally:
            chunks.close()  # type: ignore[attr-defined]

    def weights_checksum(self, model: str, *, generating: bool, load: bool = False) -> str:
        """See `Engine.weights_checksum`. llama.cpp maps its file read-only, so the file is what it computes with."""
        spec = self._spec(model, ())
        if generating and llama.serves(spec):
            return revision_of(gguf_path(spec))
        return self._run(model, (), _parameters_hash) if load or self._pool.has_model(spec) else ""

    def status(self) -> EngineStatus:
        """See `Engine.status`."""
        device = devices.choose()
        loaded = self._pool.status() + self._llama.status()
        waiting = self._admission.waiting
        return EngineStatus(device.name, device.dtype, device.reason, tuple(loaded), waiting, self.catching_up)

    def cancel(self, session: str) -> None:
        """See `Engine.cancel`."""
        self._admission.cancel(session)

    def attend(self, session: str) -> AbstractContextManager[Ticket]:
        """See `Remembering.attend`."""
        return self._admission.attend(session)

    def _run(self, model: str, roles: tuple[str, ...], job: Callable[[LoadedModel], T], session: str = "") -> T:
        spec = self._spec(model, roles)
        with self._admission.admit(session) as ticket, self._pool.use(spec, ticket) as worker:
            return _timed(*worker.run(job, ticket, deadline=DEADLINE))

    def _forward(
        self,
        model: str,
        roles: tuple[str, ...],
        prepare: "Callable[[LoadedTokenizer], Prepared[T]]",
        session: str = "",
    ) -> T:
        spec = self._spec(model, roles)
        with self._admission.admit(session) as ticket, self._pool.use(spec, ticket) as worker:
            return _timed(*worker.forward(prepare, ticket, deadline=DEADLINE))

    def _scored(self, model: str, prompts: Sequence[str], completions: Sequence[str], session: str) -> PromptScores:
        def prepare(words: LoadedTokenizer) -> "ScoreRequest":
            from lecture_core.scoring import score_request

            return score_request(prompts, completions, words)

        spec = self._spec(model, CAUSAL)
        with self._admission.admit(session) as ticket, self._pool.use(spec, ticket) as worker:
            found, seconds = worker.score(prepare, ticket, deadline=DEADLINE)
        return _timed(replace(found, prompts=tuple(_timed(scores, seconds) for scores in found.prompts)), seconds)

    def _spec(self, model: str, roles: tuple[str, ...]) -> "ModelSpec":
        spec = catalog.get(model)
        if roles and spec.role not in roles:
            raise InvalidInputError(
                expected=f"a model of the kind {' or '.join(roles)}",
                got=f"{spec.id} ({spec.role})",
                remedy=f"choose {catalog.models(roles[0])[0].id}",
            )
        return spec

    def _words(self, model: str, roles: tuple[str, ...]) -> LoadedTokenizer:
        return self._pool.words(self._spec(model, roles))

    def _context_length(self, words: LoadedTokenizer) -> int:
        spec = words.spec
        return min(spec.context_length, llama.SLOT_TOKENS) if llama.serves(spec) else spec.context_length

    def _generator(self, spec: "ModelSpec") -> "Generate":
        if llama.serves(spec):
            return self._llama_run
        return self._batched_run if continuous.serves() else self._transformers_run

    def _llama_run(
        self,
        spec: "ModelSpec",
        prompt: str | Sequence[Message],
        sampling: generation.Sampling,
        emit: generation.Emit,
        ticket: Ticket,
    ) -> tuple[str, Provenance]:
        with self._llama_room(spec, ticket):
            return self._llama.run(spec, prompt, sampling, emit, ticket)

    @contextmanager
    def _llama_room(self, spec: "ModelSpec", ticket: Ticket) -> Iterator[None]:
        """Hold room for a model's process; what another request took of it in between is made again."""
        while True:
            self._pool.make_room(spec, llama.needed_gb(spec), ticket)
            with self._llama.using():
                if self._llama.has(spec):
                    yield
                    return

    def _batched_run(
        self,
        spec: "ModelSpec",
        prompt: str | Sequence[Message],
        sampling: generation.Sampling,
        emit: generation.Emit,
        ticket: Ticket,
    ) -> tuple[str, Provenance]:
        with self._pool.use(spec, ticket) as worker:
            generator = worker.generator(ticket, deadline=DEADLINE)
            device = generator.model.device
            origin = Provenance(spec.id, generator.model.revision, device.name, device.dtype, sampling.seed)
            return generator.stream(prompt, sampling, emit, ticket), origin

    def _transformers_run(
        self,
        spec: "ModelSpec",
        prompt: str | Sequence[Message],
        sampling: generation.Sampling,
        emit: generation.Emit,
        ticket: Ticket,
    ) -> tuple[str, Provenance]:
        def job(model: LoadedModel) -> tuple[str, Provenance]:
            origin = Provenance(spec.id, model.revision, model.device.name, model.device.dtype, sampling.seed)
            if ticket.is_set():
                return "cancelled", origin
            return generation.stream_with_transformers(model, prompt, sampling, emit), origin

        with self._pool.use(spec, ticket) as worker:
            return worker.run(job, ticket, deadline=None)[0]


def _timed(result: T, seconds: float) -> T:
    origin = getattr(result, "provenance", None)
    return result if origin is None else replace(result, provenance=replace(origin, seconds=seconds))  # type: ignore[type-var]


def _parameters_hash(model: LoadedModel) -> str:
    """Hash of the sums over each parameter's bits: fast, and any single change changes it."""
    import torch

    whole = {2: torch.int16, 4: torch.int32}
    digest = hashlib.sha256()
    for name, parameter in sorted(model.network.state_dict().items()):
        bits = parameter.detach().contiguous().view(whole.get(parameter.element_size(), torch.uint8))
        digest.update(f"{name} {int(bits.sum(dtype=torch.int64))}".encode())
    return digest.hexdigest()[:8]
