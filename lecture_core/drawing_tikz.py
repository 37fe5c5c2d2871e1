r"""TikZ through a strict whitelist: `\draw`, `\fill` and `\filldraw` with plain numbers become primitives.

Lecture: "Draw a unicorn in TikZ" (Bubeck et al. 2023, arXiv:2303.12712). There is no TeX here: no macro is expanded, no
file is read, nothing is executed. A command with anything that is not on the lists is left out and counted. Units are
centimetres, TikZ's own; y grows downwards in the drawing, as in SVG. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lecture_core.drawing_path import MAX_NUMBER
from lecture_core.drawing_shapes import MAX_CHARACTERS, MAX_ELEMENTS, MAX_POINTS, Colour, Drawing, Primitive
from lecture_core.drawing_tikz_options import Options, Style, defined_colour, read_options
from lecture_core.drawing_tikz_path import follow

DRAWN = ("draw", "fill", "filldraw")
_STATEMENTS = ("node", "coordinate", "path", "shade", "shadedraw", "clip", "pic", "matrix", "pattern")
_FRAME = ("documentclass", "usepackage", "usetikzlibrary", "centering")  # around a picture; draws nothing
_ENVIRONMENTS = ("document", "tikzpicture", "center", "figure")
_COMMAND = re.compile(r"\\([A-Za-z]{1,30})")
_SIGN = re.compile(r"\\(?:draw|fill|filldraw|begin\{tikzpicture\})(?![A-Za-z])")
_COMMENT = re.compile(r"(?<!\\)%.*")
_MARGIN = 0.06  # of the longer side
MAX_SCOPES = 20


def is_tikz(text: str) -> bool:
    """Whether a text is TikZ rather than SVG: it holds one of the commands that are drawn, and no `<svg`."""
    return (
        "<svg" not in text and re.search(r"\\(?:draw|fill|filldraw|begin\{tikzpicture\})(?![A-Za-z])", text) is not None
    )


@dataclass
class _Reader:
    """Where the reading stands; `scopes` holds the style of each open environment, None where it cannot be read."""

    text: str
    closing: Mapping[int, int]
    at: int = 0
    scopes: list[Style | None] = field(default_factory=lambda: [Style()])
    colours: dict[str, Colour] = field(default_factory=dict)
    drawn: list[Primitive] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    def leave_out(self, name: str) -> None:
        self.refused[name] = self.refused.get(name, 0) + 1

    def group(self, opens: str) -> str | None:
        """Take the next `{...}` or `[...]`, if one comes at once; None otherwise."""
        start = self.at
        while start < len(self.text) and self.text[start].isspace():
            start += 1
        if self.text[start : start + 1] != opens:
            return None
        end = self.closing.get(start, -1) if opens == "{" else self.text.find("]", start)
        if end < 0:
            return None
        self.at = end + 1
        return self.text[start + 1 : end]

    def statement(self) -> str | None:
        """Take all up to the next semicolon; None, and nothing is taken, where another command comes first."""
        end = self.text.find(";", self.at)
        other = self.text.find("\\", self.at, end if end >= 0 else len(self.text))
        if end < 0 or other >= 0:
            return None
        taken, self.at = self.text[self.at : end], end + 1
        return taken


def read(text: str) -> Drawing:
    """Read the whitelisted commands of a text; whatever else it holds is counted and left out. Never raises.

    Args:
        text: of any origin; what stands after 20,000 characters or 200 primitives is not read.
    """
    bare = _COMMENT.sub("", text[:MAX_CHARACTERS])
    reader = _Reader(bare, _closing(bare))
    while (found := _COMMAND.search(bare, reader.at)) is not None:
        reader.at = found.end()
        _command(reader, found[1])
    drawn = tuple(reader.drawn[:MAX_ELEMENTS])
    return Drawing(_box(drawn), drawn, reader.refused)


def _closing(text: str) -> dict[int, int]:
    """Where each brace is closed, by where it opens."""
    pairs, opened = {}, []
    for i, sign in enumerate(text):
        if sign == "{":
            opened.append(i)
        elif sign == "}" and opened:
            pairs[opened.pop()] = i
    return pairs


def _command(reader: _Reader, name: str) -> None:
    if name in DRAWN:
        _draw(reader, name)
    elif name in ("begin", "end"):
        _environment(reader, name)
    elif name == "definecolor":
        _define(reader)
    elif name == "foreach":
        reader.leave_out(f"\\{name}")
        _skip_loop(reader)
    else:
        if name not in _FRAME:
            reader.leave_out(f"\\{name}")
        if name in _STATEMENTS:
            reader.statement()
        while reader.group("[") is not None or reader.group("{") is not None:
            pass


def _environment(reader: _Reader, name: str) -> None:
    kind = reader.group("{")
    if kind not in (*_ENVIRONMENTS, "scope"):
        reader.leave_out(f"\\{name}{{{(kind or '')[:20]}}}")
        return
    if kind not in ("tikzpicture", "scope"):
        return
    if name == "end":
        if len(reader.scopes) > 1:
            reader.scopes.pop()
        return
    options = read_options(reader.group("[") or "", reader.colours)
    outer = reader.scopes[-1]
    if outer is None or len(reader.scopes) > MAX_SCOPES or (options.unknown and kind == "scope"):
        reader.scopes.append(None)
        reader.leave_out(f"\\begin{{{kind}}}")
    else:
        reader.scopes.append(outer.within(options))
        for _ in options.unknown:
            reader.leave_out("option")


def _define(reader: _Reader) -> None:
    name, model, values = (reader.group("{") for _ in range(3))
    colour = defined_colour(model or "", values or "")
    if colour is None or not (name or "").isalnum() or len(reader.colours) >= MAX_ELEMENTS:
        reader.leave_out("\\definecolor")
    else:
        reader.colours[name or ""] = colour


def _skip_loop(reader: _Reader) -> None:
    r"""Leave a `\foreach` out as a whole: its body is not what is drawn, but what would be repeated."""
    start = reader.text.find("{", reader.at)
    reader.at = reader.closing.get(start, reader.at) + 1 if start >= 0 else reader.at
    if reader.group("{") is None:
        end = reader.text.find(";", reader.at)
        reader.at = end + 1 if end >= 0 else len(reader.text)


def _draw(reader: _Reader, name: str) -> None:
    written, outer = reader.statement(), reader.scopes[-1]
    primitives = _primitives(name, written, outer, reader.colours) if written and outer else []
    if primitives:
        reader.drawn += primitives
    else:
        reader.leave_out(f"\\{name}")


def _primitives(name: str, written: str, outer: Style, colours: Mapping[str, Colour]) -> list[Primitive]:
    """What a command draws; empty if an option, a word of its path or a number is not on the lists."""
    written, options = written.strip(), Options()
    if written.startswith("["):
        inside, _, written = written[1:].partition("]")
        options = read_options(inside, colours)
    shapes = follow(written, limit=MAX_POINTS)
    if options.unknown or not shapes:
        return []
    style = outer.within(options)
    filled = name != "draw" if options.filled is None else options.filled
    drawn = name != "fill" if options.drawn is None else options.drawn
    fill, stroke = style.fill if filled else None, style.draw if drawn else None
    moved = [(tuple((x, -y) for x, y in map(style.place, points)), closed) for points, closed in shapes]
    if any(not abs(value) <= MAX_NUMBER for points, _ in moved for point in points for value in point):
        return []
    return [Primitive(f"\\{name}", points, closed, fill, stroke, style.width) for points, closed in moved]


def _box(drawn: tuple[Primitive, ...]) -> tuple[float, float, float, float]:
    """What is shown: all of it, with a margin."""
    if not drawn:
        return 0.0, 0.0, 100.0, 100.0
    across = [x for primitive in drawn for x, _ in primitive.points]
    down = [y for primitive in drawn for _, y in primitive.points]
    margin = max(0.05, _MARGIN * max(max(across) - min(across), max(down) - min(down)))
    left, top = min(across) - margin, min(down) - margin
    return left, top, max(across) + margin - left, max(down) + margin - top
