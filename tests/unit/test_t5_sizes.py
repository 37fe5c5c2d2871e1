import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration

from lecture_core.t5_sizes import SIZES, Shape, keys_and_values, parameters, running_bytes
from lecture_core.tables import load_table
from lecture_core.ui.text_to_text import fits

SMALL = SIZES[0]


@pytest.mark.parametrize("shape", SIZES, ids=lambda s: s.name)
def test_the_count_is_that_of_the_model_that_transformers_builds(shape):
    config = T5Config(
        vocab_size=shape.vocabulary,
        num_layers=shape.layers,
        d_model=shape.d_model,
        d_ff=shape.d_ff,
        num_heads=shape.heads,
        d_kv=shape.d_kv,
    )
    with torch.device("meta"):
        theirs = sum(p.numel() for p in T5ForConditionalGeneration(config).parameters())
    assert parameters(shape) == theirs


def test_t5_small_has_60_5_million_parameters():
    assert parameters(SMALL) == 60_506_624


def test_the_sizes_are_those_of_the_published_table():
    frame = load_table("t5_sizes").frame
    assert [s.name for s in SIZES] == frame["model"].tolist()
    for shape, published in zip(SIZES, frame["parameters"], strict=True):
        assert parameters(shape) == pytest.approx(published, rel=0.06)


def test_keys_and_values_are_two_vectors_a_layer_and_token():
    assert keys_and_values(Shape("x", 2, 8, 16, 3, 5), tokens_in=4, tokens_out=6) == 2 * 2 * 15 * 10


def test_a_size_fits_only_where_a_fifth_of_the_memory_stays_free():
    full, half = (running_bytes(SMALL, bytes_each=n) for n in (4, 2))
    assert fits(SMALL, int(full / 0.8) + 1) == "yes"
    assert fits(SMALL, full) == "bfloat16"
    assert fits(SMALL, half) == "no"
    assert fits(SMALL, None) == "unknown"
