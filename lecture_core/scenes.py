"""Pictures of coloured shapes: the scene as data, its written form, and a renderer.

The world that `shapes-vlm` knows: up to five shapes on four by four cells. Pure: numpy and Pillow, no model.
"""

import hashlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from lecture_core.errors import InvalidInputError

KINDS = ("circle", "square", "triangle", "star")
COLOURS = {
    "red": (204, 40, 40),
    "green": (0, 158, 90),
    "blue": (0, 90, 190),
    "yellow": (240, 210, 40),
    "purple": (160, 60, 160),
    "black": (30, 30, 30),
}
RADII = {"small": 3.5, "big": 6.0}  # pixels
CELLS, CELL_PIXELS, MAX_SHAPES = 4, 16, 5
PIXELS = CELLS * CELL_PIXELS
BACKGROUND = 245
HELD_OUT_PERCENT = 10
_OVERSAMPLING = 8


@dataclass(frozen=True)
class Shape:
    """One shape in one cell.

    Attributes:
        column, row: its cell, 0 to 3 from the left and from the top.
        dx, dy: pixels off the middle of the cell, at most 2 so that the shape stays inside.
    """

    kind: str
    colour: str
    size: str
    column: int
    row: int
    dx: int = 0
    dy: int = 0

    @property
    def words(self) -> str:
        """The shape in words: `big red star`."""
        return f"{self.size} {self.colour} {self.kind}"


@dataclass(frozen=True)
class Scene:
    """Shapes, at most one a cell; later ones are drawn over earlier ones."""

    shapes: tuple[Shape, ...]

    @property
    def key(self) -> str:
        """The scene in writing: `big-red-star-1-4.small-blue-circle-2-2`, cells counted from 1."""
        return ".".join(f"{s.size}-{s.colour}-{s.kind}-{s.column + 1}-{s.row + 1}" for s in self.shapes)

    @property
    def held_out(self) -> bool:
        """Whether the scene belongs to the tenth that measures and never trains; order and offsets do not matter."""
        digest = hashlib.sha1(".".join(sorted(self.key.split("."))).encode()).digest()
        return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT

    def description(self) -> str:
        """The scene in words, for those who do not see it."""
        places = (f"{s.words} in column {s.column + 1}, row {s.row + 1}" for s in self.shapes)
        return "; ".join(places) or "an empty picture"


def parse(text: str) -> Scene:
    """Read a scene's written form.

    Raises:
        InvalidInputError: an unknown word, a cell outside the picture, two shapes in a cell, or too many shapes.
    """
    parts = [part for part in text.split(".") if part]
    if len(parts) > MAX_SHAPES:
        raise _mistake(f"at most {MAX_SHAPES} shapes", f"{len(parts)}")
    shapes = tuple(_parse_shape(part) for part in parts)
    if len({(s.column, s.row) for s in shapes}) < len(shapes):
        raise _mistake("one shape a cell", "two shapes in one cell")
    return Scene(shapes)


def _parse_shape(text: str) -> Shape:
    words = text.split("-")
    cells = [str(i + 1) for i in range(CELLS)]
    allowed: Sequence[Sequence[str]] = (tuple(RADII), tuple(COLOURS), KINDS, cells, cells)
    if len(words) != len(allowed) or any(w not in a for w, a in zip(words, allowed, strict=True)):
        raise _mistake("a shape like big-red-star-1-4", text[:40])
    size, colour, kind, column, row = words
    return Shape(kind, colour, size, cells.index(column), cells.index(row))


def _mistake(expected: str, got: str) -> InvalidInputError:
    return InvalidInputError(expected=expected, got=got, remedy="choose a prepared scene, or build one")


def moved(scene: Scene, index: int, columns: int, rows: int) -> Scene:
    """Push one shape by some cells; a shape in its way changes places with it, and the edge stops it."""
    shape = scene.shapes[index]
    column = min(CELLS - 1, max(0, shape.column + columns))
    row = min(CELLS - 1, max(0, shape.row + rows))
    shapes = [
        replace(s, column=shape.column, row=shape.row) if (s.column, s.row) == (column, row) else s
        for s in scene.shapes
    ]
    shapes[index] = replace(shape, column=column, row=row)
    return Scene(tuple(shapes))


def changed(scene: Scene, index: int, **properties: str) -> Scene:
    """Give one shape another kind, colour or size."""
    shapes = list(scene.shapes)
    shapes[index] = replace(shapes[index], **properties)  # type: ignore[arg-type]
    return Scene(tuple(shapes))


