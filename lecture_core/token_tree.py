"""Texts merged where they begin alike, so that one forward pass reads each common beginning once.

Lecture: in-context learning. Questions after the same exemplars begin alike ("Review: the ..."), and the completions of
one question all follow its tokens. A token of the tree attends to the tokens before it in its own text and to no other,
so its logits are those of the text read alone; nothing is padded. (Tree attention: Miao et al. 2023, SpecInfer,
arXiv:2305.09781, section 4.1.)
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


class TokenTree:
    """Tokens in the order in which a model reads them; parents stand before their children.

    Attributes:
        tokens: token ids.
        parents: index of the token before each, -1 at the beginning of a text.
    """

    def __init__(self, texts: Iterable[Sequence[int]] = ()) -> None:
        self.tokens: list[int] = []
        self.parents: list[int] = []
        self._children: dict[tuple[int, int], int] = {}
        for ids in texts:
            self.add(ids)

    def __len__(self) -> int:
        """Number of tokens, each common one counted once."""
        return len(self.tokens)

    def add(self, ids: Sequence[int]) -> list[int]:
        """Add a text and return the index of each of its tokens."""
        path, parent = [], -1
        for token in ids:
            index = self._children.get((parent, token))
            if index is None:
                index = self._children[parent, token] = len(self.tokens)
                self.tokens.append(token)
                self.parents.append(parent)
            path.append(index)
            parent = index
        return path

    @property
    def is_chain(self) -> bool:
        """Whether each token follows the one before it: one text, for which causal attention is right."""
        return self.parents == list(range(-1, len(self) - 1))

    def depths(self) -> NDArray[np.int64]:
        """Number of tokens before each in its own text, (N,)."""
        depths = np.zeros(len(self), dtype=np.int64)
        for index, parent in enumerate(self.parents):
            depths[index] = depths[parent] + 1 if parent >= 0 else 0
        return depths

    def visible(self) -> NDArray[np.bool_]:
        """Whether each token attends to each other, (N, N): those before it in its own text, and itself."""
        visible = np.eye(len(self), dtype=np.bool_)
        for index, parent in enumerate(self.parents):
            if parent >= 0:
                visible[index] |= visible[parent]
        return visible
