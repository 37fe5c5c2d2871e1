"""One forward pass for the texts of many requests: padded together, the head on the asked positions only.

Lecture: recap of pre-training. A language model's head multiplies each position by the whole vocabulary (30,000
columns and more); of a sentence with one mask, one position is wanted. Encoders and causal LMs alike: padding stands on
the right, where causal attention never looks. Knows neither what the logits are for nor who asked.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress, islice
from typing import Any, Generic, TypeVar

import torch

from lecture_core.loading import LoadedModel

T = TypeVar("T")


@dataclass(frozen=True)
class ForwardRequest(Generic[T]):
    """What a model reads for one request, and how its logits become the result.

    Attributes:
        ids: tokens of the text, special ones included.
        positions: whose logits are wanted, in this order; at least one.
        finish: takes what `digest` made of the positions, or their logits, (M, V) or (M,), float32 on the CPU; needs no
            weights, and with a digest no torch, whose threads would multiply by those of the askers.
        alone: a faster way to the same logits for a request that shares its pass with no other, if there is one.
        digest: makes one value a row, of the logits of all requests with an equal one together, on the model's device
            and its owner's thread.
        tokens: one a position, handed to `digest`; none if it needs none.
    """

    ids: Sequence[int]
    positions: Sequence[int]
    finish: Callable[[Any, LoadedModel], T]
    alone: Callable[[LoadedModel], torch.Tensor] | None = None
    digest: Callable[[torch.Tensor, Sequence[int]], Sequence[Any]] | None = None
    tokens: Sequence[int] = ()

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.ids)


def answer(request: ForwardRequest[T], model: LoadedModel) -> T:
    """Answer one request alone."""
    return request.finish(logits_at([request], model)[0], model)


@torch.inference_mode()
def logits_at(requests: Sequence[ForwardRequest[Any]], model: LoadedModel) -> list[Any]:
    """Return what each request's `finish` takes: the logits at its positions or their digest, all in one pass.

    In float32 a request's logits do not depend on the others beyond rounding (1e-5).
    """
    if len(requests) == 1 and requests[0].alone:
        return _parts(requests, requests[0].alone(model))
    longest = max(len(request) for request in requests)
    padding = model.network.config.pad_token_id or 0
    padded = [[*request.ids, *[padding] * (longest - len(request))] for request in requests]
    inputs: dict[str, Any] = {"input_ids": torch.tensor(padded, device=model.device.name)}  # (B, T)
    if model.spec.role == "causal_lm":
        inputs["use_cache"] = False
    if any(len(request) < longest for request in requests):
        real = [[1] * len(request) + [0] * (longest - len(request)) for request in requests]
        inputs["attention_mask"] = torch.tensor(real, device=model.device.name)  # (B, T)
    rows = [row for row, request in enumerate(requests) for _ in request.positions]
    columns = [position for request in requests for position in request.positions]
    with _head_reads(rows, columns, model.network):
        logits = model.network(**inputs).logits[0]  # (M, V), or (M,) of a discriminator
    return _parts(requests, logits)


def _parts(requests: Sequence[ForwardRequest[Any]], logits: torch.Tensor) -> list[Any]:
    """Divide the logits of a batch among its requests, digested where they ask for that."""
    rows = logits.split([len(request.positions) for request in requests])
    values: dict[Any, Iterator[Any]] = {}
    for digest in {request.digest for request in requests} - {None}:
        mine = [request.digest == digest for request in requests]
        theirs = logits if all(mine) else torch.cat(list(compress(rows, mine)))
        tokens = [token for request in compress(requests, mine) for token in request.tokens]
        values[digest] = iter(digest(theirs, tokens))  # type: ignore[misc]
    return [
        part.cpu().float() if request.digest is None else list(islice(values[request.digest], len(part)))
        for part, request in zip(rows, requests, strict=True)
    ]


@contextmanager
def _head_reads(rows: list[int], columns: list[int], network: Any) -> Iterator[None]:
    """Hand the head the hidden states (1, M, D) of some positions instead of all (B, T, D).

    Heads work on each position by itself, so this holds for every model that keeps its body in `base_model`.
    """

    mine = threading.get_ident()

    def gather(_module: Any, _inputs: Any, output: Any) -> Any:
        if threading.get_ident() != mine:  # the last step of a batch of streams that would not pause
            return output
        return type(output)(last_hidden_state=output.last_hidden_state[rows, columns][None])

    handle = network.base_model.register_forward_hook(gather)
    try:
        yield
    finally:
        handle.remove()
