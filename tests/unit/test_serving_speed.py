import threading
import time

import pytest

from lecture_core import catalog
from lecture_core.engine.results import GenerationChunk
from lecture_core.errors import InvalidInputError, LectureError
from lecture_core.overtraining import Prices, served_at
from lecture_core.provenance import Provenance
from lecture_core.scaling_laws import overtraining_cost
from lecture_core.serving_speed import AT_ONCE, REPEATS, Speed, measure, sessions, token_price

GPT2 = catalog.get("gpt2")
LIVE = Provenance("gpt2", "rev", "cpu", "float32")


class WritingEngine:
    """Writes as many tokens as asked, each after a pause; notes who asked and how many asked at a time."""

    def __init__(self, *, pause=0.0005, reason="length", provenance=LIVE):
        self.asked, self.most, self.now = [], 0, 0
        self.pause, self.reason, self.provenance = pause, reason, provenance
        self.lock = threading.Lock()

    def generate(self, prompt, *, model, max_new_tokens, temperature, seed, logprobs, session):
        with self.lock:
            self.asked.append((model, session))
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.pause * max_new_tokens)
        with self.lock:
            self.now -= 1
        tokens = 0 if self.reason == "cancelled" else max_new_tokens
        yield GenerationChunk("", finished=True, reason=self.reason, tokens=tokens, provenance=self.provenance)

    def cancel(self, session):
        pass


def speed(model="gpt2", parameters=1e8, rate=10.0):
    return Speed(model, parameters, 1, (rate,), 1.0, LIVE)


def test_each_load_is_measured_in_repeats_and_several_really_run_at_once():
    engine = WritingEngine(pause=0.004)
    found = dict(measure(engine, [GPT2], session="s"))
    assert [s.at_once for s in found.values()] == list(AT_ONCE)
    assert all(len(s.rates) == REPEATS for s in found.values())
    assert engine.most == max(AT_ONCE)
    assert {session for _, session in engine.asked} == set(sessions("s"))
    alone, together = found.values()
    assert together.tokens_per_second > 2 * alone.tokens_per_second


def test_the_rate_is_tokens_over_wall_clock_time():
    engine = WritingEngine(pause=0.002)
    alone = next(s for _, s in measure(engine, [GPT2], session="s") if s.at_once == 1)
    assert 0.05 / 0.002 < alone.tokens_per_second <= 1 / 0.002


@pytest.mark.parametrize(
    "engine",
    [
        WritingEngine(reason="cancelled"),
        WritingEngine(provenance=None),
        WritingEngine(provenance=Provenance("gpt2", kind="recorded")),
    ],
)
def test_what_was_not_written_here_and_now_is_no_speed(engine):
    with pytest.raises(LectureError, match="gpt2 wrote nothing just now"):
        list(measure(engine, [GPT2], session="s"))


def test_a_price_follows_from_time_and_the_price_of_an_hour():
    price = token_price([speed(parameters=1e8, rate=10)], 3.6)
    assert price == pytest.approx(0.1 / 1e8 * 3.6 / 3600)
    rates = served_at(price, Prices())
    served = overtraining_cost(1e8, 1e9, 1000, training=rates.training, serving=rates.serving)[1]
    assert served == pytest.approx(1000 / 10 / 3600 * 3.6)  # a thousand tokens take 100 seconds of the hour
    assert rates.training == Prices().training


def test_several_models_count_with_their_geometric_mean():
    one, other = speed(rate=10), speed(rate=1000)
    assert token_price([one, other], 1.0) == pytest.approx(token_price([speed(rate=100)], 1.0))


@pytest.mark.parametrize("hour", [0, -1, float("nan")])
def test_a_price_must_mean_something(hour):
    with pytest.raises(InvalidInputError):
        token_price([speed()], hour)
    with pytest.raises(InvalidInputError):
        token_price([], 1.0)
