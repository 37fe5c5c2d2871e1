"""Text-to-text tasks for t5-nano: a prefix, an input, a target, generated without end and split by a hash.

T5 casts every problem as text in, text out, named by a prefix (Raffel et al. 2020, section 2.4, arXiv:1910.10683).
Every input belongs for ever to training or to measuring (one in twenty), by a hash of the task and the item, so exact
match is measured on inputs that were never trained on.
"""

import datetime
import hashlib
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lecture_core.training.grammar_sentences import FAULTS, Writer

HELD_OUT_SHARE = 20
COMMON_WORD = 40  # occurrences in the corpus that make a word common enough for the word tasks
FREQUENT_WORDS = 1500  # words that the unscrambling task asks for
_WORD = re.compile(r"(?<![A-Za-z'-])[a-z]{3,10}(?![A-Za-z'-])")


@dataclass(frozen=True)
class Pair:
    """One example: the input with its prefix and the target.

    Attributes:
        item: what the hash splits by; variants of one item stay on one side.
        spelled: whether the target is written letter by letter.
    """

    task: str
    input: str
    target: str
    item: str
    spelled: bool = False

    @property
    def held_out(self) -> bool:
        """Whether the item measures and never trains."""
        family = "grammar" if self.task == "fault" else self.task  # one sentence, two questions: on one side
        digest = hashlib.sha1(f"{family}:{self.item}".encode()).digest()
        return int.from_bytes(digest[:4], "big") % HELD_OUT_SHARE == 0


@dataclass(frozen=True)
class Material:
    """What the tasks are made from.

    Attributes:
        words: common lower-case words, the most frequent first.
        nouns: (singular, plural).
        sentences: sentences of 4 to 14 words.
        sentiment: lists of words and frames of the sentiment task.
    """

    words: tuple[str, ...]
    nouns: tuple[tuple[str, str], ...]
    sentences: tuple[str, ...]
    sentiment: dict[str, Any]


def gather(sentences: Iterable[str]) -> Material:
    """Collect words, nouns with their plurals (lemminflect) and short sentences from a corpus's sentences."""
    counts: Counter[str] = Counter()
    short = []
    for sentence in sentences:
        counts.update(_WORD.findall(sentence))
        if 4 <= sentence.count(" ") + 1 <= 14 and sentence[0].isupper() and sentence[-1] == "." and sentence.isascii():
            short.append(sentence)
    words = tuple(w for w, n in counts.most_common() if n >= COMMON_WORD)
    lists = yaml.safe_load((Path(__file__).parent / "sentiment.yaml").read_text(encoding="utf-8"))
    return Material(words, _plurals(words), tuple(short), lists)


def _plurals(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    from lemminflect import getAllLemmas, getInflection

    pairs = []
    for word in words:
        if getAllLemmas(word, "NOUN").get("NOUN") == (word,):
            plural = getInflection(word, "NNS", inflect_oov=False)
            if plural and plural[0] != word:
                pairs.append((word, plural[0]))
    return tuple(pairs)


def number_words(number: int) -> str:
    """The number in American English words: 412 -> four hundred twelve."""
    from num2words import num2words

    return str(num2words(number)).replace(",", "").replace(" and ", " ")


def _date(rng: random.Random) -> tuple[str, str]:
    day = datetime.date(1900, 1, 1) + datetime.timedelta(days=rng.randrange(200 * 365))
    return day.isoformat(), f"{day:%B} {day.day}, {day.year}"


def date(rng: random.Random, _: Material) -> Pair:
    """An ISO date in words: `date: 2014-06-01` -> `June 1, 2014`."""
    iso, long = _date(rng)
    return Pair("date", f"date: {iso}", long, iso)


def iso(rng: random.Random, _: Material) -> Pair:
    """A date in words as ISO: `iso: June 1, 2014` -> `2014-06-01`."""
    iso, long = _date(rng)
    return Pair("iso", f"iso: {long}", iso, iso)


def _number(rng: random.Random) -> int:
    return rng.randrange(10 ** rng.randint(1, 4))


def digits(rng: random.Random, _: Material) -> Pair:
    """Number words to digits: `digits: four hundred twelve` -> `412`."""
    number = _number(rng)
    return Pair("digits", f"digits: {number_words(number)}", str(number), str(number))


def words(rng: random.Random, _: Material) -> Pair:
    """Digits to number words: `words: 412` -> `four hundred twelve`."""
    number = _number(rng)
    return Pair("words", f"words: {number}", number_words(number), str(number))


def _letters(rng: random.Random, material: Material) -> str:
    """A common word, or now and then letters in no order, which teaches spelling itself."""
    if rng.random() < 0.2:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 8)))
    return rng.choice(material.words)


def reverse(rng: random.Random, material: Material) -> Pair:
    """A word backwards: `reverse: window` -> `wodniw`."""
    word = _letters(rng, material)
    return Pair("reverse", f"reverse: {word}", word[::-1], word, spelled=True)


def sort_letters(rng: random.Random, material: Material) -> Pair:
    """The letters of a word in order: `sort: window` -> `dinoww`."""
    word = _letters(rng, material)
    return Pair("sort", f"sort: {word}", "".join(sorted(word)), word, spelled=True)


