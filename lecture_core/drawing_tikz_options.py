r"""What stands in the brackets of a TikZ command: colours, line widths, and where the drawing is moved to. Pure."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lecture_core.drawing_path import MAX_NUMBER, NUMBER, Point
from lecture_core.drawing_shapes import Colour, named_colour

CENTIMETRES = {"": 1.0, "cm": 1.0, "mm": 0.1, "pt": 2.54 / 72.27, "in": 2.54}  # a TeX point is 1/72.27 of an inch
BLACK: Colour = (0, 0, 0)
_WHITE: Colour = (255, 255, 255)
_XCOLOR: Mapping[str, Colour] = {
    "brown": (191, 128, 64),
    "darkgray": (64, 64, 64),
    "green": (0, 255, 0),
    "lightgray": (191, 191, 191),
    "lime": (191, 255, 0),
    "orange": (255, 128, 0),
    "pink": (255, 191, 191),
    "purple": (191, 0, 64),
    "violet": (128, 0, 128),
}
"""The colours of LaTeX's xcolor that differ from those of the same name in SVG."""
_WIDTHS = {
    "ultra thin": 0.1,
    "very thin": 0.2,
    "thin": 0.4,
    "semithick": 0.6,
    "thick": 0.8,
    "very thick": 1.2,
    "ultra thick": 1.6,
}
"""In points (TikZ manual, section 15.3.1)."""
_HARMLESS = {"rounded corners", "line cap", "line join", "smooth", "dashed", "dotted", "opacity", "fill opacity"}
_HARMLESS |= {"->", "<-", "<->", "-"}  # drawn plainer than meant
_LENGTH = re.compile(rf"({NUMBER})\s*([a-z]{{0,2}})")
_MIX = re.compile(r"[A-Za-z][A-Za-z0-9]{0,30}(?:![0-9]{1,3}(?:![A-Za-z][A-Za-z0-9]{0,30})?){0,4}")
_MAX_OPTIONS = 40
Matrix = tuple[float, float, float, float, float, float]
_STILL: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True)
class Options:
    """What was read between brackets.

    Attributes:
        fill, draw: colours of areas and lines.
        filled: whether areas were asked for; False after `fill=none`, None where nothing says.
        drawn: the same of lines.
        unknown: names that are not on the list.
    """

    fill: Colour | None = None
    draw: Colour | None = None
    filled: bool | None = None
    drawn: bool | None = None
    width: float | None = None
    matrix: Matrix = _STILL
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Style:
    """What holds where a command stands: colours, the width of lines in centimetres, and where points are moved to."""

    fill: Colour = BLACK
    draw: Colour = BLACK
    width: float = 0.4 * CENTIMETRES["pt"]
    matrix: Matrix = _STILL

    def within(self, options: Options) -> "Style":
        """Return the style inside of a command or environment with these options."""
        return Style(
            fill=self.fill if options.fill is None else options.fill,
            draw=self.draw if options.draw is None else options.draw,
            width=self.width if options.width is None else options.width,
            matrix=_product(self.matrix, options.matrix),
        )

    def place(self, point: Point) -> Point:
        """Return where a point comes to lie."""
        a, b, c, d, e, f = self.matrix
        x, y = point
        return a * x + c * y + e, b * x + d * y + f


