import math
import random

import pytest

from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.exemplars import CONDITIONS, conditions_of, random_answers, random_letters
from lecture_core.in_context import RISES, Fits, curve, examples_that_fit, read_once, rise, write
from lecture_core.in_context import Pass as ReadPass
from lecture_core.provenance import Provenance
from lecture_core.tasks import load_task
from tests.unit.scripted_engine import ScriptedEngine

DATES = load_task("date_format")


def reading(answers):
    return ReadPass(write(DATES, len(answers)), tuple(answers), (), (), (), Provenance("m", "r", "cpu", "float32"))


@pytest.mark.parametrize(("end", "said"), [(-0.1, RISES[0]), (-0.3, RISES[0]), (-0.9, RISES[1]), (-2.9, RISES[2])])
def test_a_spoiled_curve_is_compared_with_the_true_one_by_its_end(end, said):
    true, spoiled = ([reading([-3.0, *[last] * 7])] for last in (-0.1, end))
    assert rise(curve(true), curve(spoiled)) == said


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("seed", [0, 3])
def test_answers_stand_where_the_prompt_says(condition, seed):
    written = write(DATES, 12, condition=condition, seed=seed)
    assert len(written.answers) == 12
    for start, end in written.answers:
        assert written.text[start - 8 : start] == "Output: "
        assert written.text[start] == written.text[end - 1] == "!"


def test_the_slides_examples_stand_first_as_the_slide_has_them():
    text = write(DATES, 3).text
    first, second = ["Input: 2014-06-01", "Output: !06!01!2014!"], ["Input: 2007-12-13", "Output: !12!13!2007!"]
    assert text.splitlines()[:4] == [*first, *second]


def test_random_answers_are_answers_of_the_task_to_the_same_questions():
    items, known = list(DATES.items[:10]), [item.answer for item in DATES.items]
    spoiled = random_answers(items, random.Random(0), known)
    assert {i.answer for i in spoiled} <= set(known)
    assert sum(a.answer != b.answer for a, b in zip(items, spoiled, strict=True)) >= 8
    assert [i.question for i in spoiled] == [i.question for i in items]


def test_random_labels_tell_nothing_about_the_true_ones():
    task = load_task("sentiment")
    known = [item.answer for item in task.exemplars]
    items = list(task.exemplars)
    right = sum(
        a.answer == b.answer
        for seed in range(40)
        for a, b in zip(items, random_answers(items, random.Random(seed), known), strict=True)
    )
    assert right / (40 * len(items)) == pytest.approx(0.5, abs=0.04)
    assert {random_answers(items[:1], random.Random(seed), known)[0].answer for seed in range(20)} == set(known)


def test_a_changing_format_keeps_the_parts_and_signs():
    true, spoiled = (write(DATES, 20, condition=c).text.splitlines()[1::2] for c in ("true", "format"))
    for a, b in zip(true, spoiled, strict=True):
        assert sorted(a.split("!")) == sorted(b.split("!"))
        assert [len(a), a.count("!")] == [len(b), b.count("!")]
    assert true != spoiled


def test_random_letters_keep_the_shape():
    items = random_letters(DATES.items[:5], random.Random(0), ())
    assert all(i.answer.replace("!", "").isalpha() and len(i.answer) == 12 for i in items)


def test_a_label_has_no_format_to_change():
    assert "format" not in conditions_of(load_task("sentiment"))
    assert "format" in conditions_of(DATES)


@pytest.mark.parametrize(("k", "condition"), [(0, "true"), (33, "true"), (4, "nonsense")])
def test_settings_out_of_range_are_refused(k, condition):
    with pytest.raises(InvalidInputError):
        write(DATES, k, condition=condition)


def test_the_curve_averages_orders_and_its_interval_shrinks_to_nothing_for_one():
    one = curve([reading([-4.0, -1.0])])
    assert [(p.mean, p.low, p.high, p.n) for p in one] == [(-4, -4, -4, 1), (-1, -1, -1, 1)]
    two = curve([reading([-4.0, -1.0]), reading([-2.0, -1.0])])
    assert two[0].mean == -3
    assert two[0].mean - two[0].low == pytest.approx(12.706 * math.sqrt(2) / math.sqrt(2), abs=1e-2)  # t, 1 degree
    four = curve([reading([value]) for value in (-4.0, -2.0, -4.0, -2.0)])
    assert four[0].mean - four[0].low == pytest.approx(3.182 * math.sqrt(4 / 3 / 4), abs=1e-2)
    assert two[1].low == two[1].high == -1


@pytest.mark.parametrize("condition", ["true", "letters"])
@pytest.mark.parametrize("seed", [0, 3])
def test_the_context_meter_counts_the_tokens_of_the_examples_themselves(condition, seed):
    engine = ScriptedEngine()
    few, more, all_of_them = examples_that_fit(
        engine, DATES, (30, 60, 10_000), model="small", condition=condition, seed=seed
    )
    for fit in (few, more):
        assert fit.counted
        taken = [
            len(engine.tokenise(write(DATES, k, condition=condition, seed=seed).text, model="small").ids)
            for k in (fit.examples, fit.examples + 1)
        ]
        assert taken[0] <= fit.context < taken[1]
    known = len(DATES.exemplars) + len(DATES.items)
    assert all_of_them == Fits(10_000, 10_000 * known // (4 * known), False)  # four words each


def test_a_prompt_that_is_too_long_says_how_many_examples_fit():
    task = load_task("sentiment")
    for room in (40, 70):
        engine = ScriptedEngine(context_length=room)
        (fit,) = examples_that_fit(engine, task, (room,), model="small")
        with pytest.raises(ContextLengthError, match=rf"at most {room} tokens.*Take {fit.examples} examples: so many"):
            read_once(engine, write(task, 16), model="small")


def test_examples_of_different_length_are_not_taken_for_equal():
    task = load_task("sentiment")
    engine = ScriptedEngine()
    found = {seed: examples_that_fit(engine, task, (200,), model="small", seed=seed)[0].examples for seed in range(6)}
    assert len(set(found.values())) > 1
