"""The distribution over a vocabulary in plain numbers, for the rows of a whole batch at once.

Lecture: recap of pre-training, from GPT to GPT-3. A class presses at the same moment: 32 rows together take a quarter
of the time of 32 times one, and no result has to carry its logits to another thread. Knows neither words nor models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from lecture_core.engine.results import TEMPERATURES

ROWS = 32  # at once: 6 MB of the longest vocabulary, which stays in cache


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

    def __call__(self, logits: torch.Tensor) -> list[Distribution]:
        """Return one distribution a row of logits (M, V), on any device."""
        return [one for part in logits.split(ROWS) for one in self._some(part)]

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
