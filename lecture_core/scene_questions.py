"""Questions about scenes of shapes, and their answers read off the scene: what `shapes-vlm` is trained and measured on.

Pure. A question is asked only where the scene gives it one answer.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lecture_core.scenes import CELLS, COLOURS, KINDS, MAX_SHAPES, RADII, Scene, Shape

COUNTS = ("none", "one", "two", "three", "four", "five")
DESCRIBE = "what is in the picture?"


@dataclass(frozen=True)
class Question:
    """A question in plain words and the one right answer, both in lower case; `kind` is a key of `QUESTIONS`."""

    kind: str
    text: str
    answer: str


def _names(shape: Shape, *, without: str = "") -> list[str]:
    """Ways to name a shape, shortest first; `without` leaves out the property that is asked for."""
    options = [
        ((), shape.kind),
        (("colour",), f"{shape.colour} {shape.kind}"),
        (("size",), f"{shape.size} {shape.kind}"),
        (("size", "colour"), f"{shape.size} {shape.colour} {shape.kind}"),
    ]
    return [name for used, name in options if without not in used]


def _fits(name: str, shape: Shape) -> bool:
    return all(word in (shape.kind, shape.colour, shape.size) for word in name.split())


def _reference(shape: Shape, scene: Scene, *, without: str = "") -> str | None:
    """The shortest name that fits this shape alone; None if there is none."""
    for name in _names(shape, without=without):
        if sum(_fits(name, other) for other in scene.shapes) == 1:
            return name
    return None


def _referred(scene: Scene, *, without: str = "") -> list[tuple[str, Shape]]:
    named = ((_reference(shape, scene, without=without), shape) for shape in scene.shapes)
    return [(name, shape) for name, shape in named if name]


def _colour(scene: Scene) -> Iterable[tuple[str, str]]:
    for name, shape in _referred(scene, without="colour"):
        yield f"what colour is the {name}?", shape.colour


def _shape(scene: Scene) -> Iterable[tuple[str, str]]:
    colours = Counter(s.colour for s in scene.shapes)
    for shape in scene.shapes:
        if colours[shape.colour] == 1:
            yield f"what shape is {shape.colour}?", shape.kind
            yield f"what is the {shape.colour} shape?", shape.kind


def _size(scene: Scene) -> Iterable[tuple[str, str]]:
    for name, shape in _referred(scene, without="size"):
        yield f"is the {name} big or small?", shape.size


def _count(scene: Scene) -> Iterable[tuple[str, str]]:
    yield "how many shapes are there?", COUNTS[len(scene.shapes)]
    present = {s.colour for s in scene.shapes}
    absent = random.Random(scene.key).choice([colour for colour in COLOURS if colour not in present])
    for colour in sorted({*present, absent}):
        yield f"how many {colour} shapes are there?", COUNTS[sum(s.colour == colour for s in scene.shapes)]
    for kind in KINDS:
        yield f"how many {kind}s are there?", COUNTS[sum(s.kind == kind for s in scene.shapes)]


def _presence(scene: Scene) -> Iterable[tuple[str, str]]:
    present = {(s.colour, s.kind) for s in scene.shapes}
    colours, kinds = {c for c, _ in present}, {k for _, k in present}
    for colour, kind in sorted(present):
        yield f"is there a {colour} {kind}?", "yes"
    missing = [(c, k) for c in COLOURS for k in KINDS if (c, k) not in present and (c in colours or k in kinds)]
    rng = random.Random(scene.key)
    for colour, kind in rng.sample(missing, min(len(missing), len(present))):
        yield f"is there a {colour} {kind}?", "no"


def _side(scene: Scene) -> Iterable[tuple[str, str]]:
    named = _referred(scene)
    for name, shape in named:
        for other_name, other in named:
            if shape.column != other.column:
                answer = "left" if shape.column < other.column else "right"
                yield f"is the {name} left or right of the {other_name}?", answer
            if shape.row != other.row:
                answer = "above" if shape.row < other.row else "below"
                yield f"is the {name} above or below the {other_name}?", answer


def _place(scene: Scene) -> Iterable[tuple[str, str]]:
    for name, shape in _referred(scene):
        vertical = "top" if shape.row < CELLS // 2 else "bottom"
        yield f"where is the {name}?", f"{vertical} {'left' if shape.column < CELLS // 2 else 'right'}"


def _everything(scene: Scene) -> Iterable[tuple[str, str]]:
    placed = sorted(scene.shapes, key=lambda s: (s.row, s.column))
    parts = (f"row {COUNTS[s.row + 1]} column {COUNTS[s.column + 1]} {s.words}" for s in placed)
    if placed:
        yield DESCRIBE, ", ".join(parts)


def _unusual(scene: Scene) -> Iterable[tuple[str, str]]:
    odd = [_odd_one(scene, name) for name in ("kind", "colour", "size")]
    answers = [answer for answer in odd if answer]
    if len(answers) < 2:
        yield "what is unusual?", answers[0] if answers else "nothing"


def _odd_one(scene: Scene, name: str) -> str:
    """The value that one shape has while all others, at least two, share another; empty if there is none."""
    counts = Counter(getattr(shape, name) for shape in scene.shapes)
    if len(scene.shapes) < 3 or len(counts) != 2 or min(counts.values()) != 1:
        return ""
    odd = min(counts, key=lambda value: counts[value])
    return f"the {odd}" if name == "kind" else f"the {odd} one"


QUESTIONS: dict[str, Callable[[Scene], Iterable[tuple[str, str]]]] = {
    "colour": _colour,
    "shape": _shape,
    "size": _size,
    "count": _count,
    "presence": _presence,
    "side": _side,
    "place": _place,
    "everything": _everything,
    "unusual": _unusual,
}


def all_questions(scene: Scene, kind: str) -> list[Question]:
    """Every question of a kind that this scene answers."""
    return [Question(kind, text, answer) for text, answer in QUESTIONS[kind](scene)]


def ask(scene: Scene, rng: random.Random, *, often: Mapping[str, int] = MappingProxyType({})) -> Question:
    """Draw a question with a short answer: first its kind, then one of the questions that this scene answers.

    Args:
        often: how many times as often as the others a kind is drawn.
    """
    kinds = [kind for kind in QUESTIONS if kind != "everything"]
    weights = [often.get(kind, 1) for kind in kinds]
    while True:
        if questions := all_questions(scene, *rng.choices(kinds, weights)):
            return rng.choice(questions)


def answer_to(scene: Scene, text: str) -> str | None:
    """The right answer, if the question is one of those that the scene answers; None if we cannot tell."""
    asked = " ".join(text.lower().replace("?", " ").split())
    known = (question for kind in QUESTIONS for question in all_questions(scene, kind))
    return next((q.answer for q in known if q.text[:-1] == asked), None)


def vocabulary() -> list[str]:
    """Every word of every question and answer, in a fixed order."""
    grammar = (
        "what colour is the shape big or small how many shapes are there a left right of above below where unusual"
    )
    answers = "in picture row column yes no top bottom nothing one"
    words = [*grammar.split(), *answers.split(), *KINDS, *(f"{k}s" for k in KINDS), *COLOURS, *RADII]
    return list(dict.fromkeys([*words, *COUNTS[: MAX_SHAPES + 1], "?", ","]))
