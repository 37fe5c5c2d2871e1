"""Sampling with a seed of its own for each request, also of those that share a batch on a GPU.

`argmax(log p + g)` with independent Gumbel noise g is a sample of p (Gumbel 1954; Maddison et al. 2014,
arXiv:1411.0030). The noise is a hash of the request's seed, the position and the token, so a text depends on its own
seed alone, whoever stands beside it in the batch.
"""

import hashlib
from typing import Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
    ContinuousBatchingLogitsProcessorList,
    ContinuousBatchingTopPLogitsWarper,
)
from transformers.generation.logits_process import TemperatureLogitsWarper, TopPLogitsWarper

from lecture_core.generation import Sampling

_WORD = 0xFFFFFFFF


def processors() -> ContinuousBatchingLogitsProcessorList:
    """Temperature, top-p and noise, each taken from the request; the best token of what they return is the sample."""
    mine = _WhereSampled(
        LogitsProcessorList([TemperatureLogitsWarper(0.5), _TopP(TopPLogitsWarper(0.5)), SeededNoise()]),
        per_request_processors=True,
    )
    mine.tensors_required = len(mine.logits_processor)
    return mine


class _WhereSampled(ContinuousBatchingLogitsProcessorList):
    """Leaves the scores of a step alone in which all requests are greedy: dividing by 1 and adding 0 takes its time."""

    _samples = True

    def prepare_tensor_args(self, requests_in_batch: list[Any], arg_storage: torch.Tensor) -> torch.Tensor:
        """Note what the step needs, before its scores come."""
        self._samples = any(_seed(request.state) >= 0 for request in requests_in_batch)
        return super().prepare_tensor_args(requests_in_batch, arg_storage)

    def __call__(self, input_ids: Any, scores: torch.Tensor, logits_processor_args: torch.Tensor) -> torch.Tensor:
        """Scores (R, V) by which the best token is the sample."""
        return super().__call__(input_ids, scores, logits_processor_args) if self._samples else scores


class _TopP(ContinuousBatchingTopPLogitsWarper):
    """Sorts the vocabulary only in a step in which some request has a top-p below 1."""

    _cuts = True

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        """The top-p of each request."""
        asked = (request.state.logit_processor_kwargs.get("top_p", 1.0) for request in requests_with_new_token)
        self._cuts = any(top_p < 1 for top_p in asked)
        return super().prepare_tensor_args(requests_with_new_token)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        """Scores (R, V) without the tokens beyond each row's top-p."""
        return super().__call__(scores, tensor_arg) if self._cuts else scores


def settings(sampling: Sampling) -> dict[str, Any]:
    """How one request asks `processors` for its sampling: no noise for greedy."""
    if not sampling.temperature:
        return {"temperature": 1.0, "top_p": 1.0, "seed": -1}
    return {"temperature": float(sampling.temperature), "top_p": float(sampling.top_p), "seed": int(sampling.seed)}


class SeededNoise(ContinuousBatchingLogitsProcessor):
    """Adds Gumbel noise to the scores of each request that samples."""

    def __init__(self) -> None:
        """Take the seed from each request."""
        self.supported_kwargs, self.ignored_kwargs = {"seed": int}, ()

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        """No noise."""
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        """One number a request, of its seed and how many tokens it has; 0 for greedy."""
        keys = [_key(request.state) for request in requests_with_new_token]
        return torch.tensor(keys, dtype=torch.int32, device="cpu")

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        """Scores (R, V) with the noise of each row's key (at least R)."""
        keys = tensor_arg[: scores.size(0)].long().unsqueeze(-1)
        return torch.where(keys == 0, scores, scores + gumbel(keys, scores.size(-1)))


def gumbel(keys: torch.Tensor, count: int) -> torch.Tensor:
    """Standard Gumbel noise: one row of `count` numbers for each key; keys (R, 1) int64, result (R, count) float32."""
    tokens = torch.arange(count, device=keys.device).unsqueeze(0)
    mixed = _mixed((keys & _WORD) ^ _mixed(tokens * 0x9E3779B1 & _WORD))
    return -torch.log(-torch.log(_uniform(mixed)))


def _uniform(words: torch.Tensor) -> torch.Tensor:
    """32-bit words as float32 numbers inside (0, 1): 23 bits and a half, which float32 holds without rounding to 1."""
    return ((words >> 9).float() + 0.5) / 2**23


def _mixed(words: torch.Tensor) -> torch.Tensor:
    """Spread every bit of 32-bit words, kept in int64, over all others (MurmurHash3's finalizer)."""
    words = (words ^ (words >> 16)) * 0x85EBCA6B & _WORD
    words = (words ^ (words >> 13)) * 0xC2B2AE35 & _WORD
    return words ^ (words >> 16)


def _seed(state: Any) -> int:
    return int(state.logit_processor_kwargs.get("seed", -1))


def _key(state: Any) -> int:
    seed = _seed(state)
    return 0 if seed < 0 else _noise_key(seed, len(state.initial_tokens) + len(state.generated_tokens))


def _noise_key(seed: int, length: int) -> int:
    digest = hashlib.sha256(f"{seed} {length}".encode()).digest()
    return int.from_bytes(digest[:4], "big", signed=True) or 1


def sampled_alone(sampling: Sampling) -> LogitsProcessorList:
    """The same sampling for plain `generate` with one prompt: the best token of what these return is the sample."""
    return LogitsProcessorList(
        [
            TemperatureLogitsWarper(float(sampling.temperature)),
            TopPLogitsWarper(float(sampling.top_p)),
            _Noise(sampling),
        ]
        if sampling.temperature
        else []
    )


class _Noise(LogitsProcessor):
    """Adds the noise of one request's seed and place to its scores (1, V)."""

    def __init__(self, sampling: Sampling) -> None:
        self._seed = int(sampling.seed)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        key = torch.tensor([[_noise_key(self._seed, input_ids.shape[1])]], device=scores.device)
        noisy: torch.Tensor = scores + gumbel(key, scores.shape[-1])
        return noisy
