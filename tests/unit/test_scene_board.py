"""What the hand does to a scene: a shape goes where it was dragged, and nothing else happens."""

import pytest

from lecture_core.scenes import parse
from lecture_core.ui.scene_board import dragged

SCENE = parse("big-red-star-1-1.small-green-square-2-3")


@pytest.mark.parametrize(
    ("start", "end", "after"),
    [
        (0, 15, "big-red-star-4-4.small-green-square-2-3"),
        (9, 2, "big-red-star-1-1.small-green-square-3-1"),
        (0, 9, "big-red-star-2-3.small-green-square-1-1"),  # they change places
        (0, 0, SCENE.key),
    ],
)
def test_a_shape_goes_where_it_is_dragged(start, end, after):
    assert dragged(SCENE, start, end).key == after


@pytest.mark.parametrize(("start", "end"), [(1, 2), (0, 16), (0, -1), (-1, 3), ("0", 3), (0, "x"), (None, None)])
def test_what_is_no_shape_or_no_cell_moves_nothing(start, end):
    assert dragged(SCENE, start, end) is None
