"""A long computation hears that nobody waits for it any more: looked at before every forward pass.

Knows neither engine nor models.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lecture_core.errors import StoppedError

_of_thread = threading.local()


@contextmanager
def stoppable(unwanted: Callable[[], bool]) -> Iterator[None]:
    """Let what this thread computes in the body be stopped.

    Args:
        unwanted: whether nobody waits for the result any more.
    """
    _of_thread.unwanted = unwanted
    try:
        yield
    finally:
        _of_thread.unwanted = None


def go_on(*_: object) -> None:
    """Return if somebody still waits for what this thread computes; fits as a forward pre-hook of torch.

    Raises:
        StoppedError: nobody does.
    """
    unwanted = getattr(_of_thread, "unwanted", None)
    if unwanted is not None and unwanted():
        raise StoppedError("Stopped: a newer request took its place, or the visitor left.")
