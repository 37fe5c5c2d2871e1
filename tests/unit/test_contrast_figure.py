import itertools

from hypothesis import given
from hypothesis import strategies as st

from lecture_core.figures import contrast as figure


def boxes(words, points, positions):
    scale = [figure.PHONE_PLOT / 8.2, (460 - 90) / 8.2]
    pixels = [[(value - figure.LOWEST) * s for value, s in zip(point, scale, strict=True)] for point in points]
    return [figure._label_box(w, *at, p) for w, at, p in zip(words, pixels, positions, strict=True) if p]


def test_labels_of_neighbours_do_not_cover_each_other():
    words, points = ["slaves", "crops", "food"], [(-2.0, -3.0), (-1.98, -3.02), (-4.0, -2.0)]
    positions = figure.label_positions(words, points)
    assert all(positions)
    found = boxes(words, points, positions)
    assert not any(a.covers(b) for a, b in itertools.combinations(found, 2))


def test_a_label_that_fits_nowhere_is_left_out():
    words = ["word"] * 12
    positions = figure.label_positions(words, [(-3.0, -4.0)] * 12)
    assert "" in positions


POINT = st.tuples(st.floats(-8, 0), st.floats(-8, 0))
WORD = st.text("abc", min_size=1, max_size=12)


@given(st.lists(st.tuples(WORD, POINT), max_size=10))
def test_no_two_labels_overlap_and_none_leaves_the_plot(rows):
    words, points = [word for word, _ in rows], [point for _, point in rows]
    found = boxes(words, points, figure.label_positions(words, points))
    assert not any(a.covers(b) for a, b in itertools.combinations(found, 2))
    assert all(box.left >= 0 and box.right <= figure.PHONE_PLOT for box in found)
