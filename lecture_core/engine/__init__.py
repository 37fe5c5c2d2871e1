"""The process's engine. `get_engine()` is cheap: torch and transformers wait until a model is asked for."""

import os
import threading
from functools import cache

from lecture_core.engine.protocol import Engine
from lecture_core.errors import InvalidInputError

_LOCK = threading.Lock()


def get_engine() -> Engine:
    """Return the engine of this process, the same object at each call (`LECTURE_ENGINE`, default `local`).

    Raises:
        InvalidInputError: `LECTURE_ENGINE` names no engine.
    """
    with _LOCK:
        return _engine(os.environ.get("LECTURE_ENGINE", "local"))


@cache
def _engine(name: str) -> Engine:
    if name != "local":
        raise InvalidInputError(expected="LECTURE_ENGINE=local", got=name[:20], remedy="unset LECTURE_ENGINE")
    from lecture_core.engine.first_views import FirstViews
    from lecture_core.engine.local import LocalEngine

    wanted = os.environ.get("LECTURE_FIRST_VIEWS", "on") != "off"
    return LocalEngine(first_views=FirstViews() if wanted else None)
