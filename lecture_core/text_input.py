"""What a visitor may type: checks that come before any model."""

import re
import unicodedata
from collections.abc import Sequence

from lecture_core.errors import InvalidInputError

MAX_CHARACTERS = 8_000
MAX_PROMPT_CHARACTERS = 40_000
MAX_MASKS = 20
_MASK = re.compile(r"\[mask\]|<mask>|_{3,}", re.IGNORECASE)


def checked(text: str, *, limit: int = MAX_CHARACTERS) -> str:
    """Return the text as it came, if a model can read it.

    Args:
        limit: most characters taken.

    Raises:
        InvalidInputError: empty, longer than the limit, or with control characters other than line breaks.
    """
    if not text.strip():
        raise InvalidInputError(expected="some text", got="nothing", remedy="type a sentence, or choose an example")
    if len(text) > limit:
        raise InvalidInputError(
            expected=f"at most {limit:,} characters", got=f"{len(text):,}", remedy="shorten the text"
        )
    return without_control_characters(text)


def without_control_characters(text: str) -> str:
    """Return the text as it came, if no character but line breaks and tabs is unprintable; it may be empty.

    Raises:
        InvalidInputError: it has control characters, or half of a surrogate pair.
    """
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\r\t":
            raise InvalidInputError(
                expected="text without control characters",
                got=f"U+{ord(character):04X} at character {position}",
                remedy="delete that character",
            )
    return text


def count_masks(text: str) -> int:
    """Return how many masks (`[MASK]`, `<mask>` or `___`) stand in a text."""
    return len(_MASK.findall(text))


def hide(text: str, span: tuple[int, int]) -> str:
    """Return the text with `[MASK]` in place of the characters of `span` (start, end); spaces at its ends stay."""
    start, end = span
    hidden = text[start:end]
    before, after = hidden[: len(hidden) - len(hidden.lstrip())], hidden[len(hidden.rstrip()) :]
    return f"{text[:start]}{before}[MASK]{after}{text[end:]}"


def fill(text: str, mask: int, word: str, *, joins: bool = False) -> str:
    """Return the text with a word in place of one mask.

    Args:
        mask: index among the masks, from 0.
        joins: whether the word continues the one before it, as a sub-word does; no space stays between them.
    """
    found = [*_MASK.finditer(text)][mask]
    before = text[: found.start()]
    return f"{before.rstrip() if joins else before}{word}{text[found.end() :]}"


def completed(text: str, words: Sequence[str | None]) -> str:
    """Return the text with a word in place of each mask; where it is None the mask goes, and the space before it."""
    for word in words:
        text = fill(text, 0, word or "", joins=not word)
    return text.strip()


def without_masks(text: str) -> str:
    """Return the text as it came, if a model can read it and no mask stands in it.

    Raises:
        InvalidInputError: the text is unusable or has a mask.
    """
    if found := _MASK.search(checked(text)):
        raise InvalidInputError(
            expected="a text without masks",
            got=found[0],
            remedy="write the hidden word itself: without it nothing can be compared",
        )
    return text


def with_mask_token(text: str, mask_token: str) -> str:
    """Replace `[MASK]`, `<mask>` and three or more underscores by the model's own mask token.

    Raises:
        InvalidInputError: the text is unusable, has no mask, or more than 20.
    """
    replaced, count = _MASK.subn(lambda _: mask_token, checked(text))
    if count == 0:
        raise InvalidInputError(
            expected="at least one mask",
            got="none",
            remedy="click a word to hide it, or type [MASK] or ___ where a word is missing",
        )
    if count > MAX_MASKS:
        raise InvalidInputError(
            expected=f"at most {MAX_MASKS} masks",
            got=str(count),
            remedy="put some words back; with so little left the answers mean nothing",
        )
    return replaced
