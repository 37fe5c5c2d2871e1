"""Short sentences for t5-nano's grammar task: built by rule, right, or with one fault.

A fault is one of: a verb that does not agree with its subject, a verb form that its helper does not take, a determiner
that does not fit the noun, a or an before the wrong sound, a pronoun in the wrong case, two neighbours swapped, a small
word doubled, one left out. Words come from `grammar.yaml` and, for half of the objects, from the corpus.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CORPUS_NOUNS = 0.5  # share of the objects whose noun comes from the corpus
FAULTS = {
    "agreement": "agreement",
    "form": "verb form",
    "determiner": "determiner",
    "article": "a or an",
    "case": "pronoun",
    "swap": "order",
    "double": "twice",
    "drop": "missing",
}
"""Each fault and the name that t5-nano gives it."""
UNSURE_SOUND = ("u", "eu", "ho", "one")  # a university, an umbrella: the spelling does not tell
_FORMS = ("base", "VBZ", "VBD", "VBG", "VBN")
_BE = {"first": ("am", "was"), "third": ("is", "was"), "plural": ("are", "were")}


@cache
def lists() -> dict[str, Any]:
    """The words of `grammar.yaml`, by the part of the sentence."""
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "grammar.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def inflected(word: str, tag: str) -> str:
    """A verb's form (VBZ, VBD, VBG, VBN, base) or a noun's plural (NNS)."""
    from lemminflect import getInflection

    if tag == "base":
        return word
    first, _, last = word.rpartition(" ")
    return f"{first} {getInflection(last, tag)[0]}".strip()


@dataclass(frozen=True)
class NounPhrase:
    """Determiner, adjective or "", noun; `person` decides the verb's form: third, or plural."""

    determiner: str
    adjective: str
    noun: str
    person: str

    @property
    def tokens(self) -> list[str]:
        """The words in order."""
        following = f"{self.adjective} {self.noun}".split()
        return [_article(self.determiner, following[0]), *following]


def _article(determiner: str, following: str) -> str:
    if determiner == "a" and following.startswith(UNSURE_SOUND):
        return "the"
    return "an" if determiner == "a" and following[0] in "aeiou" else determiner


