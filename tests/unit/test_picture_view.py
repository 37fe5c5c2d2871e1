from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lecture_core import picture_view
from lecture_core.errors import InvalidInputError
from lecture_core.picture_view import decode, enlarged
from lecture_core.scenes import parse, render


def saved(image, form):
    file = BytesIO()
    image.save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_large_picture_is_scaled_down_in_proportion(form):
    pixels = decode(saved(Image.new("RGB", (1600, 800), (200, 30, 30)), form))
    assert pixels.shape == (256, 512, 3)
    assert abs(int(pixels[0, 0, 0]) - 200) < 8


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "I;16"])
def test_every_colour_mode_becomes_rgb(mode):
    form = "JPEG" if mode == "CMYK" else "PNG"
    assert decode(saved(Image.new(mode, (20, 10)), form)).shape == (10, 20, 3)


def test_transparency_is_white():
    assert (decode(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG")) == 255).all()


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "ICO"])
def test_other_formats_are_refused(form):
    with pytest.raises(InvalidInputError):
        decode(saved(Image.new("RGB", (32, 32)), form))


def test_too_many_bytes_and_too_many_pixels_are_refused(monkeypatch):
    with pytest.raises(InvalidInputError, match="at most 5 MB"):
        decode(b"\x89PNG" + bytes(5_000_001))
    monkeypatch.setattr(picture_view, "MAX_PIXELS", 100)
    with pytest.raises(InvalidInputError, match="11 by 10"):
        decode(saved(Image.new("RGB", (11, 10)), "PNG"))


def test_a_broken_file_is_not_told_to_be_smaller():
    broken = saved(Image.new("RGB", (24, 24)), "PNG")[:40]
    with pytest.raises(InvalidInputError, match="cannot be read") as refused:
        decode(broken)
    assert "smaller" not in str(refused.value)


@settings(max_examples=100)
@given(st.binary(max_size=400), st.integers(0, 200), st.sampled_from(["PNG", "JPEG", "WEBP"]))
def test_damage_is_a_sentence_or_a_picture_never_a_crash(noise, cut, form):
    whole = saved(Image.new("RGB", (24, 24), (10, 200, 30)), form)
    for data in (noise, whole[:cut], whole[:cut] + noise, whole[:cut] + noise + whole[cut:]):
        try:
            pixels = decode(data)
        except InvalidInputError:
            continue
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3


def test_enlarging_keeps_the_pixels_and_frames_the_chosen_cell():
    picture = render(parse("big-red-star-1-1"))
    plain = enlarged(picture, side=256)
    assert np.array_equal(plain[::4, ::4], picture)
    marked = enlarged(picture, side=256, grid=4, chosen=0)
    assert not np.array_equal(marked[:60, :60], plain[:60, :60])
    assert np.array_equal(marked[70:120, 70:120], plain[70:120, 70:120])