def without(scene: Scene, index: int) -> Scene:
    """Take one shape away."""
    return Scene(scene.shapes[:index] + scene.shapes[index + 1 :])


def with_one_more(scene: Scene) -> Scene:
    """Add a big red star in the first free cell; a full scene stays as it is."""
    taken = {(s.column, s.row) for s in scene.shapes}
    free = [(c, r) for r in range(CELLS) for c in range(CELLS) if (c, r) not in taken]
    if len(scene.shapes) >= MAX_SHAPES:
        return scene
    return Scene((*scene.shapes, Shape("star", "red", "big", *free[0])))


def random_scene(rng: random.Random) -> Scene:
    """Draw one to five shapes; in every other scene they differ in at most one property of one shape."""
    count = rng.randint(1, MAX_SHAPES)
    cells = rng.sample(list(itertools.product(range(CELLS), repeat=2)), count)
    alike = rng.random() < 0.5
    kind, colour, size = rng.choice(KINDS), rng.choice(list(COLOURS)), rng.choice(list(RADII))
    shapes = []
    for column, row in cells:
        if not alike:
            kind, colour, size = rng.choice(KINDS), rng.choice(list(COLOURS)), rng.choice(list(RADII))
        shapes.append(Shape(kind, colour, size, column, row, rng.randint(-2, 2), rng.randint(-2, 2)))
    if alike and rng.random() < 0.8:
        shapes[0] = _changed(shapes[0], rng)
    rng.shuffle(shapes)
    return Scene(tuple(shapes))


def _changed(shape: Shape, rng: random.Random) -> Shape:
    name, values = rng.choice((("kind", KINDS), ("colour", tuple(COLOURS)), ("size", tuple(RADII))))
    another = rng.choice([value for value in values if value != getattr(shape, name)])
    return changed(Scene((shape,)), 0, **{name: another}).shapes[0]


def render(scene: Scene) -> np.ndarray:
    """Draw a scene; (64, 64, 3) uint8."""
    picture = np.full((PIXELS, PIXELS, 3), BACKGROUND, dtype=np.float32)
    for shape in scene.shapes:
        top, left = shape.row * CELL_PIXELS, shape.column * CELL_PIXELS
        cell = picture[top : top + CELL_PIXELS, left : left + CELL_PIXELS]
        alpha = np.roll(_coverage(shape.kind, shape.size), (shape.dy, shape.dx), (0, 1))[..., None]
        cell += alpha * (np.array(COLOURS[shape.colour], dtype=np.float32) - cell)
    return picture.round().astype(np.uint8)


@cache
def _coverage(kind: str, size: str) -> np.ndarray:
    """How much of each pixel of a cell the shape covers, in [0, 1]; (16, 16)."""
    side = CELL_PIXELS * _OVERSAMPLING
    centre, radius = side / 2, RADII[size] * _OVERSAMPLING
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    if kind == "circle":
        draw.ellipse((centre - radius, centre - radius, centre + radius, centre + radius), fill=255)
    else:
        draw.polygon([(centre + radius * x, centre + radius * y) for x, y in _corners(kind)], fill=255)
    exact = np.asarray(image, dtype=np.float32) / 255
    return exact.reshape(CELL_PIXELS, _OVERSAMPLING, CELL_PIXELS, _OVERSAMPLING).mean((1, 3))


def _corners(kind: str) -> list[tuple[float, float]]:
    """Corners in units of the radius, y downwards."""
    if kind == "square":
        return [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]
    if kind == "triangle":
        return [(0, -1), (1, 0.85), (-1, 0.85)]
    turns = [(1.0 if i % 2 == 0 else 0.42, i * pi / 5) for i in range(10)]
    return [(r * sin(a), -r * cos(a)) for r, a in turns]


def cover(picture: np.ndarray, cells: Sequence[int], *, grid: int) -> np.ndarray:
    """Return a copy with some cells of a `grid` by `grid` division painted in the background's grey.

    Args:
        picture: (H, W, 3) uint8.
        cells: row by row from the top left, 0 to grid * grid - 1.
    """
    covered = picture.copy()
    height, width = picture.shape[:2]
    for cell in cells:
        row, column = divmod(cell, grid)
        rows = slice(row * height // grid, (row + 1) * height // grid)
        covered[rows, column * width // grid : (column + 1) * width // grid] = BACKGROUND
    return covered