class Writer:
    """Writes one sentence, with at most one fault.

    Args:
        nouns: (singular, plural) of the corpus.
    """

    def __init__(self, rng: random.Random, nouns: Sequence[tuple[str, str]]) -> None:
        self.rng, self.nouns, self.words = rng, nouns, lists()
        self.done = False  # whether the fault is in the sentence already

    def sentence(self, fault: str | None) -> str | None:
        """A sentence with this fault or none; None where the drawn sentence has no place for the fault."""
        subject, person = self._subject(fault)
        predicate = self._predicate(person, fault)
        if subject is None or predicate is None:
            return None
        tokens = [*subject, *predicate]
        changed = self._rearranged(tokens, fault)
        if changed is None:
            return None
        text = " ".join(changed)
        return text[0].upper() + text[1:] + "."

    def _pick(self, name: str) -> str:
        return str(self.rng.choice(list(self.words[name])))

    def _noun_phrase(self, name: str) -> NounPhrase:
        several = self.rng.random() < 0.5
        if name == "objects" and self.rng.random() < CORPUS_NOUNS:
            noun = self.rng.choice(self.nouns)[several]
        else:
            noun = self._pick(name)
            noun = inflected(noun, "NNS") if several else noun
        adjective = self._pick("adjectives") if self.rng.random() < 0.25 and " " not in noun else ""
        return NounPhrase(
            self._pick("plural" if several else "singular"), adjective, noun, "plural" if several else "third"
        )

    def _faulty_phrase(self, phrase: NounPhrase, fault: str | None) -> list[str] | None:
        """The phrase's words with a determiner that does not fit, or with a for an."""
        tokens = phrase.tokens
        if fault == "article":
            if tokens[0] not in ("a", "an"):
                return None
            return [{"a": "an", "an": "a"}[tokens[0]], *tokens[1:]]
        wrong = (
            ["these", "those", "two", "many", "several"] if phrase.person == "third" else ["a", "this", "every", "each"]
        )
        return [self.rng.choice(wrong), *tokens[1:]]

    def _subject(self, fault: str | None) -> tuple[list[str] | None, str]:
        if fault == "case" and self.rng.random() < 0.5:
            self.done = True
            pronoun = self._pick("wrong_subjects")
            return [pronoun], self.words["wrong_subjects"][pronoun]
        self.done = False
        if fault not in ("case", "determiner", "article") and self.rng.random() < 0.3:
            pronoun = self._pick("pronouns")
            return [pronoun], self.words["pronouns"][pronoun]
        phrase = self._noun_phrase("subjects")
        tokens: list[str] | None = phrase.tokens
        if fault in ("determiner", "article") and self.rng.random() < 0.5:
            tokens, self.done = self._faulty_phrase(phrase, fault), True
        if tokens and self.rng.random() < 0.12:
            tokens = [*tokens, *self._place()]
        return tokens, phrase.person

    def _place(self) -> list[str]:
        return [self._pick("prepositions"), "the", self._pick("places")]

    def _object(self, fault: str | None) -> list[str] | None:
        if fault == "case" and not self.done:
            self.done = True
            return [self._pick("wrong_objects")]
        if self.rng.random() < 0.12:
            return [self._pick("object_pronouns")]
        phrase = self._noun_phrase("objects")
        if fault in ("determiner", "article") and not self.done:
            self.done = True
            return self._faulty_phrase(phrase, fault)
        return phrase.tokens

    def _predicate(self, person: str, fault: str | None) -> list[str] | None:
        kinds: list[Callable[[str, str | None], list[str] | None]]
        kinds = [self._simple, self._helped, self._be]
        kind = self.rng.choices(kinds, [0.4, 0.4, 0.2])[0]
        predicate = kind(person, fault)
        if predicate is None or (fault in ("determiner", "article", "case") and not self.done):
            return None
        return predicate

    def _rest(self, transitive: bool, fault: str | None, when: str) -> list[str] | None:
        rest = self._object(fault) if transitive else []
        if rest is None:
            return None
        if self.rng.random() < 0.3:
            rest = [*rest, *self._place()]
        elif self.rng.random() < 0.3:
            rest = [*rest, *self._pick(when).split()]
        return rest

    def _verb(self) -> tuple[str, bool]:
        transitive = self.rng.random() < 0.6
        return self._pick("transitive" if transitive else "intransitive"), transitive

    def _simple(self, person: str, fault: str | None) -> list[str] | None:
        """`sings a song`, `sang a song`."""
        verb, transitive = self._verb()
        past = fault != "agreement" and self.rng.random() < 0.5
        third = (person == "third") != (fault == "agreement")
        form = inflected(verb, "VBD" if past else "VBZ" if third else "base")
        rest = self._rest(transitive, fault, "past" if past else "often")
        if rest is None:
            return None
        if fault == "form":
            helper = _BE[person][past]  # "is sings", "were sang"
            return None if form == inflected(verb, "VBN") else [helper, form, *rest]
        return [form, *rest]

    def _helped(self, person: str, fault: str | None) -> list[str] | None:
        """A helper and the form that it takes: `is singing`, `has sung`, `can sing`, `does not sing`."""
        verb, transitive = self._verb()
        wrong = fault == "agreement"
        seen = {"first": "third", "plural": "third", "third": "plural"}[person] if wrong else person
        third = seen == "third"
        helpers = {
            "VBG": [_BE[seen][self.rng.random() < 0.5]],
            "VBN": ["has" if third else "have"],
            "base": ["does" if third else "do", "not"],
        }
        form = self.rng.choice(list(helpers))
        helper = helpers[form]
        if form == "base" and not wrong and self.rng.random() < 0.7:
            helper = [self._pick("modals")] if self.rng.random() < 0.7 else ["did", "not"]
        if wrong and form == "VBG" and helper[0] == _BE[person][helper[0] in ("was", "were")]:
            return None  # "I was" for "I were": the wrong person has the same form
        written = inflected(verb, form)
        rest = self._rest(transitive, fault, "often")
        if fault == "form":
            others = {inflected(verb, other) for other in _FORMS} - {written}
            if form == "VBG":
                others.discard(inflected(verb, "VBN"))  # "is seen" is right
            if form == "VBN":
                others.discard(inflected(verb, "VBD"))
            written = self.rng.choice(sorted(others))
        return None if rest is None else [*helper, written, *rest]

    def _be(self, person: str, fault: str | None) -> list[str] | None:
        """`is happy`, `was in the garden`."""
        past = self.rng.random() < 0.4
        helper = _BE[person][past]
        if fault == "agreement":
            forms = {"was", "were"} if past else {"am", "is", "are"}
            helper = self.rng.choice(sorted(forms - {helper}))
        if fault in ("form", "case", "determiner", "article") and not self.done:
            return None
        rest = [self._pick("adjectives")] if self.rng.random() < 0.6 else self._place()
        if self.rng.random() < 0.2:
            rest = [*rest, *self._pick("past" if past else "often").split()]
        return [helper, *rest]

    def _rearranged(self, tokens: list[str], fault: str | None) -> list[str] | None:
        """Swap two neighbours, double a small word or leave one out; other faults are in the words already."""
        if fault not in ("swap", "double", "drop"):
            return tokens
        spots = [
            i for i, token in enumerate(tokens[:-1]) if token in self.words["needed" if fault == "drop" else "small"]
        ]
        if not spots:
            return None
        at = self.rng.choice(spots)
        if fault == "double":
            return [*tokens[: at + 1], *tokens[at:]]
        if fault == "drop":
            return [*tokens[:at], *tokens[at + 1 :]]
        return [*tokens[:at], tokens[at + 1], tokens[at], *tokens[at + 2 :]]