def unscramble(rng: random.Random, material: Material) -> Pair:
    """The common word with these letters: `unscramble: dniwow` -> `window`. The scramble is new, the word is not."""
    word = rng.choice(_unambiguous(material.words[:FREQUENT_WORDS]))
    letters = list(word)
    rng.shuffle(letters)
    scrambled = "".join(letters)
    return Pair("unscramble", f"unscramble: {scrambled}", word, scrambled, spelled=True)


@cache
def _unambiguous(candidates: tuple[str, ...]) -> tuple[str, ...]:
    count = Counter("".join(sorted(w)) for w in candidates)
    return tuple(w for w in candidates if count["".join(sorted(w))] == 1)


def plural(rng: random.Random, material: Material) -> Pair:
    """The plural of a noun: `plural: knife` -> `knives`."""
    singular, several = rng.choice(material.nouns)
    return Pair("plural", f"plural: {singular}", several, singular, spelled=True)


def grammar(rng: random.Random, material: Material) -> Pair:
    """Whether a short sentence built by rule is right, `acceptable`, or has one fault, `unacceptable`."""
    sentence, fault = _ruled(rng, material)
    return Pair("grammar", f"grammar: {sentence}", "unacceptable" if fault else "acceptable", sentence)


def fault(rng: random.Random, material: Material) -> Pair:
    """The name of the fault of such a sentence: `fault: Two dog sleep.` -> `determiner`, or `none`."""
    sentence, fault = _ruled(rng, material)
    return Pair("fault", f"fault: {sentence}", FAULTS[fault] if fault else "none", sentence)


def _ruled(rng: random.Random, material: Material) -> tuple[str, str | None]:
    fault = rng.choice(list(FAULTS)) if rng.random() < 0.5 else None
    writer, sentence = Writer(rng, material.nouns), None
    while sentence is None:
        sentence = writer.sentence(fault)
    return sentence, fault


def grammar_corpus(rng: random.Random, material: Material) -> Pair:
    """Whether a sentence of the corpus is as its author wrote it: `acceptable`, or broken by one change."""
    sentence = rng.choice(material.sentences)
    broken = rng.random() < 0.5
    shown = break_grammar(rng, sentence) if broken else sentence
    return Pair("grammar_corpus", f"grammar: {shown}", "unacceptable" if broken else "acceptable", sentence)


def break_grammar(rng: random.Random, sentence: str) -> str:
    """Break a sentence by one change: two neighbours swapped, a small word doubled or dropped, is and are exchanged."""
    tokens = sentence[:-1].split(" ")
    exchange = {"is": "are", "are": "is", "was": "were", "were": "was", "has": "have", "have": "has", "a": "an"}
    small = {"the", "a", "of", "to", "in", "is", "was", "are", "were", "and", "by", "for", "on", "with"}
    wrong = [i for i, token in enumerate(tokens) if token in exchange]
    light = [i for i, token in enumerate(tokens) if token in small]
    kind = rng.choice(["swap", "exchange", "double", "drop"])
    if kind == "exchange" and wrong:
        at = rng.choice(wrong)
        tokens[at] = exchange[tokens[at]]
    elif kind == "double" and light:
        at = rng.choice(light)
        tokens.insert(at, tokens[at])
    elif kind == "drop" and light:
        del tokens[rng.choice(light)]
    else:
        at = rng.randrange(1, len(tokens) - 1)
        tokens[at], tokens[at + 1] = tokens[at + 1], tokens[at]
    return " ".join(tokens) + "."


def sentiment(rng: random.Random, material: Material) -> Pair:
    """Whether a short opinion is `positive` or `negative`; negation turns it round."""
    lists = material.sentiment
    good, negated = rng.random() < 0.5, rng.random() < 0.25
    adjective = rng.choice(lists["good" if good != negated else "bad"])
    verb = rng.choice(lists["negated"] if negated else lists["plain"])
    frame = rng.choice(lists["frames"]).format(thing=rng.choice(lists["things"]), verb=verb, adjective=adjective)
    text = frame[0].upper() + frame[1:]
    return Pair("sentiment", f"sentiment: {text}", "positive" if good else "negative", text)


TASKS: dict[str, Callable[[random.Random, Material], Pair]] = {
    "date": date,
    "iso": iso,
    "digits": digits,
    "words": words,
    "reverse": reverse,
    "sort": sort_letters,
    "unscramble": unscramble,
    "plural": plural,
    "grammar": grammar,
    "fault": fault,
    "grammar_corpus": grammar_corpus,
    "sentiment": sentiment,
}


def draw(task: str, rng: random.Random, material: Material, *, held_out: bool) -> Pair:
    """Draw one pair of a task from the training side or the measuring side."""
    while True:
        pair = TASKS[task](rng, material)
        if pair.held_out == held_out:
            return pair


def held_out_pairs(material: Material, *, count: int = 200, seed: int = 0) -> list[Pair]:
    """Draw up to `count` distinct pairs of each task from the measuring side."""
    pairs: dict[tuple[str, str], Pair] = {}
    for task in TASKS:
        rng = random.Random(f"{seed}-{task}")
        drawn: dict[str, Pair] = {}
        for _ in range(20 * count):
            pair = draw(task, rng, material, held_out=True)
            drawn.setdefault(pair.input, pair)
            if len(drawn) == count:
                break
        pairs |= {(task, text): pair for text, pair in drawn.items()}
    return list(pairs.values())
