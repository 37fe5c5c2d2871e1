"""Find the answer in a completion and compare it with the truth.

Lecture: few-shot learning and chain-of-thought prompting. A strict pattern says what the prompt asks for; a flexible
one finds an answer in free text, as in the word problems of Cobbe et al. 2021 and Wei et al. 2022. Knows no model.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

Strictness = Literal["strict", "flexible"]
Match = Literal["exact", "words"]
"""How an answer must equal the truth: letter by letter but for case and a mark at the end, or in its words only."""
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_BETWEEN_WORDS = re.compile(r"[\s\x00-\x1f-]+")
_AFTER = ",. \n"  # what may follow an answer and is not part of it
_NUMBER = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True)
class AnswerPatterns:
    """Regular expressions whose first group is the answer.

    Attributes:
        strict: the form that the prompt asks for; the first match counts.
        flexible: any answer in free text, tried where the strict one fails; the last match counts.
    """

    strict: str
    flexible: str


@dataclass(frozen=True)
class Extracted:
    """An answer found in a text.

    Attributes:
        value: the answer as written, without surrounding space.
        start, end: where it stands in the text, end excluded.
        pattern: which of the two patterns found it.
    """

    value: str
    start: int
    end: int
    pattern: Strictness


def extract(text: str, patterns: AnswerPatterns) -> Extracted | None:
    """Return the answer in `text`: first match of the strict pattern, else last match of the flexible one."""
    found = re.search(patterns.strict, text)
    if found:
        return _extracted(found, "strict")
    matches = list(re.finditer(patterns.flexible, text))
    return _extracted(matches[-1], "flexible") if matches else None


def first(text: str, pattern: str) -> Extracted | None:
    """Return the first match of one pattern, as a strict answer."""
    found = re.search(pattern, text)
    return _extracted(found, "strict") if found else None


def _extracted(found: re.Match[str], pattern: Strictness) -> Extracted:
    value = found.group(1).rstrip(_AFTER)
    return Extracted(value, found.start(1), found.start(1) + len(value), pattern)


def number(text: str) -> Decimal | None:
    """Read a text that is one number, `$`, thousands commas and a unit allowed; None for anything else."""
    found = _NUMBER.findall(text)
    if len(found) != 1:
        return None
    try:
        return Decimal(found[0].replace(",", "").replace("−", "-"))
    except InvalidOperation:
        return None


def words_of(text: str) -> str:
    """Return the words of a text: small letters, without articles and punctuation, one space between two.

    Source: what DROP does before exact match (Dua et al. 2019, arXiv:1903.00161, section 5): a hyphen parts words.
    """
    spaced = _BETWEEN_WORDS.sub(" ", text.casefold())
    kept = "".join(c for c in spaced if not unicodedata.category(c).startswith("P"))
    return " ".join(_ARTICLES.sub(" ", kept).split())


def same_answer(answer: str, truth: str, *, match: Match = "exact") -> bool:
    """Whether two answers agree: as numbers where the truth is one, else as texts, case ignored.

    Args:
        match: `words` ignores articles and punctuation too.

    Example:
        `same_answer("$1,200.00", "1200")` is true.
    """
    if _NUMBER.fullmatch(truth.strip()):
        return number(answer) is not None and number(answer) == number(truth)
    if match == "words":
        return words_of(answer) == words_of(truth)
    return answer.strip().rstrip(_AFTER).casefold() == truth.strip().rstrip(_AFTER).casefold()


def split_at(text: str, extracted: Extracted | None) -> tuple[str, str, str]:
    """Cut a text into what precedes the answer, the answer, and what follows; all in front where there is none."""
    if extracted is None:
        return text, "", ""
    return text[: extracted.start], text[extracted.start : extracted.end], text[extracted.end :]
