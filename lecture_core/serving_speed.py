"""How many tokens a second this machine writes, measured on the models at hand, and what that makes a token cost.

Lecture: open-weight models. The theory counts 2 N FLOPs a token; a measurement also pays for reading the weights from
memory, for attention over the context and for everything around the model. Asks the engine; knows no page.
"""

import statistics
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lecture_core.catalog import ModelSpec
from lecture_core.engine.protocol import Engine
from lecture_core.engine.waiting import asking_first, goes_first
from lecture_core.errors import InvalidInputError, ModelUnavailableError
from lecture_core.provenance import Provenance
from lecture_core.scaling_input import above_zero

ALONE, TOGETHER = AT_ONCE = (1, 4)
"""Requests that are answered at the same time."""
REPEATS, TOKENS = 3, 32
_WARM_UP = 4  # tokens before the clock starts: loading and starting are no part of serving
_PROMPT = "The history of the city began long before its first bridge was built. In those years, the people"


@dataclass(frozen=True)
class Speed:
    """What one model wrote under one load.

    Attributes:
        parameters: N of the model, a count.
        at_once: requests answered at the same time.
        rates: tokens a second of each repeat, all requests together, the short prompt included.
        seconds: measuring time of all repeats.
        provenance: model, device and number format of the last answer.
    """

    model: str
    parameters: float
    at_once: int
    rates: tuple[float, ...]
    seconds: float
    provenance: Provenance

    @property
    def tokens_per_second(self) -> float:
        """Median over the repeats."""
        return statistics.median(self.rates)

    @property
    def flops_per_second(self) -> float:
        """What these tokens take by the theory, 2 N each, a second."""
        return 2 * self.parameters * self.tokens_per_second

    @property
    def seconds_per_token_and_parameter(self) -> float:
        """Time of one token divided by N."""
        return 1 / (self.tokens_per_second * self.parameters)


Measuring = Generator[tuple[str, Speed], None, None]
"""A stream of results: the name of model and load, and its speed over the repeats so far."""


def sessions(session: str) -> tuple[str, ...]:
    """The names under which `measure` asks the engine, to cancel them."""
    return tuple(f"{session}-{i}" for i in range(max(AT_ONCE)))


def measure(engine: Engine, specs: Sequence[ModelSpec], *, session: str) -> Measuring:
    """Let each model write, one request at a time and several at once; yield the speed after each repeat.

    Args:
        specs: causal models that can run here.
        session: prefix of the names under which the engine is asked.

    Raises:
        ModelUnavailableError: a model wrote nothing.
    """
    names = sessions(session)
    for spec in specs:
        _write(engine, spec, names[0], _WARM_UP, seed=0)
        for at_once in AT_ONCE:
            rates: tuple[float, ...] = ()
            seconds = 0.0
            for repeat in range(REPEATS):
                tokens, taken, made = _together(engine, spec, names[:at_once], seed=repeat)
                rates, seconds = (*rates, tokens / taken), seconds + taken
                yield f"{spec.id} {at_once}", Speed(spec.id, spec.parameters, at_once, rates, seconds, made)


def _together(engine: Engine, spec: ModelSpec, names: Sequence[str], *, seed: int) -> tuple[int, float, Provenance]:
    started = time.perf_counter()
    with ThreadPoolExecutor(len(names), thread_name_prefix="speed") as pool:
        jobs = [
            pool.submit(_write_for, goes_first(), engine, spec, name, TOKENS, seed=seed + i)
            for i, name in enumerate(names)
        ]
        written = [job.result() for job in jobs]
    return sum(tokens for tokens, _ in written), time.perf_counter() - started, written[-1][1]


def _write_for(first: bool, *asked: Any, **settings: Any) -> tuple[int, Provenance]:
    """Do as `_write`, on a thread that works for another one's visitor."""
    with asking_first(first):
        return _write(*asked, **settings)


def _write(engine: Engine, spec: ModelSpec, session: str, tokens: int, *, seed: int) -> tuple[int, Provenance]:
    """Write so many tokens; sampled, so that no text repeats itself into an early end."""
    chunks = engine.generate(
        _PROMPT, model=spec.id, max_new_tokens=tokens, temperature=1.0, seed=seed, logprobs=False, session=session
    )
    *_, last = chunks
    if not last.tokens or last.provenance is None or last.reason == "cancelled" or last.provenance.kind != "live":
        raise ModelUnavailableError(f"{spec.id} wrote nothing just now, so its speed is unknown. Measure again.")
    return last.tokens, last.provenance


def token_price(speeds: Sequence[Speed], hour: float) -> float:
    """Return the price of one token and parameter, where time grows in proportion to N.

    Args:
        speeds: of one load; several models count with the geometric mean of their time per token and parameter.
        hour: price of this machine for an hour.

    Raises:
        InvalidInputError: no speed, or a price that is not above zero.
    """
    if not speeds:
        raise InvalidInputError(expected="a measured speed", got="none", remedy="measure first")
    seconds = statistics.geometric_mean(speed.seconds_per_token_and_parameter for speed in speeds)
    return seconds * above_zero(hour, "the price of an hour").item() / 3600
