"""The `d` of an SVG path as points: straight lines and curves in straight pieces; arcs are refused. Pure."""

import re
from itertools import pairwise

CURVE_STEPS = 12  # straight pieces a curve
MAX_NUMBER = 10_000.0
NUMBER = r"[-+]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})(?:[eE][-+]?[0-9])?"
_TOKEN = re.compile(rf"[A-Za-z]|{NUMBER}")
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "Z": 0}
Point = tuple[float, float]
Shape = tuple[tuple[Point, ...], bool]


class Pen:
    """Where the path stands: the point, the control point of the last curve, the pieces drawn so far."""

    def __init__(self) -> None:
        self.at: Point = (0.0, 0.0)
        self.control: tuple[str, Point] = ("", (0.0, 0.0))
        self.points: list[Point] = []
        self.shapes: list[Shape] = []

    def lift(self, *, closed: bool) -> None:
        """End the piece in hand; a closed one returns to its start."""
        if len(self.points) > 1:
            self.shapes.append((tuple(self.points), closed))
        if closed and self.points:
            self.at = self.points[0]
        self.points = []

    def draw(self, command: str, values: list[float], *, relative: bool) -> None:
        """Carry out one command with its numbers."""
        if command == "Z":
            self.lift(closed=True)
            return
        ends = self._ends(command, values, relative)
        if command == "M":
            self.lift(closed=False)
        elif not self.points:
            self.points = [self.at]
        if command in "SCQT":
            self._curve(command, ends)
        else:
            self.points.append(ends[-1])
        self.control = (command, ends[-2]) if command in "SCQ" else (command, self.control[1])
        self.at = ends[-1]

    def _ends(self, command: str, values: list[float], relative: bool) -> list[Point]:
        x, y = self.at if relative else (0.0, 0.0)
        if command == "H":
            return [(x + values[0], self.at[1])]
        if command == "V":
            return [(self.at[0], y + values[0])]
        return [(x + a, y + b) for a, b in zip(values[::2], values[1::2], strict=True)]

    def _curve(self, command: str, ends: list[Point]) -> None:
        if command in "ST":
            before, control = self.control
            smooth = before in {"S": "SC", "T": "QT"}[command] and before
            mirrored = (2 * self.at[0] - control[0], 2 * self.at[1] - control[1]) if smooth else self.at
            self.control = (command, mirrored)
            ends = [mirrored, *ends]
        corners = [self.at, *ends]
        self.points += [bezier(corners, i / CURVE_STEPS) for i in range(1, CURVE_STEPS + 1)]


def bezier(corners: list[Point], t: float) -> Point:
    """Return the point at `t`, in [0, 1], of a Bézier curve by De Casteljau: until one point is left."""
    while len(corners) > 1:
        corners = [(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])) for a, b in pairwise(corners)]
    return corners[0]


def trace(text: str, *, limit: int = 400) -> list[Shape] | None:
    """Follow a path; None if it holds anything but known commands with their numbers.

    Args:
        limit: most points of a path.
    """
    pen, groups = Pen(), _groups(text)
    if not groups or groups[0][0] not in "Mm":
        return None
    drawn = 0
    for command, values in groups:
        takes = _TAKES.get(command.upper())
        if takes is None or (len(values) % takes if takes else len(values)) or (takes and not values):
            return None
        for start in range(0, max(1, len(values)), takes or 1):
            drawn += CURVE_STEPS if command in "CcSsQqTt" else 1
            if drawn > limit:
                return None
            # further pairs after a move are lines
            now = {"M": "L", "m": "l"}.get(command, command) if start else command
            pen.draw(now.upper(), values[start : start + takes], relative=now.islower())
    pen.lift(closed=False)
    return pen.shapes


def _groups(text: str) -> list[tuple[str, list[float]]]:
    """Each command with all its numbers; empty where anything else stands or a number is too large."""
    groups: list[tuple[str, list[float]]] = []
    if _TOKEN.sub("", text).replace(",", "").strip():
        return []
    for token in _TOKEN.findall(text):
        if token.isalpha():
            groups.append((token, []))
        elif not groups or abs(float(token)) > MAX_NUMBER:
            return []
        else:
            groups[-1][1].append(float(token))
    return groups
