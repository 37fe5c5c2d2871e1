"""Sentences of t5-nano's grammar task: right ones agree, and each fault breaks what it says."""

import itertools
import random

import pytest

from lecture_core.training.grammar_sentences import FAULTS, Writer, inflected, lists

NOUNS = (("town", "towns"), ("actor", "actors"), ("hour", "hours"))


def drawn(fault, count=300):
    writer, found = Writer(random.Random(f"{fault}"), NOUNS), []
    while len(found) < count:
        sentence = writer.sentence(fault)
        if sentence is not None:
            found.append(sentence)
    return found


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_every_sentence_begins_large_and_ends_with_a_full_stop(fault):
    for sentence in drawn(fault):
        assert sentence[0].isupper()
        assert sentence[-1] == "."
        assert "  " not in sentence


def test_right_sentences_agree():
    plurals = {inflected(noun, "NNS") for name in ("subjects", "objects", "places") for noun in lists()[name]}
    for sentence in drawn(None, 1000):
        words = sentence[:-1].split()
        assert not any(a == b for a, b in itertools.pairwise(words)), sentence
        for first, second in itertools.pairwise(words):
            pair = (first.lower(), second)
            assert pair not in {("he", "are"), ("she", "have"), ("they", "is"), ("we", "was"), ("you", "was")}, sentence
            assert not (first.lower() in ("a", "an", "this", "every", "each") and second in plurals), sentence
            assert not (first.lower() == "an" and second[0] not in "aeiou"), sentence
            assert not (first.lower() == "a" and second[0] in "aeiou"), sentence


def test_a_doubled_word_stands_twice():
    for sentence in drawn("double"):
        words = sentence[:-1].lower().split()
        assert any(a == b for a, b in itertools.pairwise(words)), sentence


def test_the_wrong_article_stands_before_the_wrong_sound():
    for sentence in drawn("article"):
        words = sentence[:-1].lower().split()
        wrong = [(a, b) for a, b in itertools.pairwise(words) if a in ("a", "an")]
        assert any((a == "an") != (b[0] in "aeiou") for a, b in wrong), sentence


def test_faults_differ_from_right_sentences():
    right = set(drawn(None, 2000))
    for fault in FAULTS:
        assert not right & set(drawn(fault, 500)), fault
