from types import SimpleNamespace

import pytest

from lecture_core.device import Device
from lecture_core.engine.batch_limits import MOST, most, within

CUDA = Device("cuda", "bfloat16", "a card")
CPU = Device("cpu", "float32", "none")


def config(**sizes):
    made = SimpleNamespace(**({"hidden_size": 2048, "intermediate_size": 8192, "vocab_size": 128_000} | sizes))
    made.get_text_config = lambda: made
    return made


def test_an_empty_card_takes_as_much_as_is_fast():
    assert within(80_000_000_000, config(), CUDA) == MOST["cuda"]


@pytest.mark.parametrize("free", [100_000_000, 1_000_000_000, 4_000_000_000])
def test_a_pass_stays_within_its_share_of_what_is_free(free):
    limits = within(free, config(), CUDA)
    assert limits.logits * 128_000 * (2 + 2) <= free / 4
    assert 0 < limits.tokens < MOST["cuda"].tokens
    assert within(2 * free, config(), CUDA).tokens > limits.tokens


def test_a_full_card_still_reads_one_text_at_a_time():
    assert within(0, config(), CUDA).tokens == within(0, config(), CUDA).logits == 1


def test_a_model_that_names_no_inner_size_counts_four_times_its_width():
    assert within(10**9, config(intermediate_size=None), CUDA) == within(10**9, config(), CUDA)


def test_a_pass_on_a_cpu_is_as_short_for_a_large_model_as_for_a_small_one():
    assert most(CPU, 22_000_000) == MOST["cpu"]
    assert most(CPU, 200_000_000).tokens == 2 * most(CPU, 400_000_000).tokens < MOST["cpu"].tokens
    assert most(CUDA, 7_000_000_000) == MOST["cuda"]
