from decimal import Decimal

import pytest

from lecture_core.answers import AnswerPatterns, extract, number, same_answer, split_at, words_of

NUMBERS = AnswerPatterns(strict=r"(?i)the answer is \$?(-?\d[\d,]*(?:\.\d+)?)", flexible=r"(-?\d[\d,]*(?:\.\d+)?)")


def test_strict_answer_wins_over_later_numbers():
    found = extract("3 + 4 = 7. The answer is 7. Then 9 more.", NUMBERS)
    assert (found.value, found.pattern) == ("7", "strict")


def test_flexible_answer_is_the_last_number():
    found = extract("First 3, then 4, so 12 apples.", NUMBERS)
    assert (found.value, found.pattern) == ("12", "flexible")


def test_no_answer_is_none():
    assert extract("I do not know.", NUMBERS) is None


@pytest.mark.parametrize("text", ["The answer is 1,200.", "it is $45", "so 3, 4, 12 apples", "The answer is 7,"])
def test_span_points_at_the_answer(text):
    found = extract(text, NUMBERS)
    before, answer, after = split_at(text, found)
    assert answer == found.value
    assert before + answer + after == text


def test_split_without_answer_keeps_the_text():
    assert split_at("nothing", None) == ("nothing", "", "")


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", "5"), ("$1,200", "1200"), ("12 apples", "12"), ("-3", "-3"), ("−3", "-3"), ("2.50", "2.5"), ("$7.", "7")],
)
def test_number_reads_commas_units_and_dollars(text, value):
    assert number(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "none", "3 and 4", "1/2 of 6"])
def test_what_is_not_one_number_is_none(text):
    assert number(text) is None


@pytest.mark.parametrize(
    ("answer", "truth", "same"),
    [
        ("1,200.00", "1200", True),
        ("$5", "5", True),
        ("5", "50", False),
        ("five", "5", False),
        (" Sticks ", "sticks", True),
        ("stick", "sticks", False),
        ("!07!23!2005!", "!07!23!2005!", True),
        ("!07!23!2006!", "!07!23!2005!", False),
    ],
)
def test_same_answer(answer, truth, same):
    assert same_answer(answer, truth) is same


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Powder Tower.", "powder tower"),
        ("  a well-known,  “Theatre” ", "well known theatre"),
        ("the O'Neill farm", "oneill farm"),
        ("СОФИЯ!", "софия"),
        ("the", ""),
        ("a\x07b", "b"),
        ("C++", "c++"),
    ],
)
def test_words_of_a_text_lose_case_articles_and_punctuation(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("answer", "truth", "exact", "words"),
    [
        ("Powder Tower", "the Powder Tower", False, True),
        ("steel-grey", "Steel grey", False, True),
        ("Tower", "the Powder Tower", False, False),
        ("4 years", "4", True, True),
        ("07232005", "!07!23!2005!", False, True),
    ],
)
def test_words_only_are_compared_where_the_task_asks_for_it(answer, truth, exact, words):
    assert same_answer(answer, truth) is exact
    assert same_answer(answer, truth, match="words") is words


def test_a_full_stop_at_the_end_makes_no_difference():
    found = extract(" Good morning.\nmore", AnswerPatterns(r"^\s*(\S[^\n]*)", r"(\S[^\n]*)"))
    assert same_answer(found.value, "Good morning.")
    assert same_answer("Good morning.", "good morning")
    assert not same_answer("Good", "Good morning.")
