"""Drawings as plain lines through points, whatever language they were written in; and our own hand, which draws them.

Lecture: "Draw a unicorn in TikZ" (Bubeck et al. 2023, arXiv:2303.12712). Pure: Pillow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from lecture_core.drawing_path import Point

MAX_CHARACTERS, MAX_ELEMENTS, MAX_POINTS = 20_000, 200, 400
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Primitive:
    """Lines through points: what every element becomes.

    Attributes:
        element: the SVG element it came from, or the TikZ command.
        points: in the drawing's own units.
        closed: whether the last point joins the first.
        fill, stroke: colours; None draws nothing.
        width: of the stroke, in the drawing's units.
    """

    element: str
    points: tuple[Point, ...]
    closed: bool
    fill: Colour | None
    stroke: Colour | None
    width: float = 1.0


@dataclass(frozen=True)
class Drawing:
    """What was read from a model's text.

    Attributes:
        box: left, top, width, height of what is shown.
        refused: elements that were left out, by name, with how often.
    """

    box: tuple[float, float, float, float]
    primitives: tuple[Primitive, ...]
    refused: Mapping[str, int]


def render(drawing: Drawing, *, side: int = 320) -> np.ndarray:
    """Draw the primitives on white, the longer side of the box `side` pixels; (H, W, 3) uint8."""
    left, top, width, height = drawing.box
    scale = side / max(width, height)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for primitive in drawing.primitives:
        points = [((x - left) * scale, (y - top) * scale) for x, y in primitive.points]
        if primitive.fill and len(points) > 2:
            draw.polygon(points, fill=primitive.fill)
        if primitive.stroke:
            outline = [*points, points[0]] if primitive.closed else points
            thickness = min(side, max(1, round(primitive.width * scale)))
            draw.line(outline, fill=primitive.stroke, width=thickness)
    return np.asarray(image)


def named_colour(text: str) -> Colour | None:
    """Return the colour of a name or #hex; None for anything else."""
    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError:
        return None
    return red, green, blue


def oval(cx: float, cy: float, rx: float, ry: float) -> tuple[Point, ...]:
    """Return 48 points around an ellipse."""
    turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return tuple((float(cx + rx * np.cos(t)), float(cy + ry * np.sin(t))) for t in turns)
