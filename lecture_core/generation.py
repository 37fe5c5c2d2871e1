"""Generated text as a stream: llama.cpp for GGUF files on a CPU, transformers elsewhere.

Lecture: from GPT to GPT-3. Sampling: temperature 0 takes the most probable token each time (greedy).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lecture_core import device as devices
from lecture_core.engine.results import Message
from lecture_core.errors import ContextLengthError, InvalidInputError, ModelUnavailableError
from lecture_core.loading import LoadedModel

SLOTS = 4
SLOT_TOKENS = 4096  # what one request may hold, prompt and answer together
MAX_NEW_TOKENS = 1024

Emit = Callable[[str, tuple[float, ...]], bool]
"""Takes a piece of text and its tokens' log-probabilities; returns True to stop."""


@dataclass(frozen=True)
class Sampling:
    """How to continue a prompt.

    Attributes:
        max_new_tokens: 1 to 1,024.
        temperature: 0 for greedy, else above 0.
        top_p: share of the probability mass that is sampled from, in (0, 1].
        stop: texts that end the answer and are not part of it.
    """

    max_new_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        if not 1 <= self.max_new_tokens <= MAX_NEW_TOKENS:
            raise InvalidInputError(
                expected=f"1 to {MAX_NEW_TOKENS:,} new tokens",
                got=str(self.max_new_tokens),
                remedy="choose a number in that range",
            )
        if not 0 <= self.temperature <= 5:
            raise InvalidInputError(
                expected="a temperature from 0 to 5",
                got=str(self.temperature),
                remedy="0 is greedy, 1 is the model's own",
            )
        if not 0 < self.top_p <= 1:
            raise InvalidInputError(
                expected="top_p above 0 and at most 1", got=str(self.top_p), remedy="1 keeps all tokens"
            )


class LlamaServer:
    """A GGUF file on llama.cpp, its requests batched in slots. Safe to call from several threads.

    Raises:
        ModelUnavailableError: llama.cpp cannot read the file.
    """

    def __init__(self, path: Path, context_length: int) -> None:
        import xllamacpp

        self.context_length = min(context_length, SLOT_TOKENS)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_parallel, params.n_ctx = SLOTS, SLOTS * self.context_length
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = devices.cpu_threads()
        params.warmup, params.verbosity = False, -1
        try:
            self._server = xllamacpp.Server(params)
        except (RuntimeError, ValueError) as exc:
            raise ModelUnavailableError(f"llama.cpp cannot read {path.name}. Install its package again.") from exc

    def stream(self, prompt: str | Sequence[Message], sampling: Sampling, emit: Emit) -> str:
        """Stream a continuation to `emit` from this thread; returns the reason it ended: stop, length or cancelled.

        Raises:
            ContextLengthError: the prompt does not fit.
        """
        reason = "length"
        refused: dict[str, Any] = {}

        def receive(chunk: dict[str, Any] | list[dict[str, Any]]) -> bool:
            nonlocal reason
            stop = False
            for part in chunk if isinstance(chunk, list) else [chunk]:
                if "error" in part:
                    refused.update(part["error"])
                    return True
                choice = part["choices"][0]
                reason = choice.get("finish_reason") or reason
                text = choice.get("text") if "text" in choice else (choice.get("delta") or {}).get("content")
                content = (choice.get("logprobs") or {}).get("content") or []
                if text or content:
                    stop = emit(text or "", tuple(float(t["logprob"]) for t in content)) or stop
            if stop:
                reason = "cancelled"
            return stop

        request = self._request(sampling)
        if isinstance(prompt, str):
            request |= {"prompt": prompt, "n_predict": sampling.max_new_tokens, "n_probs": 1}
            self._server.handle_completions(request, receive)
        else:
            messages = [{"role": m.role, "content": m.content} for m in prompt]
            request |= {
                "messages": messages,
                "max_tokens": sampling.max_new_tokens,
                "logprobs": True,
                "top_logprobs": 1,
            }
            self._server.handle_chat_completions(request, receive)
        if refused:
            raise _refusal(refused, self.context_length)
        return reason

    def _request(self, sampling: Sampling) -> dict[str, Any]:
        return {
            "stream": True,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": 0 if sampling.temperature else 1,
            "min_p": 0.0,
            "repeat_penalty": 1.0,
            "seed": sampling.seed,
            "stop": list(sampling.stop),
            "cache_prompt": True,
        }


