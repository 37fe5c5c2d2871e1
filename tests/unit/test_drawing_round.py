import threading
from collections import Counter

import pytest

from lecture_core.drawing import shows_anything
from lecture_core.drawing_round import FEWEST, MOST, NONE, Entry, Tally, entries, fingerprint, lettered, with_article
from lecture_core.errors import InvalidInputError

LADDER = [f"model-{i}" for i in range(20)]


@pytest.mark.parametrize("models", [LADDER[:n] for n in range(1, 21)])
def test_a_round_has_three_to_eight_drawings_and_no_drawer_twice(models):
    who = entries(models, 7)
    assert FEWEST <= len(who) <= MOST
    assert len(set(who)) == len(who)
    assert {who[0].model, who[-1].model} == {models[0], models[-1]}
    if len(models) <= MOST:
        assert {entry.model for entry in who} == set(models)


def test_one_model_draws_with_three_seeds():
    assert entries(["only"], 5) == (Entry("only", 5), Entry("only", 6), Entry("only", 7))
    with pytest.raises(InvalidInputError):
        entries([], 0)


def test_the_seed_decides_who_stands_behind_which_letter():
    who = entries(LADDER[:5], 0)
    orders = {tuple(lettered(who, seed).values()) for seed in range(40)}
    assert len(orders) > 10
    assert all(set(order) == set(who) for order in orders)
    assert lettered(who, 3) == lettered(who, 3)
    assert list(lettered(who, 3)) == list("ABCDE")


@pytest.mark.parametrize("said", ["a unicorn", "an apple", "an Umbrella", "a one-eyed cat", "an hourglass", "a 🦄"])
def test_a_thing_gets_the_article_that_it_is_said_with(said):
    assert with_article(said.split(maxsplit=1)[1]) == said
    assert with_article(said) == said


def test_votes_count_for_exactly_one_set_of_drawings():
    one, two = entries(["a", "b", "c"], 0)[:2]
    texts = {one: "x", two: "y"}
    assert fingerprint("unicorn", texts) == fingerprint("unicorn", dict(reversed(texts.items())))
    others = [fingerprint("horse", texts), fingerprint("unicorn", {one: "y", two: "x"}), fingerprint("unicorn", {})]
    assert len({fingerprint("unicorn", texts), *others}) == 4


def test_a_voter_votes_once_a_round():
    tally = Tally()
    assert tally.vote("round", "me", "a")
    assert not tally.vote("round", "me", "b")
    assert tally.vote("round", "you", NONE)
    assert tally.vote("another", "me", "b")
    assert tally.counts("round") == Counter({"a": 1, NONE: 1})
    assert tally.choice("round", "me") == "a"
    assert tally.choice("round", "nobody") is None
    assert tally.counts("never") == Counter()


def test_rounds_and_voters_are_bounded_and_the_round_in_use_stays():
    tally = Tally(rounds=3, voters=2)
    for i in range(10):
        tally.vote("in use", f"voter {i}", "a")
        tally.vote(f"round {i}", "me", "a")
    assert tally.counts("in use").total() == 2
    assert sum(tally.counts(f"round {i}").total() for i in range(10)) == 2


def test_votes_from_many_threads_are_all_counted():
    tally = Tally()
    voters = [threading.Thread(target=tally.vote, args=("round", i, "ab"[i % 2])) for i in range(100)]
    for thread in voters:
        thread.start()
    for thread in voters:
        thread.join()
    assert tally.counts("round") == Counter(a=50, b=50)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ('<rect width="50" height="50"/>', True),
        ('<rect width="50" height="50" fill="white"/>', False),
        ('<rect width="50" height="50" fill="none"/>', False),
        ('<circle cx="900" cy="900" r="5"/>', False),
        ("a unicorn", False),
        ("", False),
    ],
)
def test_a_drawing_that_leaves_no_mark_is_none(text, seen):
    assert shows_anything(text) is seen
