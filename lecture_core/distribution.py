"""Logits as plain numbers, for the rows of a whole batch at once: distributions, own tokens, whole vocabularies.

Lecture: recap of pre-training, from GPT to GPT-3. A class presses at the same moment: 32 rows together take a quarter
of the time of 32 times one, and no result has to carry its logits to another thread. Knows neither words nor models.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import torch

from lecture_core.engine.results import TEMPERATURES

# Rows at once: on a CPU 6 MB of the longest vocabulary, which stays in cache; on a card 80 MB, worth its launches.
ROWS = {"cpu": 32, "cuda": 128}


@dataclass(frozen=True)
class Distribution:
    """One row of logits.

    Attributes:
        best: ids of the most probable tokens, in this order.
        logits: of `best`.
        asked: for each token asked about, its logit and its rank, from 1; None where there is no such token.
        log_normalisers: temperature -> log of the sum of exp(logit / temperature), in nats; for each of `TEMPERATURES`.
        entropy: at temperature 1, in nats.
    """

    best: Sequence[int]
    logits: Sequence[float]
    asked: Sequence[tuple[float, int] | None]
    log_normalisers: Mapping[float, float]
    entropy: float


@dataclass(frozen=True)
class Distributions:
    """Turns logits into distributions; requests with equal ones are computed together.

    Attributes:
        top_k: tokens of `best`, at most the vocabulary.
        asked: ids of tokens to look up in each row; None is passed on.
    """

    top_k: int
    asked: tuple[int | None, ...] = ()

    def __call__(self, logits: torch.Tensor, tokens: Sequence[int] = ()) -> list[Distribution]:
        """Return one distribution a row of logits (M, V), on any device; `tokens` play no part."""
        return [one for part in _parts(logits) for one in self._some(part)]

    def _some(self, logits: torch.Tensor) -> list[Distribution]:
        best = logits.topk(min(self.top_k, logits.shape[-1]))
        normalisers, entropies = normalisers_and_entropies(logits)
        asked = [None if token is None else _looked_up(logits, token) for token in self.asked]
        rows = zip(best.indices.tolist(), best.values.tolist(), normalisers.tolist(), entropies.tolist(), strict=True)
        return [
            Distribution(
                best=indices,
                logits=values,
                asked=[None if each is None else each[row] for each in asked],
                log_normalisers=dict(zip(TEMPERATURES, logs, strict=True)),
                entropy=entropy,
            )
            for row, (indices, values, logs, entropy) in enumerate(rows)
        ]


def _looked_up(logits: torch.Tensor, token: int) -> list[tuple[float, int]]:
    own = logits[:, token]
    ranks = (logits > own[:, None]).sum(-1) + 1
    return list(zip(own.tolist(), ranks.tolist(), strict=True))


@dataclass(frozen=True)
class OwnToken:
    """A text's own token under its row of logits.

    Attributes:
        logprob: in nats.
        rank: from 1.
        best: id, logit and probability of the most probable tokens, in this order.
    """

    logprob: float
    rank: int
    best: Sequence[tuple[int, float, float]]


@dataclass(frozen=True)
class OwnTokens:
    """Looks up one token in each row of logits; requests with equal ones are computed together.

    Attributes:
        top_k: tokens of `best`, at most the vocabulary; none below 1.
    """

    top_k: int

    def __call__(self, logits: torch.Tensor, tokens: Sequence[int]) -> list[OwnToken]:
        """Return the token of each row of logits (M, V), on any device."""
        theirs = iter(tokens)
        return [one for part in _parts(logits) for one in self._some(part, list(islice(theirs, len(part))))]

    def _some(self, logits: torch.Tensor, tokens: list[int]) -> list[OwnToken]:
        normalisers = logits.logsumexp(-1, keepdim=True)  # (M, 1)
        mine = torch.tensor(tokens, dtype=torch.long, device=logits.device)
        own = logits.gather(1, mine[:, None])  # (M, 1)
        ranks, logprobs = ((logits > own).sum(-1) + 1).tolist(), (own - normalisers)[:, 0].tolist()
        best = logits.topk(max(0, min(self.top_k, logits.shape[-1])), dim=-1)
        shares = (best.values - normalisers).exp()
        rows = zip(logprobs, ranks, best.indices.tolist(), best.values.tolist(), shares.tolist(), strict=True)
        return [
            OwnToken(logprob, rank, list(zip(indices, values, probabilities, strict=True)))
            for logprob, rank, indices, values, probabilities in rows
        ]


@dataclass(frozen=True)
class LogprobsOf:
    """Takes the log-probabilities of some tokens out of each row; requests with equal ones are computed together.

    Attributes:
        ids: of the tokens.
    """

    ids: tuple[int, ...]

    def __call__(self, logits: torch.Tensor, tokens: Sequence[int] = ()) -> list[list[float]]:
        """Return nats for each row of logits (M, V), in the order of `ids`; `tokens` play no part."""
        ids = torch.tensor(self.ids, device=logits.device)
        return [row for part in _parts(logits) for row in part.log_softmax(-1)[:, ids].tolist()]


def replaced_probabilities(logits: torch.Tensor, tokens: Sequence[int] = ()) -> list[float]:
    """Return a discriminator's probability that each token was replaced, from logits (M,); `tokens` play no part."""
    return logits.float().sigmoid().tolist()


def _parts(logits: torch.Tensor) -> Iterator[torch.Tensor]:
    return (part.float() for part in logits.split(ROWS[logits.device.type]))


def normalisers_and_entropies(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the log-normalisers of logits (M, V) at each of `TEMPERATURES`, (M, 7), and the entropies (M,); nats."""
    top = logits.amax(-1, keepdim=True)
    below = logits - top  # at most 0: no exponential overflows
    logs = []
    for temperature in TEMPERATURES:
        powers = (below / temperature).exp_()
        total = powers.sum(-1)
        logs.append(total.log() + top[:, 0] / temperature)
        if temperature == 1:
            entropies = total.log() - powers.mul_(below).sum(-1) / total
    return torch.stack(logs, dim=-1), entropies