def _refusal(error: dict[str, Any], context_length: int) -> Exception:
    if "n_prompt_tokens" in error:
        return ContextLengthError(
            f"Expected a prompt of at most {context_length:,} tokens; got {error['n_prompt_tokens']:,}. "
            "Shorten the prompt."
        )
    return InvalidInputError(
        expected="a prompt the model can read", got=str(error.get("message", error))[:200], remedy="change the prompt"
    )


def stream_with_transformers(
    model: LoadedModel, prompt: str | Sequence[Message], sampling: Sampling, emit: Emit
) -> str:
    """Stream a continuation with plain `generate`, on the model's owner thread; returns why it ended.

    Raises:
        ContextLengthError: the prompt leaves no room for the answer.
    """
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    ids = prompt_ids(model, prompt)
    room = model.spec.context_length - len(ids)
    if room < 1:
        raise ContextLengthError(f"The prompt fills all {model.spec.context_length:,} tokens. Shorten it.")
    text = _Emitted(model, sampling, emit)

    class Watch(StoppingCriteria):
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            done = text.push(int(input_ids[0, -1]), scores)
            return torch.full((input_ids.shape[0],), done, dtype=torch.bool, device=input_ids.device)

    torch.manual_seed(sampling.seed)
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0} if sampling.temperature else {}
    with torch.inference_mode():
        model.network.generate(
            torch.tensor([ids], device=model.device.name),
            max_new_tokens=min(sampling.max_new_tokens, room),
            do_sample=sampling.temperature > 0,
            stopping_criteria=StoppingCriteriaList([Watch()]),
            pad_token_id=model.words.tokenizer.pad_token_id or model.words.tokenizer.eos_token_id,
            return_dict_in_generate=True,
            output_scores=True,
            **drawn,
        )
    text.flush()
    return text.reason


def prompt_ids(model: LoadedModel, prompt: str | Sequence[Message]) -> list[int]:
    """Return a prompt's token ids; messages go through the model's chat template.

    Raises:
        InvalidInputError: messages for a model without a chat template.
    """
    if isinstance(prompt, str):
        return model.words.encode(prompt)[0]
    if not model.words.tokenizer.chat_template:
        raise InvalidInputError(
            expected="a plain prompt",
            got="chat messages",
            remedy=f"{model.spec.title} has no chat template; write the prompt as one text",
        )
    turns = [{"role": m.role, "content": m.content} for m in prompt]
    text = model.words.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return model.words.encode(text, special=False)[0]


class _Emitted:
    """Turns token ids into text pieces: holds back what may become a stop text or half a character."""

    def __init__(self, model: LoadedModel, sampling: Sampling, emit: Emit) -> None:
        self.model, self.sampling, self.emit = model, sampling, emit
        self.ids: list[int] = []
        self.text, self.shown = "", 0
        self.reason = "length"

    def push(self, token_id: int, scores: Any) -> bool:
        end = self.model.network.generation_config.eos_token_id
        if token_id in (end if isinstance(end, list) else [end]):
            self.reason = "stop"
            return True
        self.ids.append(token_id)
        text = self.model.words.tokenizer.decode(self.ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        cut = min((i for s in self.sampling.stop if (i := text.find(s)) >= 0), default=None)
        logprob = float(scores[-1][0].float().log_softmax(-1)[token_id]) if scores else 0.0
        self.text = text if cut is None else text[:cut]
        if self._show(len(self.text) if cut is not None else self._settled(), (logprob,)):
            self.reason = "cancelled"
            return True
        if cut is not None:
            self.reason = "stop"
        return cut is not None

    def flush(self) -> None:
        """Show what was held back once nothing more can come."""
        self._show(len(self.text), ())

    def _show(self, end: int, logprobs: tuple[float, ...]) -> bool:
        piece, self.shown = self.text[self.shown : end], max(self.shown, end)
        return self.emit(piece, logprobs) if piece or logprobs else False

    def _settled(self) -> int:
        text = self.text.rstrip("\ufffd")
        held = max((n for s in self.sampling.stop for n in range(1, len(s)) if text.endswith(s[:n])), default=0)
        return len(text) - held
