"""SVG or TikZ written by a language model, read through a strict whitelist into plain primitives.

Lecture: "Draw a unicorn in TikZ" (Bubeck et al. 2023, arXiv:2303.12712). Nothing a model wrote is executed or handed to
a browser: seven elements with numbers are read, everything else is left out and counted; `drawing_tikz` has the
commands of TikZ. Pure: no XML parser, no TeX.
"""

import re
from collections.abc import Callable, Mapping

from lecture_core import drawing_tikz
from lecture_core.drawing_path import MAX_NUMBER, NUMBER, Point, Shape, trace
from lecture_core.drawing_shapes import (
    MAX_CHARACTERS,
    MAX_ELEMENTS,
    MAX_POINTS,
    Colour,
    Drawing,
    Primitive,
    named_colour,
    oval,
    render,
)

NUMBERS: Mapping[str, tuple[str, ...]] = {
    "rect": ("x", "y", "width", "height"),
    "circle": ("cx", "cy", "r"),
    "ellipse": ("cx", "cy", "rx", "ry"),
    "line": ("x1", "y1", "x2", "y2"),
    "polygon": (),
    "polyline": (),
    "path": (),
}
"""The elements that are drawn, and the attributes each reads as numbers."""
_STYLE = ("fill", "stroke", "stroke-width", "points", "d")
_HARMLESS = ("id", "class", "stroke-linecap", "stroke-linejoin")  # read by nobody here
_TAG = re.compile(r"<\s*(/?)\s*([A-Za-z][\w:-]{0,30})((?:[^<>\"']|\"[^\"<>]*\"|'[^'<>]*')*)>")
_ATTRIBUTE = re.compile(r"\s*([A-Za-z][\w:-]{0,30})\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_NUMBER = re.compile(NUMBER)
_COLOUR = re.compile(r"[A-Za-z]{3,20}|#[0-9A-Fa-f]{3}|#[0-9A-Fa-f]{6}")


def read(text: str) -> Drawing:
    """Read the whitelisted parts of a text; whatever else it holds is counted and left out. Never raises.

    Args:
        text: of any origin, SVG or TikZ; what stands after 20,000 characters or 200 primitives is not read.
    """
    if drawing_tikz.is_tikz(text):
        return drawing_tikz.read(text)
    box: tuple[float, float, float, float] = (0.0, 0.0, 100.0, 100.0)
    drawn: list[Primitive] = []
    refused: dict[str, int] = {}
    for found in _TAG.finditer(_without_comments(text[:MAX_CHARACTERS])):
        closing, element, rest = found.groups()
        if closing:
            continue
        attributes = _attributes(rest)
        if element == "svg":
            box = _box(attributes or {}) or box
        elif primitives := _primitives(element, attributes):
            drawn += primitives
        else:
            refused[element] = refused.get(element, 0) + 1
    return Drawing(box, tuple(drawn[:MAX_ELEMENTS]), refused)


def _without_comments(text: str) -> str:
    kept, start = [], 0
    while (at := text.find("<!--", start)) >= 0:
        kept.append(text[start:at])
        end = text.find("-->", at + 4)
        start = len(text) if end < 0 else end + 3
    return "".join([*kept, text[start:]])


def _attributes(text: str) -> dict[str, str] | None:
    """Names and values; None if anything stands between them."""
    attributes, end = {}, 0
    bare = text.rstrip().removesuffix("/").rstrip()
    while end < len(bare):
        found = _ATTRIBUTE.match(bare, end)
        if found is None:
            return None
        attributes[found[1]] = found[2] if found[2] is not None else found[3]
        end = found.end()
    return attributes


def _number(text: str | None) -> float | None:
    """A plain number, `px` allowed; None for anything else or beyond 10,000."""
    bare = (text or "").strip().removesuffix("px")
    value = float(bare) if _NUMBER.fullmatch(bare) else None
    return value if value is not None and abs(value) <= MAX_NUMBER else None


def _box(attributes: Mapping[str, str]) -> tuple[float, float, float, float] | None:
    sides = [_number(part) for part in attributes.get("viewBox", "").replace(",", " ").split()]
    if len(sides) != 4:
        sides = [0.0, 0.0, _number(attributes.get("width")), _number(attributes.get("height"))]
    left, top, width, height = sides
    if left is None or top is None or width is None or height is None or min(width, height) < 1:
        return None
    return left, top, width, height


def _primitives(element: str, attributes: Mapping[str, str] | None) -> list[Primitive]:
    """What an element draws; empty if its name, an attribute or a value is not on the list."""
    if attributes is None or element not in NUMBERS:
        return []
    if not set(attributes) <= {*NUMBERS[element], *_STYLE, *_HARMLESS}:
        return []
    values = [_number(attributes.get(name, "0")) for name in NUMBERS[element]]
    numbers = [value for value in values if value is not None]
    shapes = _SHAPES[element](numbers, attributes) if len(numbers) == len(values) else None
    width = _number(attributes.get("stroke-width", "1"))
    if not shapes or width is None or any(not 2 <= len(points) <= MAX_POINTS for points, _ in shapes):
        return []
    fill = None if element == "line" else _colour(attributes.get("fill"), (0, 0, 0))
    stroke = _colour(attributes.get("stroke"), None)
    return [Primitive(element, points, closed, fill, stroke, width) for points, closed in shapes]


def _colour(text: str | None, default: Colour | None) -> Colour | None:
    """A named colour or #hex; anything else, `none` included, draws nothing."""
    if text is None:
        return default
    if not _COLOUR.fullmatch(text):
        return None
    return named_colour(text)


def _rect(numbers: list[float], _: Mapping[str, str]) -> list[Shape]:
    x, y, width, height = numbers
    if min(width, height) <= 0:
        return []
    return [(((x, y), (x + width, y), (x + width, y + height), (x, y + height)), True)]


def _ellipse(numbers: list[float], _: Mapping[str, str]) -> list[Shape]:
    cx, cy, rx, ry = numbers if len(numbers) == 4 else (*numbers, numbers[2])
    if min(rx, ry) <= 0:
        return []
    return [(oval(cx, cy, rx, ry), True)]


def _line(numbers: list[float], _: Mapping[str, str]) -> list[Shape]:
    x1, y1, x2, y2 = numbers
    return [(((x1, y1), (x2, y2)), False)]


def _corners(attributes: Mapping[str, str]) -> tuple[Point, ...]:
    values = [_number(part) for part in attributes.get("points", "").replace(",", " ").split()]
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(values) or len(numbers) % 2:
        return ()
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


_SHAPES: Mapping[str, Callable[[list[float], Mapping[str, str]], list[Shape] | None]] = {
    "rect": _rect,
    "circle": _ellipse,
    "ellipse": _ellipse,
    "line": _line,
    "polygon": lambda _, attributes: [(_corners(attributes), True)],
    "polyline": lambda _, attributes: [(_corners(attributes), False)],
    "path": lambda _, attributes: trace(attributes.get("d", ""), limit=MAX_POINTS),
}


def shows_anything(text: str) -> bool:
    """Whether what can be read of a text leaves a mark on white paper; a drawing may be empty, or white on white."""
    drawing = read(text)
    return bool(drawing.primitives) and bool((render(drawing, side=160) < 255).any())
