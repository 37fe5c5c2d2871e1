import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecture_core import scene_questions, scenes
from lecture_core.errors import InvalidInputError
from lecture_core.scene_questions import QUESTIONS, all_questions, answer_to, ask, vocabulary
from lecture_core.scenes import BACKGROUND, CELL_PIXELS, Scene, Shape, cover, parse, random_scene, render

seeds = st.integers(0, 10_000)


def drawn(seed):
    return random_scene(random.Random(seed))


@given(seeds)
def test_a_scene_survives_its_written_form(seed):
    scene = drawn(seed)
    assert parse(scene.key).key == scene.key


@given(seeds)
def test_a_shape_colours_its_own_cell_and_no_other(seed):
    scene = drawn(seed)
    cells = render(scene).reshape(4, CELL_PIXELS, 4, CELL_PIXELS, 3)
    painted = {(c, r) for c in range(4) for r in range(4) if (cells[r, :, c] != BACKGROUND).any()}
    assert painted == {(s.column, s.row) for s in scene.shapes}


@given(seeds, st.randoms())
def test_neither_order_nor_offset_decides_what_is_held_out(seed, rng):
    scene = drawn(seed)
    shapes = list(scene.shapes)
    rng.shuffle(shapes)
    assert Scene(tuple(shapes)).held_out == scene.held_out == parse(scene.key).held_out


def test_a_tenth_is_held_out():
    share = np.mean([drawn(seed).held_out for seed in range(2000)])
    assert share == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("text", ["big-red-star", "big-pink-star-1-1", "big-red-star-0-1", "big-red-star-1-5", "1-1"])
def test_what_is_no_scene_is_refused(text):
    with pytest.raises(InvalidInputError):
        parse(text)


def test_too_many_shapes_and_shared_cells_are_refused():
    with pytest.raises(InvalidInputError, match="one shape a cell"):
        parse("big-red-star-1-1.small-red-star-1-1")
    with pytest.raises(InvalidInputError, match="at most 5"):
        parse(".".join(f"big-red-star-{i}-{j}" for i in (1, 2) for j in (1, 2, 3)))


@given(seeds, st.integers(-3, 3), st.integers(-3, 3))
def test_moving_keeps_one_shape_a_cell(seed, columns, rows):
    scene = drawn(seed)
    after = scenes.moved(scene, 0, columns, rows)
    assert len({(s.column, s.row) for s in after.shapes}) == len(scene.shapes)
    assert parse(after.key).key == after.key


def test_adding_stops_at_five_and_removing_takes_one():
    scene = Scene(())
    for count in (1, 2, 3, 4, 5, 5):
        scene = scenes.with_one_more(scene)
        assert len(parse(scene.key).shapes) == count
    assert len(scenes.without(scene, 2).shapes) == 4


def test_covering_paints_the_cell_and_leaves_the_original():
    picture = render(parse("big-red-star-1-1.big-blue-star-4-4"))
    before = picture.copy()
    covered = cover(picture, [0], grid=4)
    assert (covered[:16, :16] == BACKGROUND).all()
    assert np.array_equal(covered[16:], picture[16:])
    assert np.array_equal(picture, before)


@given(seeds)
def test_no_question_has_two_answers(seed):
    scene = drawn(seed)
    questions = [q for kind in QUESTIONS for q in all_questions(scene, kind)]
    answers = {}
    for question in questions:
        assert answers.setdefault(question.text, question.answer) == question.answer


@given(seeds)
def test_every_word_is_in_the_vocabulary_and_the_scene_gives_the_answer(seed):
    scene = drawn(seed)
    question = ask(scene, random.Random(seed))
    known = set(vocabulary())
    assert set(question.text.replace("?", " ?").split()) | set(question.answer.split()) <= known
    assert answer_to(scene, question.text.upper()) == question.answer


CASE = "big-red-star-1-1.small-red-circle-4-1.small-red-circle-1-4"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("what colour is the star?", "red"),
        ("is the star big or small?", "big"),
        ("how many shapes are there?", "three"),
        ("how many circles are there?", "two"),
        ("how many squares are there?", "none"),
        ("is there a red star?", "yes"),
        ("where is the star?", "top left"),
        ("what colour is the circle?", None),
        ("what is unusual?", None),  # its kind and its size both are: no single answer
        ("why?", None),
    ],
)
def test_answers_are_read_off_the_scene(question, answer):
    assert answer_to(parse(CASE), question) == answer


@pytest.mark.parametrize(
    ("odd", "answer"),
    [
        (Shape("star", "red", "big", 0, 0), "the star"),
        (Shape("circle", "blue", "big", 0, 0), "the blue one"),
        (Shape("circle", "red", "small", 0, 0), "the small one"),
        (Shape("circle", "red", "big", 0, 0), "nothing"),
    ],
)
def test_the_odd_one_out_is_named(odd, answer):
    usual = [Shape("circle", "red", "big", column, 3) for column in range(3)]
    assert answer_to(Scene((*usual, odd)), "what is unusual?") == answer


def test_left_and_above_follow_columns_and_rows():
    scene = parse("big-red-star-1-4.big-blue-circle-3-2")
    assert answer_to(scene, "is the star left or right of the circle?") == "left"
    assert answer_to(scene, "is the star above or below the circle?") == "below"
    assert scene_questions.answer_to(scene, "what is the blue shape?") == "circle"
