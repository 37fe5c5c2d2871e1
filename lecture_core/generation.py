"""Generated text as a stream: how to sample, and plain transformers; `engine/llama.py` has GGUF files on a CPU.

Lecture: from GPT to GPT-3. Sampling: temperature 0 takes the most probable token each time (greedy).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lecture_core.engine.results import Message
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.loading import LoadedModel

MAX_NEW_TOKENS = 1024
DECODED = 64  # tokens at most that are turned into text again at each new one
PROMPT_PART = 256  # tokens of a prompt between two looks at whether the asker has left

Emit = Callable[[str, int, tuple[float, ...]], bool]
"""Takes a piece of text, how many tokens it adds and their log-probabilities, if known; returns True to stop."""


@dataclass(frozen=True)
class Sampling:
    """How to continue a prompt.

    Attributes:
        max_new_tokens: 1 to 1,024.
        temperature: 0 for greedy, else above 0.
        top_p: share of the probability mass that is sampled from, in (0, 1].
        stop: texts that end the answer and are not part of it.
        logprobs: whether each token's log-probability is wanted; it costs llama.cpp 7 % of a full class's speed.
    """

    max_new_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    logprobs: bool = True

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


def stream_with_transformers(
    model: LoadedModel, prompt: str | Sequence[Message], sampling: Sampling, emit: Emit
) -> str:
    """Stream a continuation with plain `generate`, on the model's owner thread; returns why it ended.

    The prompt is read in parts, after each of which a stop is noticed; what it shares with an earlier one is known.

    Raises:
        ContextLengthError: the prompt leaves no room for the answer.
    """
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    from lecture_core.seeded_sampling import sampled_alone

    ids = prompt_ids(model, prompt)
    room = model.spec.context_length - len(ids)
    if room < 1:
        raise ContextLengthError(f"The prompt fills all {model.spec.context_length:,} tokens. Shorten it.")
    text, last = Written(model, sampling, emit), dict[str, Any]()

    class Watch(StoppingCriteria):
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            token = int(input_ids[0, -1])
            known = (float(last["logits"].float().log_softmax(-1)[token]),) if sampling.logprobs else ()
            done = text.push(token, known)
            return torch.full((input_ids.shape[0],), done, dtype=torch.bool, device=input_ids.device)

    with torch.inference_mode():
        past, whole = _read_prompt(ids, model, emit)
        if not whole:
            return "cancelled"
        handle = model.network.register_forward_hook(  # the model's own logits, before temperature and top-p
            lambda _module, _inputs, output: last.update(logits=output.logits[0, -1])
        )
        try:
            row = model.row(ids)
            model.network.generate(
                row,
                attention_mask=torch.ones_like(row),  # without one, generate reads all of the prompt again
                max_new_tokens=min(sampling.max_new_tokens, room),
                do_sample=False,  # the noise makes the sample: torch's own random numbers are everybody's
                logits_processor=sampled_alone(sampling),
                stopping_criteria=StoppingCriteriaList([Watch()]),
                pad_token_id=model.words.tokenizer.pad_token_id or model.words.tokenizer.eos_token_id,
                past_key_values=past,
            )
        finally:
            handle.remove()
    text.flush()
    return text.reason


def _read_prompt(ids: list[int], model: LoadedModel, emit: Emit) -> tuple[Any, bool]:
    """Read a prompt but for its last token; returns its cache and whether it was read to the end."""
    past, known = model.prefixes.take(ids)
    size = model.part(PROMPT_PART)
    for start in range(known, len(ids) - 1, size):
        if emit("", 0, ()):
            return past, False
        part = ids[start : min(start + size, len(ids) - 1)]
        past = model.network(
            input_ids=model.row(part), past_key_values=past, use_cache=True, logits_to_keep=1
        ).past_key_values
    if past is not None:
        model.prefixes.put(ids[:-1], past)
    return past, True


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


class Written:
    """What a stream has written: turns token ids into pieces of text and emits them.

    It holds back what may become a stop text or half a character. `reason` says why the stream ended.
    """

    def __init__(self, model: LoadedModel, sampling: Sampling, emit: Emit) -> None:
        self.model, self.sampling, self.emit = model, sampling, emit
        self.ids: list[int] = []
        self.text, self.shown = "", 0
        self._before, self._start = "", 0  # text of the tokens that need not be decoded again, and how many they are
        self.reason = "length"

    def push(self, token_id: int, logprobs: tuple[float, ...]) -> bool:
        """Take a token in; `logprobs` holds its own or nothing. Returns whether the stream ends here."""
        end = self.model.network.generation_config.eos_token_id
        if token_id in (end if isinstance(end, list) else [end]):
            self.flush()
            self.reason = "stop"
            return True
        self.ids.append(token_id)
        text = self._decoded()
        cut = min((i for s in self.sampling.stop if (i := text.find(s)) >= 0), default=None)
        self.text = text if cut is None else text[:cut]
        if self._show(len(self.text) if cut is not None else self._settled(), 1, logprobs):
            self.reason = "cancelled"
            return True
        if cut is not None:
            self.reason = "stop"
        return cut is not None

    def flush(self) -> None:
        """Show what was held back once nothing more can come."""
        self._show(len(self.text), 0, ())

    def _decoded(self) -> str:
        """All text so far. Old tokens are left out once they and the others read alone as they read together."""
        recent = self._decode(self._start)
        middle = len(self.ids) - DECODED // 2
        if len(self.ids) - self._start > DECODED:
            old, new = self._decode(self._start, middle), self._decode(middle)
            if old + new == recent:
                self._before, self._start = self._before + old, middle
                return self._before + new
        return self._before + recent

    def _decode(self, start: int, end: int | None = None) -> str:
        ids = self.ids[start:end]
        text: str = self.model.words.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _show(self, end: int, tokens: int, logprobs: tuple[float, ...]) -> bool:
        piece, self.shown = self.text[self.shown : end], max(self.shown, end)
        return self.emit(piece, tokens, logprobs) if piece or tokens else False

    def _settled(self) -> int:
        text = self.text.rstrip("\ufffd")
        held = max((n for s in self.sampling.stop for n in range(1, len(s)) if text.endswith(s[:n])), default=0)
        return len(text) - held
