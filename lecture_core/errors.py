"""Every error that a visitor may read. The message is shown as it is: what was expected, what came, the remedy."""

from typing import TypeVar

E = TypeVar("E", bound=BaseException)


class LectureError(Exception):
    """Base of all errors whose message is written for the student; anything else is a bug and surfaces."""


def forget_frames(error: E) -> E:
    """Let go of what an error's frames hold, a model's weights among it, and return the error: some are kept."""
    for each in (error, error.__cause__, error.__context__):
        if each is not None:
            each.__traceback__ = None
    return error


class InvalidInputError(LectureError):
    """The input cannot be used; says what was expected, what came and what to do.

    Args:
        expected: what the function takes, as a noun phrase.
        got: what it was given.
        remedy: what the visitor does next, as an imperative.
    """

    def __init__(self, *, expected: str, got: str, remedy: str) -> None:
        self.expected, self.got, self.remedy = expected, got, remedy
        super().__init__(f"Expected {expected}; got {got}. {remedy[:1].upper()}{remedy[1:]}.")


class UnknownModelError(LectureError):
    """No such model in the catalog; the message suggests ids that exist."""


class ModelUnavailableError(LectureError):
    """The model is in the catalog but cannot be used now; names the command that fixes it."""


class ContextLengthError(LectureError):
    """The text is longer than the model's context; says how long it is and how much would fit."""


class BusyError(LectureError):
    """Too many requests wait already; says how many and when to try again."""


class StoppedError(LectureError):
    """The request was stopped before its turn came: by its session, or because a newer one took its place."""


class DeadlineError(LectureError):
    """The result did not come in the time allowed."""


class TableError(LectureError):
    """A published table's file breaks the format; names file, row and column."""
