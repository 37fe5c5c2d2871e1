"""Small pictures that this project draws by code, as inputs for a vision-language model; no camera, no other source.

They look more like photos than scenes of flat shapes do: light that falls off, shadows, grain. Pure: numpy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

WIDTH, HEIGHT = 256, 192  # pixels
_GRAIN = 5.0  # standard deviation of the noise, of 255


@dataclass(frozen=True)
class SamplePicture:
    """A picture drawn by this project.

    Attributes:
        description: in words, for those who do not see it.
        draw: makes it; (192, 256, 3) uint8.
    """

    description: str
    draw: Callable[[], np.ndarray]


def _places() -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each pixel, from 0 to 1; (192, 1) and (1, 256)."""
    return np.linspace(0, 1, HEIGHT)[:, None], np.linspace(0, 1, WIDTH)[None, :]


def _blend(start: tuple[int, int, int], end: tuple[int, int, int], share: np.ndarray) -> np.ndarray:
    """From one colour to the other; shares (H, W) or what spreads to it."""
    mixed = np.broadcast_to(share, (HEIGHT, WIDTH))[..., None]
    return np.array(start) * (1 - mixed) + np.array(end) * mixed


def _paint(picture: np.ndarray, colour: np.ndarray, coverage: np.ndarray) -> None:
    """Lay a colour over a picture; coverage (H, W) in [0, 1]."""
    picture += coverage[..., None] * (colour - picture)


def _soft(distance: np.ndarray) -> np.ndarray:
    """Coverage of what lies at negative distances, its edge two pixels wide."""
    return np.clip(0.5 - distance * WIDTH / 2, 0, 1)


def _finished(picture: np.ndarray, seed: int) -> np.ndarray:
    grain = np.random.default_rng(seed).normal(0, _GRAIN, (HEIGHT, WIDTH, 1))
    return np.clip(picture + grain, 0, 255).round().astype(np.uint8)


@cache
def landscape() -> np.ndarray:
    """A low sun over hills and a lake; (192, 256, 3) uint8."""
    row, column = _places()
    picture = _blend((70, 120, 190), (250, 190, 120), np.clip(row / 0.55, 0, 1))
    sun = np.hypot((row - 0.3) * HEIGHT / WIDTH, column - 0.72)
    picture += 70 * np.exp(-((sun / 0.16) ** 2))[..., None]
    _paint(picture, np.array([255, 244, 200]), _soft(sun - 0.045))
    for top, height, turns, near in ((0.46, 0.07, 2.3, 0.0), (0.53, 0.05, 3.7, 0.5), (0.58, 0.03, 6.1, 1.0)):
        ridge = top + height * np.sin(turns * np.pi * column + 4 * near) * np.cos(1.7 * column + near)
        shade = _blend((110, 130, 150), (35, 70, 45), np.broadcast_to(near, (HEIGHT, WIDTH)))
        _paint(picture, shade, _soft(ridge - row))
    lake = _blend((150, 150, 160), (30, 60, 100), np.clip((row - 0.62) / 0.38, 0, 1))
    glitter = 60 * np.exp(-(((column - 0.72) / 0.06) ** 2)) * (0.5 + 0.5 * np.sin(90 * row * row))
    _paint(picture, lake + glitter[..., None], np.broadcast_to(_soft(0.62 - row), (HEIGHT, WIDTH)))
    return _finished(picture, 1)


@cache
def apple() -> np.ndarray:
    """A red apple with its shadow on a wooden table; (192, 256, 3) uint8."""
    row, column = _places()
    picture = _blend((205, 200, 190), (160, 155, 150), row + 0.3 * column)
    wood = 18 * np.sin(40 * (row + 0.06 * np.sin(7 * column)))
    table = _blend((150, 100, 60), (105, 65, 38), row)
    _paint(picture, table + wood[..., None], np.broadcast_to(_soft(0.55 - row), (HEIGHT, WIDTH)))
    across, down = column - 0.5, (row - 0.5) * HEIGHT / WIDTH
    shadow = np.hypot((across - 0.1) / 0.27, (down - 0.19) / 0.06)
    _paint(picture, np.array([45, 28, 20]), 0.7 * np.exp(-(shadow**2)))
    edge = np.hypot(across, down * 1.05 + 0.02 * np.cos(6 * across)) - 0.2
    depth = np.sqrt(np.clip(1 - (across**2 + down**2) / 0.21**2, 0, 1))
    light = np.clip(0.25 + (-0.5 * across - 0.6 * down) / 0.21 + 0.55 * depth, 0.12, 1.2)
    _paint(picture, np.array([205, 30, 35]) * light[..., None], _soft(edge))
    shine = np.hypot(across + 0.08, down + 0.09)
    _paint(picture, np.array([255, 235, 230]), 0.85 * np.exp(-((shine / 0.03) ** 2)))
    stem = np.abs(across - 0.25 * (down + 0.19) ** 2 + 0.1 * (down + 0.19)) - 0.008
    _paint(picture, np.array([70, 45, 25]), _soft(stem) * (np.abs(down + 0.21) < 0.05))
    leaf = np.hypot((across - 0.055) / 0.055, (down + 0.225 + 0.3 * (across - 0.055)) / 0.02) - 1
    _paint(picture, np.array([60, 130, 50]), np.clip(0.5 - leaf * 4, 0, 1))
    return _finished(picture, 2)


SAMPLES: Mapping[str, SamplePicture] = {
    "Landscape": SamplePicture(
        "A low sun over blue-green hills, its light in a lake below; drawn by this project", landscape
    ),
    "Apple": SamplePicture("A red apple with a stem and a green leaf on a wooden table; drawn by this project", apple),
}
"""By the name on the page and in the address."""
