"""A text some of whose words are hidden, written with the hidden words in [brackets]."""

import itertools
import re
from dataclasses import dataclass

from lecture_core.errors import InvalidInputError
from lecture_core.text_input import checked, count_masks

Owner = tuple[tuple[int, int], tuple[int, ...]]
"""A stretch of characters (start, end) and the words it stands for."""
MAX_WORDS = 60  # more make the attention grids unreadable
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*|[^\w\s]")


@dataclass(frozen=True)
class HiddenText:
    """A text some of whose words are hidden.

    Attributes:
        plain: the whole text, without brackets.
        words: (start, end) of each word in `plain`, in characters; a punctuation mark is a word.
        hidden: indices of the hidden words.
    """

    plain: str
    words: tuple[tuple[int, int], ...]
    hidden: frozenset[int]

    @property
    def owners(self) -> list[Owner]:
        """Each word's characters, and the word."""
        return [(span, (i,)) for i, span in enumerate(self.words)]

    @property
    def hidden_spans(self) -> tuple[tuple[int, int], ...]:
        """(start, end) of each run of hidden words in `plain`, in characters."""
        return tuple((self.words[first][0], self.words[stop - 1][1]) for first, stop in self.runs)

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """(first, one past the last) of each run of neighbouring hidden words: T5's spans."""
        edges = [-1, *(i for i in range(len(self.words)) if i not in self.hidden), len(self.words)]
        return tuple((a + 1, b) for a, b in itertools.pairwise(edges) if b > a + 1)

    def marked(self) -> str:
        """The text with the hidden words in brackets, as `read` takes it."""
        pieces, position = [], 0
        for start, end in self.hidden_spans:
            pieces += [self.plain[position:start], "[", self.plain[start:end], "]"]
            position = end
        return "".join([*pieces, self.plain[position:]])

    def toggled(self, word: int) -> "HiddenText":
        """The text with one word hidden that was not, or the other way round."""
        return HiddenText(self.plain, self.words, self.hidden ^ {word})


def read(marked: str) -> HiddenText:
    """Read a text whose hidden words stand in square brackets.

    Raises:
        InvalidInputError: no usable text, more than 60 words, a bracket without its partner, a mask instead of a word.
    """
    text = checked(marked)
    if count_masks(text):
        raise InvalidInputError(
            expected="the hidden word itself in brackets, as in “a [sunny] day”",
            got="a mask",
            remedy="write the word: without it there is no target to learn",
        )
    plain, spans, opened = "", [], None
    for character in text:
        if character not in "[]":
            plain += character
        elif (character == "[") == (opened is not None):
            raise InvalidInputError(
                expected="brackets in pairs, none inside another",
                got=f"a stray {character}",
                remedy="put each hidden word, or run of words, in one pair of brackets",
            )
        elif character == "[":
            opened = len(plain)
        else:
            spans.append((opened or 0, len(plain)))
            opened = None
    if opened is not None:
        raise InvalidInputError(expected="a closing bracket", got="none", remedy="add ] after the hidden word")
    words = tuple(m.span() for m in _WORD.finditer(plain))
    if not 1 <= len(words) <= MAX_WORDS:
        raise InvalidInputError(
            expected=f"1 to {MAX_WORDS} words", got=str(len(words)), remedy="one sentence shows the idea best"
        )
    hidden = frozenset(i for i, (a, b) in enumerate(words) if any(a < end and start < b for start, end in spans))
    return HiddenText(plain, words, hidden)


def readable(marked: str, otherwise: str) -> HiddenText:
    """Read a text, or another one where it cannot be read."""
    try:
        return read(marked)
    except InvalidInputError:
        return read(otherwise)
