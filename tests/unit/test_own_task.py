import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecture_core.errors import InvalidInputError
from lecture_core.own_task import EXAMPLE, read_own_task
from lecture_core.prompting import build_prompt


def test_every_line_is_asked_with_the_others_as_exemplars():
    task = read_own_task(EXAMPLE)
    assert len(task.items) == 6
    prompt = build_prompt(task, task.items[2], 10)
    assert prompt.count("Output:") == 6
    assert prompt.endswith("Input: 4 km\nOutput:")
    assert "4000 m" not in prompt
    assert task.labels == ()


def test_answers_that_repeat_are_labels():
    assert read_own_task("a => x\nb => y\nc => x\nd => y").labels == ("x", "y")
    assert read_own_task("a => x\nb => x").labels == ()  # one label leaves nothing to rank
    assert read_own_task("a => x\nb => y\nc => x").labels == ()


def test_one_label_in_two_spellings_is_refused():
    with pytest.raises(InvalidInputError, match=r"one spelling of each answer; got 'Yes' and 'yes'"):
        read_own_task("a => Yes\nb => no\nc => yes\nd => no")
    with pytest.raises(InvalidInputError, match="one spelling"):
        read_own_task("a => Yes\nb => no\nc => yes\nd => no\ne => Yes\nf => yes")
    with pytest.raises(InvalidInputError, match=r"got 'X' and 'x'"):
        read_own_task("a => X\nb => x\nc => X\nd => x")
    assert read_own_task("a => Apple\nb => apple").labels == ()  # two texts, no labels


def test_the_arrow_of_the_label_goes_before_other_arrows():
    items = read_own_task("x->y => z\na -> b").items
    assert [(item.question, item.answer) for item in items] == [("x->y", "z"), ("a", "b")]


def test_empty_lines_and_repeated_pairs_are_skipped():
    assert len(read_own_task("\n a => x \n\n  \na => x\nb=>y\n").items) == 2


@pytest.mark.parametrize("arrow", ["=>", "->", " → ", "\t", "  =>  "])
def test_what_stands_between_input_and_output(arrow):
    items = read_own_task(f"a b{arrow}x y\nc{arrow}z").items
    assert [(item.question, item.answer) for item in items] == [("a b", "x y"), ("c", "z")]


def test_what_is_too_long_is_said_with_limit_size_and_remedy():
    lines = "".join(f"{i} => {i}\n" for i in range(1000))
    with pytest.raises(InvalidInputError, match=r"at most 8,000 characters in all; got 10,780 on 1,000 lines. Delete"):
        read_own_task(lines)
    with pytest.raises(InvalidInputError, match=r"description of at most 200 characters; got 201"):
        read_own_task(EXAMPLE, "x" * 201)


def test_a_description_stands_in_front():
    task = read_own_task("a => x\nb => y", "  Say\nit ")
    assert build_prompt(task, task.items[0], 1) == "Say it\nInput: b\nOutput: y\nInput: a\nOutput:"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "got 0"),
        ("a => x", "got 1"),
        ("a => x\nb", "on line 2"),
        ("a =>\nb => y", "on line 1"),
        ("=> x\nb => y", "on line 1"),
        ("a => x\na => y", "one output for each input"),
        ("a => x\nb => " + "好" * 50, "150 bytes on line 2"),
        ("\n".join(f"{i} => x" for i in range(201)), "got 201"),
    ],
)
def test_what_cannot_be_read_is_named(lines, message):
    with pytest.raises(InvalidInputError, match=message):
        read_own_task(lines)


@pytest.mark.parametrize("word", ["שלום", "你好", "😀", "<b>", "{question}", "a\x07b", "$x$"])
def test_any_writing_can_be_a_task(word):
    task = read_own_task(f"{word} => {word}1\nother => {word}2")
    assert word.replace("\x07", " ") in build_prompt(task, task.items[0], 1)


@given(st.text(max_size=200))
def test_any_text_is_a_task_or_a_sentence(lines):
    with contextlib.suppress(InvalidInputError):
        assert len(read_own_task(lines).items) >= 2
