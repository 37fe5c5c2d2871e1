"""The path of a TikZ command as points: lines, rectangles, circles, ellipses, arcs, curves. Pure."""

import math
import re
from collections.abc import Iterator

from lecture_core.drawing_path import CURVE_STEPS, Point, Shape, bezier
from lecture_core.drawing_shapes import oval
from lecture_core.drawing_tikz_options import length, pair

ARC_STEPS = 24  # straight pieces an arc
_TOKEN = re.compile(r"\s*(?:(--|-\||\|-|\.\.)|(\+{0,2}\([^()]*\))|(\[[^\[\]]*\])|([a-z]+))")
_NAMES = ("radius", "x radius", "y radius", "start angle", "end angle")
_MAX_TURN = 720.0  # degrees of an arc


class _Wrong(Exception):
    """Something that is not on the lists."""


class _Brush:
    """Where the path stands: its point, where relative ones count from, the piece in hand, the pieces done."""

    def __init__(self, tokens: list[str], limit: int) -> None:
        self.tokens, self.limit = tokens, limit
        self.at: Point = (0.0, 0.0)
        self.points: list[Point] = []
        self.shapes: list[Shape] = []
        self.drawn = 0

    def take(self, *wanted: str) -> str:
        if not self.tokens or (wanted and self.tokens[0] not in wanted):
            raise _Wrong
        return self.tokens.pop(0)

    def next_is(self, *wanted: str) -> bool:
        return bool(self.tokens) and self.tokens[0] in wanted

    def point(self) -> Point:
        """The next coordinate; one with two plus signs moves the place that relative ones count from."""
        token = self.take()
        signs = len(token) - len(token.lstrip("+"))
        if not token.endswith(")") or signs == len(token):
            raise _Wrong
        found = pair(token[signs + 1 : -1])
        if found is None:
            raise _Wrong
        point = (found[0] + self.at[0], found[1] + self.at[1]) if signs else found
        if signs != 1:
            self.at = point
        return point

    def add(self, points: list[Point], *, piece: bool = False) -> None:
        """Go on through points; a `piece` is closed and stands for itself."""
        self.drawn += len(points)
        if self.drawn > self.limit:
            raise _Wrong
        if piece:
            self.shapes.append((tuple(points), True))
        else:
            self.points += points

    def lift(self, *, closed: bool = False) -> None:
        if len(self.points) > 1:
            self.shapes.append((tuple(self.points), closed))
        if closed and self.points:
            self.at = self.points[0]
        self.points = []


def follow(text: str, *, limit: int) -> list[Shape] | None:
    """Follow a path; None if it holds anything but known words with plain numbers, or too many points.

    Args:
        limit: most points of a path.
    """
    try:
        brush = _Brush(list(_tokens(text)), limit)
        while brush.tokens:
            _step(brush)
        brush.lift()
    except _Wrong:
        return None
    return brush.shapes


def _tokens(text: str) -> Iterator[str]:
    end, text = 0, text.rstrip()
    while end < len(text):
        found = _TOKEN.match(text, end)
        if found is None:
            raise _Wrong
        yield found[0].strip()
        end = found.end()


def _step(brush: _Brush) -> None:
    token = brush.tokens[0]
    if token.endswith(")"):
        brush.lift()
        brush.add([brush.point()])
        return
    brush.take()
    if not brush.points:
        raise _Wrong
    steps = {"--": _line, "-|": _line, "|-": _line, "..": _curve, "rectangle": _rectangle, "arc": _arc}
    if token in ("circle", "ellipse"):
        _ellipse(brush)
    elif token in steps:
        steps[token](brush, token)
    else:
        raise _Wrong


def _line(brush: _Brush, token: str) -> None:
    if brush.next_is("cycle"):
        brush.take()
        brush.lift(closed=True)
        return
    start, end = brush.points[-1], brush.point()
    corner = {"--": [], "-|": [(end[0], start[1])], "|-": [(start[0], end[1])]}[token]
    brush.add([*corner, end])


def _curve(brush: _Brush, _: str) -> None:
    brush.take("controls")
    corners = [brush.points[-1], brush.point()]
    if brush.next_is("and"):
        brush.take()
        brush.at = corners[0]  # both controls' relative places count from where the path stands and where it ends
        corners.append(brush.point())
    else:
        corners.append(corners[-1])
    brush.take("..")
    if brush.next_is("cycle"):
        brush.take()
        corners.append(brush.points[0])
        brush.add([bezier(corners, i / CURVE_STEPS) for i in range(1, CURVE_STEPS)])
        brush.lift(closed=True)
        return
    corners.append(brush.point())
    brush.add([bezier(corners, i / CURVE_STEPS) for i in range(1, CURVE_STEPS + 1)])


def _rectangle(brush: _Brush, _: str) -> None:
    x, y = _corner(brush)
    right, top = brush.point()
    brush.add([(x, y), (right, y), (right, top), (x, top)], piece=True)
    brush.points = [(right, top)]


def _ellipse(brush: _Brush) -> None:
    x, y = _corner(brush)
    rx, ry = _radii(brush.take())
    brush.add(list(oval(x, y, rx, ry)), piece=True)
    brush.points = [(x, y)]


def _arc(brush: _Brush, _: str) -> None:
    """`(start:end:radius)` or the same by name, angles in degrees, from where the path stands."""
    token = brush.take()
    if token.startswith("["):
        named = _named(token)
        start, end = named.get("start angle"), named.get("end angle")
    else:
        parts = token.strip("()").split(":")
        start, end = (length(part) for part in parts[:2]) if len(parts) == 3 else (None, None)
        token = f"({parts[-1]})"
    rx, ry = _radii(token)
    if start is None or end is None or abs(end - start) > _MAX_TURN:
        raise _Wrong
    x, y = brush.points[-1]
    first, last = math.radians(start), math.radians(end)
    turns = [first + (last - first) * i / ARC_STEPS for i in range(1, ARC_STEPS + 1)]
    across, down = x - rx * math.cos(first), y - ry * math.sin(first)
    points = [(across + rx * math.cos(t), down + ry * math.sin(t)) for t in turns]
    brush.at = points[-1]
    brush.add(points)


def _corner(brush: _Brush) -> Point:
    """Where a piece of its own begins: lines before it are lifted, a point alone is not drawn."""
    corner = brush.points[-1]
    brush.lift()
    return corner


def _radii(token: str) -> tuple[float, float]:
    """`(r)`, `(a and b)`, `[radius=r]` or `[x radius=a, y radius=b]`; above 0."""
    if token.startswith("["):
        named = _named(token)
        rx, ry = named.get("x radius", named.get("radius")), named.get("y radius", named.get("radius"))
    else:
        parts = [length(part) for part in token.strip("()").split(" and ")]
        rx, ry = parts[0], parts[-1]
        if len(parts) > 2:
            raise _Wrong
    if rx is None or ry is None or min(rx, ry) <= 0:
        raise _Wrong
    return rx, ry


def _named(token: str) -> dict[str, float]:
    """`[name=number, ...]` of the names that circles and arcs know."""
    found: dict[str, float] = {}
    for part in token[1:-1].split(","):
        name, _, text = (piece.strip() for piece in part.partition("="))
        value = length(text)
        if name not in _NAMES or value is None:
            raise _Wrong
        found[name] = value
    return found
