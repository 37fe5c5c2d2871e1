"""What is said to llama.cpp: a request in its terms, and its refusals in ours."""

from collections.abc import Sequence
from typing import Any

from lecture_core.engine.results import Message
from lecture_core.errors import ContextLengthError, InvalidInputError, LectureError
from lecture_core.generation import Sampling


def size(prompt: str | Sequence[Message]) -> int:
    """How long a prompt is, in bytes: what makes tokens of any script."""
    if isinstance(prompt, str):
        return len(prompt.encode(errors="replace"))
    return sum(size(message.content) for message in prompt)


def request(prompt: str | Sequence[Message], sampling: Sampling) -> dict[str, Any]:
    """Return a request in llama.cpp's terms: greedy at temperature 0, otherwise top-p and nothing else."""
    common = {
        "stream": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": 0 if sampling.temperature else 1,
        "min_p": 0.0,
        "repeat_penalty": 1.0,
        "seed": sampling.seed,
        "stop": list(sampling.stop),
        "cache_prompt": True,
        "timings_per_token": True,  # how many tokens there are; a text may come late, where it may become a stop text
        "return_progress": True,  # a word after each batch of the prompt, at which a cancel is noticed
    }
    if isinstance(prompt, str):
        own: dict[str, Any] = {
            "prompt": prompt,
            "n_predict": sampling.max_new_tokens,
            "n_probs": int(sampling.logprobs),
        }
    else:
        messages = [{"role": m.role, "content": m.content} for m in prompt]
        own = {"messages": messages, "max_tokens": sampling.max_new_tokens}
        if sampling.logprobs:
            own |= {"logprobs": True, "top_logprobs": 1}
    return {"chat": not isinstance(prompt, str), "request": common | own}


def refusal(error: dict[str, Any], context_length: int) -> LectureError:
    """Return the sentence for an error that llama.cpp answered with."""
    if "n_prompt_tokens" in error:
        return ContextLengthError(
            f"Expected a prompt of fewer than {context_length:,} tokens; got {error['n_prompt_tokens']:,}. "
            "Shorten the prompt."
        )
    got = str(error.get("message", error))[:200]
    return InvalidInputError(expected="a prompt the model can read", got=got, remedy="change the prompt")
