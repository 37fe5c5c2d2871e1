"""Prompts that a causal LM has read: their keys and values, so that a prefix shared by successive prompts is read once.

Lecture: in-context learning. Few-shot prompts differ in the last question only; the exemplars are most of the work.
Owned by the thread that owns the model.
"""

import copy
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from lecture_core import device as devices

LIMIT = 32_000_000  # bytes of several prompts: 700 tokens of a model of 135M parameters
LIMIT_OF_ONE = 96_000_000  # bytes of one long prompt, kept alone: 2,000 tokens
CARD_SHARE, CARD_SHARE_OF_ONE = 0.01, 0.02  # the same on a card, of its memory
SHORTEST = 8  # tokens; a shorter shared prefix is read faster than it is looked up


@dataclass(frozen=True)
class _Prompt:
    ids: tuple[int, ...]
    cache: Any
    size: int
    notes: tuple[Hashable, Sequence[Any]]


class PrefixCache:
    """Keys and values of the prompts read last.

    Args:
        limit: bytes that several may take together; 0 keeps none; None takes what suits the device.
        limit_of_one: bytes that one may take, if it is the only one.
    """

    def __init__(self, limit: int | None = None, limit_of_one: int | None = None) -> None:
        several, one = _limits()
        self.limit = several if limit is None else limit
        self.limit_of_one = (one if limit_of_one is None else limit_of_one) if self.limit else 0
        self._prompts: list[_Prompt] = []  # least recently used first

    @property
    def held(self) -> int:
        """Bytes held now."""
        return sum(prompt.size for prompt in self._prompts)

    def take(self, ids: Sequence[int]) -> tuple[Any, int]:
        """Return the cache of the longest known prefix of `ids` and its length in tokens; (None, 0) if none is known.

        At least one token of `ids` is left to be read, so that there are logits. The cache is the caller's to extend.
        """
        shared, best = max(((_shared(p.ids, ids), i) for i, p in enumerate(self._prompts)), default=(0, -1))
        length = min(shared, len(ids) - 1)
        if length < SHORTEST:
            return None, 0
        prompt = self._prompts.pop(best)
        self._prompts.append(prompt)
        cache = own(prompt.cache)
        cache.crop(length - len(prompt.ids))
        return cache, length

    def notes(self, ids: Sequence[int], kind: Hashable) -> Sequence[Any]:
        """Return what was noted of the tokens that some prompt shares with `ids`, from the first token on."""
        noted = (p.notes[1][: _shared(p.ids, ids)] for p in self._prompts if p.notes[0] == kind)
        return max(noted, key=len, default=())

    def put(self, ids: Sequence[int], cache: Any, *, kind: Hashable = None, notes: Sequence[Any] = ()) -> None:
        """Keep the cache of a whole prompt; prompts that share half of their tokens or more with it give way.

        Args:
            kind: what `notes` are.
            notes: a result for each token of `ids` that does not depend on later ones.
        """
        size = cache_bytes(cache) if _croppable(cache) else 0
        if not 0 < size <= self.limit_of_one:
            return
        self._prompts = [p for p in self._prompts if 2 * _shared(p.ids, ids) < len(p.ids)]
        self._prompts.append(_Prompt(tuple(ids), own(cache), size, (kind, tuple(notes))))
        while self.held > self.limit and len(self._prompts) > 1:
            del self._prompts[0]

    def clear(self) -> None:
        """Forget everything."""
        self._prompts.clear()


def _limits() -> tuple[int, int]:
    """Bytes of several prompts and of a single one, here."""
    card = (devices.memory_bytes() or 0) if devices.choose().name == "cuda" else 0
    return max(LIMIT, int(CARD_SHARE * card)), max(LIMIT_OF_ONE, int(CARD_SHARE_OF_ONE * card))


def cache_bytes(cache: Any) -> int:
    """Bytes of a cache's keys and values."""
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)


def own(cache: Any) -> Any:
    """Return a cache that can grow, shrink and repeat without changing `cache`; no tensor is copied.

    The layers put new tensors in place of old ones and never write into them.
    """
    mine = copy.copy(cache)
    mine.layers = [copy.copy(layer) for layer in cache.layers]
    return mine


def _croppable(cache: Any) -> bool:
    """Whether every layer keeps all tokens; a sliding window or a recurrent state cannot be cut back."""
    from transformers.cache_utils import DynamicLayer

    return all(type(layer) is DynamicLayer for layer in cache.layers)


def shared_length(texts: Sequence[Sequence[int]]) -> int:
    """Length of the prefix that all texts have in common, in tokens."""
    return min(_shared(texts[0], text) for text in texts)


def _shared(ids: Sequence[int], others: Sequence[int]) -> int:
    """Length of the common prefix."""
    return next((i for i, (a, b) in enumerate(zip(ids, others, strict=False)) if a != b), min(len(ids), len(others)))
