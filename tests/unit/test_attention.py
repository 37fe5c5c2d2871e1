"""The picture of an attention mask fits its place, and its names do not cover each other."""

import re

import numpy as np
import pytest

from lecture_core.figures.attention import attention_grid

PLACE, LETTER, LINE = 225, 6.7, 10  # pixels: a third of a page, a letter of the names, their height


@pytest.mark.parametrize("tokens", range(1, 60))
def test_a_picture_of_any_length_fits_and_its_names_stand_clear(tokens):
    names = [f"<extra_{i:04}>" for i in range(tokens)]
    drawn = attention_grid(np.tril(np.ones((tokens, tokens), bool)), names, names, title="Attention")
    size, gap = (int(n) for n in re.search(r"repeat\(\d+,(\d+)px\);gap:(\d+)px", drawn).groups())
    rows, columns = drawn.count("text-align:right"), drawn.count("writing-mode")
    assert rows in (0, tokens)
    assert columns in (0, tokens)
    assert (LETTER * 12 + 4 + gap if rows else 0) + tokens * (size + gap) + 5 <= PLACE
    if columns:
        assert size + gap >= LINE
    if rows:
        assert int(re.search(r"<i style=\"height:(\d+)px", drawn)[1]) + gap >= LINE


def test_twelve_sentinels_have_room_for_the_names_of_columns():
    names = ["<extra_id_0>"] * 12
    assert "writing-mode" in attention_grid(np.ones((12, 12), bool), names, names, title="Attention")
