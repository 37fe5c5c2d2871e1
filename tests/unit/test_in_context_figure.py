"""The names in the chart of in-context learning stand clear of each other and of every curve."""

import itertools

import pytest

from lecture_core.exemplars import CONDITIONS
from lecture_core.figures.in_context import in_context_curve
from lecture_core.in_context import CurvePoint

TITLES = {name: condition.title for name, condition in CONDITIONS.items()}
ENDS = [
    {"true": -0.1, "format": -0.57, "shuffled": -0.85, "letters": -3.9},
    {"true": -0.1, "format": -0.1, "shuffled": -0.1, "letters": -0.1},
    {"true": 0.0},
    {"true": -0.4, "shuffled": -0.5, "letters": -9.0},
]


def curve(end, k):
    means = [end - 3 / position for position in range(1, k + 1)]
    return [CurvePoint(i, mean, mean - 0.2, min(0.0, mean + 0.2), 4) for i, mean in enumerate(means, start=1)]


@pytest.mark.parametrize("k", [2, 16, 32])
@pytest.mark.parametrize("ends", ENDS)
def test_no_name_stands_on_another_or_on_a_curve_s_end(ends, k):
    figure = in_context_curve({name: curve(end, k) for name, end in ends.items()}, TITLES)
    low, high = figure.layout.yaxis.range
    names = [(note.y - low) / (high - low) * 340 for note in figure.layout.annotations]  # in pixels
    assert len(names) == len(ends)
    assert all(abs(one - other) > 14 for one, other in itertools.combinations(names, 2))
    tips = [(curve(end, k)[-1].mean - low) / (high - low) * 340 for end in ends.values()]
    assert all(abs(name - tip) > 8 for name in names for tip in tips)
    assert all(7 < name < 333 for name in names)
