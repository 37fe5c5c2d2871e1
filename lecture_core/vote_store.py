"""Votes on drawings in a small SQLite file: a restart keeps them, and several server processes count together.

The file lies in `LECTURE_DATA`, or else in the user's cache folder. Where neither can be written, votes are counted in
memory until the process ends. It holds no names: voters are hashed. Knows neither models nor pages.
"""

import hashlib
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lecture_core.drawing_round import ROUNDS, VOTERS, Tally
from lecture_core.errors import BusyError
from lecture_core.loading import cache_folder

PATIENCE = 5.0  # seconds to wait while another process writes
_TABLE = (
    "CREATE TABLE IF NOT EXISTS votes (round TEXT, voter TEXT, choice TEXT, at REAL, PRIMARY KEY (round, voter)) "
    "WITHOUT ROWID"
)
_OLD = "DELETE FROM votes WHERE round NOT IN (SELECT round FROM votes GROUP BY round ORDER BY MAX(at) DESC LIMIT ?)"


def data_folder() -> Path:
    """Return the folder for what visitors leave behind (`LECTURE_DATA`, else the cache folder)."""
    return Path(os.environ.get("LECTURE_DATA") or cache_folder())


class VoteStore:
    """As `drawing_round.Tally`, in a file; safe from several threads and processes. Opened at the first call.

    Args:
        path: the file; None for `votes.sqlite3` in the data folder.
        rounds: rounds kept; beyond, the one voted on longest ago goes.
        voters: votes that a round takes.
    """

    def __init__(self, path: Path | None = None, *, rounds: int = ROUNDS, voters: int = VOTERS) -> None:
        self._path, self._rounds, self._voters = path, rounds, voters
        self._memory: Tally | None = None
        self._file: Path | None = None
        self._opening = threading.Lock()

    @property
    def lasting(self) -> bool:
        """Whether the votes outlive this process."""
        return self._in_memory() is None

    def vote(self, drawings: str, voter: Hashable, choice: str) -> bool:
        """Count one vote; return False, and count nothing, where this voter has voted or the round is full.

        Args:
            drawings: fingerprint of the round.
            voter: whoever may vote once in it.
            choice: name of an entry, or `NONE`.

        Raises:
            BusyError: other processes kept the file; nothing was counted.
        """
        if (memory := self._in_memory()) is not None:
            return memory.vote(drawings, voter, choice)
        with self._connected() as votes:
            votes.execute("BEGIN IMMEDIATE")  # from the look at the votes to the new one nobody else writes
            (taken,) = votes.execute("SELECT COUNT(*) FROM votes WHERE round = ?", (drawings,)).fetchone()
            if taken >= self._voters:
                return False
            row = drawings, _hashed(voter), choice, time.time()
            new = votes.execute("INSERT OR IGNORE INTO votes VALUES (?, ?, ?, ?)", row).rowcount == 1
            if not taken:
                votes.execute(_OLD, (self._rounds,))
            votes.execute("COMMIT")
            return new

    def choice(self, drawings: str, voter: Hashable) -> str | None:
        """Return what a voter chose in a round; None before."""
        if (memory := self._in_memory()) is not None:
            return memory.choice(drawings, voter)
        with self._connected() as votes:
            query = "SELECT choice FROM votes WHERE round = ? AND voter = ?"
            found = votes.execute(query, (drawings, _hashed(voter))).fetchone()
        return found[0] if found else None

    def counts(self, drawings: str) -> Counter[str]:
        """Return the votes of a round by choice."""
        if (memory := self._in_memory()) is not None:
            return memory.counts(drawings)
        with self._connected() as votes:
            query = "SELECT choice, COUNT(*) FROM votes WHERE round = ? GROUP BY choice"
            return Counter(dict(votes.execute(query, (drawings,)).fetchall()))

    def _in_memory(self) -> Tally | None:
        """The tally that stands in where no file can be written; decided at the first call."""
        with self._opening:
            if self._file is None and self._memory is None:
                file = self._path or data_folder() / "votes.sqlite3"
                try:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    with closing(sqlite3.connect(file, timeout=PATIENCE)) as votes:
                        votes.execute("PRAGMA journal_mode=WAL")
                        votes.execute(_TABLE)
                        votes.execute("BEGIN IMMEDIATE")  # a file that can only be read says so here
                        votes.execute("ROLLBACK")
                    self._file = file
                except (OSError, sqlite3.Error):
                    self._memory = Tally(rounds=self._rounds, voters=self._voters)
        return self._memory

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(str(self._file), timeout=PATIENCE, isolation_level=None)) as votes:
                votes.execute(_TABLE)  # the file may have been deleted since
                yield votes
        except sqlite3.Error as exc:
            raise BusyError("The file of votes cannot be used now. Try again in a few seconds.") from exc


def _hashed(voter: Hashable) -> str:
    return hashlib.sha256(repr(voter).encode()).hexdigest()[:20]


TALLY = VoteStore()
"""The votes of this server."""
