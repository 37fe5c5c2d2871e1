import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from lecture_core.drawing_round import NONE
from lecture_core.errors import BusyError
from lecture_core.vote_store import VoteStore, data_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "votes.sqlite3"


def test_votes_outlive_the_store_that_counted_them(path):
    store = VoteStore(path)
    assert store.vote("round", "me", "gpt2, seed 0")
    assert store.lasting
    again = VoteStore(path)
    assert again.counts("round") == Counter({"gpt2, seed 0": 1})
    assert again.choice("round", "me") == "gpt2, seed 0"
    assert not again.vote("round", "me", NONE)


def test_a_voter_votes_once_a_round(path):
    store = VoteStore(path)
    assert store.vote("round", "me", "a")
    assert not store.vote("round", "me", "b")
    assert store.vote("round", "you", NONE)
    assert store.vote("another", "me", "b")
    assert store.counts("round") == Counter({"a": 1, NONE: 1})
    assert store.choice("round", "nobody") is None
    assert store.counts("never") == Counter()


def test_rounds_and_voters_are_bounded_and_the_newest_stay(path):
    store = VoteStore(path, rounds=3, voters=2)
    for i in range(6):
        for voter in ("one", "two", "three"):
            store.vote(f"round {i}", voter, "a")
    assert [store.counts(f"round {i}").total() for i in range(6)] == [0, 0, 0, 2, 2, 2]


def test_the_voter_is_not_in_the_file(path):
    VoteStore(path).vote("round", "session-of-a-student", "a")
    assert b"session-of-a-student" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_hostile_values_are_values(path):
    store = VoteStore(path)
    text = "'; DROP TABLE votes; --"
    assert store.vote(text, text, text)
    assert store.counts(text) == Counter({text: 1})


def test_votes_from_many_threads_and_another_process_are_all_counted(path):
    store = VoteStore(path)
    script = (
        "import sys; from pathlib import Path; from lecture_core.vote_store import VoteStore\n"
        "store = VoteStore(Path(sys.argv[1]))\n"
        "assert all(store.vote('round', ('other', i), 'b') for i in range(50))"
    )
    other = subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=ROOT)
    voters = [threading.Thread(target=store.vote, args=("round", i, "a")) for i in range(50)]
    for thread in voters:
        thread.start()
    for thread in voters:
        thread.join()
    assert other.wait(30) == 0
    assert store.counts("round") == Counter(a=50, b=50)


@pytest.mark.parametrize("kind", ["no folder", "damaged"])
def test_without_a_usable_file_votes_are_counted_in_memory_and_it_says_so(tmp_path, kind):
    taken = tmp_path / "taken"
    taken.write_bytes(b"this is no database" * 100)
    store = VoteStore(taken / "votes.sqlite3" if kind == "no folder" else taken)
    assert store.vote("round", "me", "a")
    assert not store.lasting
    assert not store.vote("round", "me", "b")
    assert store.counts("round") == Counter(a=1)
    assert store.choice("round", "me") == "a"
    assert taken.read_bytes() == b"this is no database" * 100


def test_a_file_that_another_process_keeps_is_a_sentence(path, monkeypatch):
    monkeypatch.setattr("lecture_core.vote_store.PATIENCE", 0.05)
    store = VoteStore(path)
    store.vote("round", "me", "a")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match="Try again"):
        store.vote("round", "you", "a")
    assert store.counts("round") == Counter(a=1)  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    assert store.vote("round", "you", "a")


def test_the_operator_chooses_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    store = VoteStore()
    store.vote("round", "me", "a")
    assert (tmp_path / "votes.sqlite3").is_file()
    monkeypatch.delenv("LECTURE_DATA")
    monkeypatch.setenv("LECTURE_CACHE", str(tmp_path / "cache"))
    assert data_folder() == tmp_path / "cache"
