"""The state of an engine, cheap to read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LoadedStatus:
    """A model in memory: catalog id, bytes of its weights, requests waiting for it."""

    model: str
    memory_bytes: int
    waiting: int


@dataclass(frozen=True)
class EngineStatus:
    """State of an engine, cheap to read; loads nothing.

    Attributes:
        waiting: requests that run or wait.
        catching_up: models with recorded answers that were given and whose live ones are being computed.
    """

    device: str
    dtype: str
    reason: str
    loaded: tuple[LoadedStatus, ...]
    waiting: int
    catching_up: tuple[str, ...] = ()
