"""A cloze test: short sentences with one word missing, and how often a masked LM puts the right one there.

Lecture: recap of pre-training, RoBERTa. The sentences are data, `assets/cloze/english.yaml`. Source of the idea: Taylor
1953, "Cloze procedure: a new tool for measuring readability". Knows no model: whoever scores brings a `Predict`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

import yaml

from lecture_core.errors import LectureError
from lecture_core.statistics import MeasuredRate, measured

FILE = Path(__file__).parent.parent / "assets" / "cloze" / "english.yaml"
MASK = "[MASK]"
TOP = 5
CANDIDATES = range(2, 5)
_HEADER = ("title", "licence", "purpose", "scoring", "items")
_ITEM = ("text", "answer", "also", "candidates")


class ClozeError(LectureError):
    """A cloze set breaks its format; names file, category and item."""


@dataclass(frozen=True)
class ClozeItem:
    """One sentence with a word missing.

    Attributes:
        category: what it takes to know the word.
        text: the sentence with one `[MASK]`.
        answer: the intended word, spelled as in running text.
        also: further words that are just as right.
        candidates: words of the forced choice, the answer among them; of the others none is right.
    """

    category: str
    text: str
    answer: str
    also: tuple[str, ...]
    candidates: tuple[str, ...]

    def accepts(self, word: str) -> bool:
        """Say whether a word is right here, upper and lower case alike."""
        return word.casefold() in {right.casefold() for right in (self.answer, *self.also)}


@dataclass(frozen=True)
class ClozeSet:
    """A cloze set as its file gives it; the items in the file's order, category by category."""

    title: str
    licence: str
    purpose: str
    scoring: str
    items: tuple[ClozeItem, ...]

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categories in the file's order."""
        return tuple(dict.fromkeys(item.category for item in self.items))


@dataclass(frozen=True)
class Prediction:
    """What a model puts at one mask.

    Attributes:
        top: the five most probable words, best first.
        logprobs: log-probability in nats of each word asked for that is one token of the model's vocabulary.
    """

    top: tuple[str, ...]
    logprobs: Mapping[str, float]


class Predict(Protocol):
    """A masked LM as the cloze test sees it."""

    def __call__(self, text: str, words: Sequence[str]) -> Prediction:
        """Fill the one mask of `text`; `words` are those whose log-probability is wanted."""
        ...


@dataclass(frozen=True)
class ClozeOutcome:
    """One item asked and judged.

    Attributes:
        top: the model's five most probable words, best first.
        rank: place of the first right word among them, from 1; None if none is right.
        chosen: most probable candidate; None where a candidate is not one token of the model's vocabulary.
    """

    item: ClozeItem
    top: tuple[str, ...]
    rank: int | None
    chosen: str | None


@dataclass(frozen=True)
class ClozeRates:
    """Accuracies over some items; `skipped` counts those whose answer is not one token of the model's vocabulary."""

    rank1: MeasuredRate
    top5: MeasuredRate
    forced_choice: MeasuredRate
    skipped: int


@dataclass(frozen=True)
class ClozeScore:
    """Accuracies of one model, over everything and by category, and every item that was asked."""

    overall: ClozeRates
    by_category: Mapping[str, ClozeRates]
    outcomes: tuple[ClozeOutcome, ...]

    @property
    def missed(self) -> tuple[ClozeOutcome, ...]:
        """The items with no right word among the five most probable."""
        return tuple(outcome for outcome in self.outcomes if outcome.rank is None)


def score(items: Sequence[ClozeItem], predict: Predict) -> ClozeScore:
    """Ask a model for every item and count; each rate comes with its n and its 95 % Wilson interval."""
    asked = [ask(item, predict) for item in items]
    outcomes = tuple(outcome for outcome in asked if outcome is not None)
    categories = dict.fromkeys(item.category for item in items)
    return ClozeScore(
        overall=_rates(outcomes, len(items)),
        by_category={
            name: _rates([o for o in outcomes if o.item.category == name], sum(i.category == name for i in items))
            for name in categories
        },
        outcomes=outcomes,
    )