def _product(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * m + e, b * k + d * m + f


def length(text: str, *, unit: str = "") -> float | None:
    """Return a plain number with an optional unit in centimetres; None for anything else or beyond 10,000.

    Args:
        unit: that of a number without one.
    """
    found = _LENGTH.fullmatch(text.strip())
    if found is None or (found[2] or unit) not in CENTIMETRES:
        return None
    value = float(found[1]) * CENTIMETRES[found[2] or unit]
    return value if abs(value) <= MAX_NUMBER else None


def pair(text: str) -> tuple[float, float] | None:
    """Return `x,y`, or `angle:radius`, in centimetres; None for anything else."""
    if text.count(":") == 1 and "," not in text:
        angle, radius = (length(part) for part in text.split(":"))
        if angle is None or radius is None:
            return None
        return radius * math.cos(math.radians(angle)), radius * math.sin(math.radians(angle))
    parts = [length(part) for part in text.split(",")]
    return (parts[0], parts[1]) if len(parts) == 2 and parts[0] is not None and parts[1] is not None else None


def colour_of(text: str, defined: Mapping[str, Colour]) -> Colour | None:
    """Return a named or defined colour, or a mixture such as `red!50!blue`; None for anything else."""
    if not _MIX.fullmatch(text):
        return None
    first, *rest = text.split("!")
    mixed = _one(first, defined)
    for share, other in zip(rest[::2], [*rest[1::2], "white"], strict=False):
        added, part = _one(other, defined), int(share) / 100
        if mixed is None or added is None or part > 1:
            return None
        mixed = _rgb([part * a + (1 - part) * b for a, b in zip(mixed, added, strict=True)])
    return mixed


def _one(name: str, defined: Mapping[str, Colour]) -> Colour | None:
    return defined.get(name) or _XCOLOR.get(name) or (named_colour(name) if name.isalpha() else None)


def defined_colour(model: str, values: str) -> Colour | None:
    r"""Return the colour of a `\definecolor`: model RGB, rgb, HTML or gray; None for anything else."""
    if model == "HTML":
        return named_colour(f"#{values}") if re.fullmatch(r"[0-9A-Fa-f]{6}", values) else None
    parts = [length(part) for part in values.split(",")]
    most = 255.0 if model == "RGB" else 1.0
    numbers = [part / most for part in parts if part is not None and 0 <= part <= most]
    if len(numbers) < len(parts) or len(numbers) != {"RGB": 3, "rgb": 3, "gray": 1}.get(model):
        return None
    return _rgb([255 * number for number in (numbers * 3)[:3]])


def _rgb(values: list[float]) -> Colour:
    red, green, blue = (round(value) for value in values)
    return red, green, blue


def read_options(text: str, defined: Mapping[str, Colour]) -> Options:
    """Read what stands between brackets; names that are not on the list are noted, not followed."""
    found = Options()
    for part in _parts(text):
        name, _, value = (piece.strip() for piece in part.partition("="))
        now = _option(found, name, value.removeprefix("{").removesuffix("}").strip(), defined)
        found = now or replace(found, unknown=(*found.unknown, name[:20]))
    return found


def _parts(text: str) -> list[str]:
    """Cut at the commas that stand outside of braces and parentheses."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "{(") - (sign in "})")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts[:_MAX_OPTIONS] if part.strip()]


def _option(found: Options, name: str, value: str, defined: Mapping[str, Colour]) -> Options | None:
    """The options with one more; None if it is not on the list, or its value is none."""
    if name in ("fill", "draw", "color") and value:
        return _coloured(found, name, value, defined)
    if name == "fill":
        return replace(found, filled=True)
    if name == "draw":
        return replace(found, drawn=True)
    if name in _HARMLESS:
        return found
    if name in _WIDTHS and not value:
        return replace(found, width=_WIDTHS[name] * CENTIMETRES["pt"])
    if name == "line width":
        width = length(value, unit="pt")
        return None if width is None or width < 0 else replace(found, width=width)
    if value:
        step = _step(name, value)
        return None if step is None else replace(found, matrix=_product(found.matrix, step))
    return _coloured(found, "color", name, defined)


def _coloured(found: Options, name: str, value: str, defined: Mapping[str, Colour]) -> Options | None:
    if value == "none":
        return {"fill": replace(found, filled=False), "draw": replace(found, drawn=False)}.get(name)
    colour = colour_of(value, defined)
    if colour is None:
        return None
    if name == "fill":
        return replace(found, fill=colour, filled=True)
    return replace(found, draw=colour, drawn=True) if name == "draw" else replace(found, fill=colour, draw=colour)


def _step(name: str, value: str) -> Matrix | None:
    """How one option moves the drawing; None if it is not on the list."""
    if name == "shift":
        by = pair(value.removeprefix("(").removesuffix(")"))
        return None if by is None else (1.0, 0.0, 0.0, 1.0, *by)
    number = length(value, unit="pt" if name in ("xshift", "yshift") else "")
    if number is None:
        return None
    turn = math.radians(number)
    steps: Mapping[str, Matrix] = {
        "scale": (number, 0.0, 0.0, number, 0.0, 0.0),
        "xscale": (number, 0.0, 0.0, 1.0, 0.0, 0.0),
        "yscale": (1.0, 0.0, 0.0, number, 0.0, 0.0),
        "rotate": (math.cos(turn), math.sin(turn), -math.sin(turn), math.cos(turn), 0.0, 0.0),
        "xshift": (1.0, 0.0, 0.0, 1.0, number, 0.0),
        "yshift": (1.0, 0.0, 0.0, 1.0, 0.0, number),
    }
    return steps.get(name)