def ask(item: ClozeItem, predict: Predict) -> ClozeOutcome | None:
    """Ask a model for one item; None where the answer is not one token of its vocabulary."""
    prediction = predict(item.text, item.candidates)
    known = prediction.logprobs
    if item.answer not in known:
        return None
    rank = next((i for i, word in enumerate(prediction.top[:TOP], start=1) if item.accepts(word)), None)
    # Without all its rivals the choice would be easier than for other models.
    comparable = all(word in known for word in item.candidates)
    return ClozeOutcome(item, prediction.top, rank, max(item.candidates, key=known.__getitem__) if comparable else None)


def _rates(outcomes: Sequence[ClozeOutcome], items: int) -> ClozeRates:
    return ClozeRates(
        rank1=measured(o.rank == 1 for o in outcomes),
        top5=measured(o.rank is not None for o in outcomes),
        forced_choice=measured(o.chosen == o.item.answer for o in outcomes if o.chosen is not None),
        skipped=items - len(outcomes),
    )


def load_cloze(path: Path = FILE) -> ClozeSet:
    """Read and check a cloze set.

    Raises:
        ClozeError: no such file, or it breaks the format; names the category and the number of the item from 1.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise ClozeError(f"{path.name}: expected a readable YAML file; {' '.join(str(exc).split())}") from exc
    if not isinstance(raw, dict) or set(raw) != set(_HEADER) or not isinstance(raw["items"], dict):
        raise ClozeError(f"{path.name}: expected the keys {', '.join(_HEADER)}, items by category.")
    items = tuple(_items(path.name, raw["items"]))
    return ClozeSet(**{key: str(raw[key]) for key in _HEADER if key != "items"}, items=items)


def _items(file: str, by_category: Mapping[str, Any]) -> Iterable[ClozeItem]:
    seen: set[str] = set()
    for category, entries in by_category.items():
        if not isinstance(entries, list):
            _refuse(f"{file}, {category}", "a list of items", entries)
        for number, entry in enumerate(entries, start=1):
            item = _item(f"{file}, {category}, item {number}", category, entry)
            if item.text.casefold() in seen:
                _refuse(f"{file}, {category}, item {number}", "a sentence that stands nowhere else", item.text)
            seen.add(item.text.casefold())
            yield item


def _refuse(place: str, expected: str, got: object) -> NoReturn:
    raise ClozeError(f"{place}: expected {expected}; got {got!r}.")


def _item(place: str, category: str, entry: Any) -> ClozeItem:
    if not isinstance(entry, dict) or not {"text", "answer", "candidates"} <= set(entry) <= set(_ITEM):
        _refuse(place, "text, answer, candidates and perhaps also", entry)
    item = ClozeItem(
        category=category,
        text=_words(place, [entry["text"]])[0],
        answer=_words(place, [entry["answer"]])[0],
        also=_words(place, entry.get("also", [])),
        candidates=_words(place, entry["candidates"]),
    )
    if item.text.count(MASK) != 1:
        _refuse(place, f"one {MASK}", item.text)
    if len(item.candidates) not in CANDIDATES or item.answer not in item.candidates:
        _refuse(place, "2 to 4 candidates, the answer among them", item.candidates)
    if set(item.also) & set(item.candidates):
        _refuse(place, "one right candidate, so none of `also`", item.candidates)
    return item


def _words(place: str, given: Any) -> tuple[str, ...]:
    # YAML reads an unquoted on, no or 1998 as something else than a word.
    if not isinstance(given, list) or not all(isinstance(word, str) and word.strip() for word in given):
        _refuse(place, "texts in quotes", given)
    if len(set(given)) != len(given):
        _refuse(place, "every word once", given)
    return tuple(given)
