from itertools import pairwise

import pytest
from scripted_engine import ScriptedEngine

from lecture_core.chain_of_thought import (
    ANSWER_TRIGGER,
    METHODS,
    TRIGGER,
    answer_prompt,
    ask,
    build_prompt,
    finding,
    measure,
)
from lecture_core.measurement import judged
from lecture_core.tasks import Item, load_task

TASK = load_task("word_problems")
PROBLEM = TASK.example


def test_direct_keeps_the_exemplars_and_drops_their_reasoning():
    direct, reasoning = (build_prompt(TASK, PROBLEM, method, 4) for method in ("direct", "reasoning"))
    for exemplar in TASK.exemplars[:4]:
        assert exemplar.question in direct
        assert exemplar.question in reasoning
        assert exemplar.rationale in reasoning
        assert exemplar.rationale not in direct
    assert direct.endswith(f"Q: {PROBLEM.question}\nA: The answer is")
    assert reasoning.endswith(f"Q: {PROBLEM.question}\nA:")
    assert reasoning.count("The answer is") == 4


def test_step_by_step_takes_no_exemplars():
    assert build_prompt(TASK, PROBLEM, "step_by_step", 8) == f"Q: {PROBLEM.question}\nA: {TRIGGER}"


def test_step_by_step_asks_twice_and_reads_the_number_after_the_second_prompt():
    engine = ScriptedEngine(lambda prompt: "21." if prompt.endswith(ANSWER_TRIGGER) else "6 * 4 = 24. 24 - 3 = 21.")
    outcome = judged(ask(engine, TASK, PROBLEM, "step_by_step", model="m"))
    first, second = engine.prompts
    assert second == answer_prompt(first, " 6 * 4 = 24. 24 - 3 = 21.")
    assert outcome.right
    assert outcome.extracted.value == "21"
    assert outcome.completion[outcome.extracted.start :].startswith("21.")
    assert outcome.completion.index(ANSWER_TRIGGER) < outcome.extracted.start
    assert outcome.prompt + outcome.completion == second + " 21."


def test_reasoning_reads_the_number_after_the_answer_is():
    engine = ScriptedEngine(lambda _: "6 * 4 = 24. 24 - 3 = 21. The answer is 21. Q: 99")
    outcome = judged(ask(engine, TASK, PROBLEM, "reasoning", model="m"))
    assert (outcome.extracted.value, outcome.extracted.pattern, outcome.right) == ("21", "strict", True)


def test_direct_reads_the_first_number():
    engine = ScriptedEngine(lambda _: "21 or 22.\n\nQ: 5")
    outcome = judged(ask(engine, TASK, PROBLEM, "direct", model="m"))
    assert (outcome.extracted.value, outcome.right) == ("21", True)


@pytest.mark.parametrize("method", METHODS)
def test_no_number_is_wrong_and_not_an_error(method):
    outcome = judged(ask(ScriptedEngine(lambda _: "who knows"), TASK, PROBLEM, method, model="m"))
    assert outcome.extracted is None
    assert not outcome.right


@pytest.mark.parametrize("method", METHODS)
def test_text_only_grows(method):
    engine = ScriptedEngine(lambda _: "one two three 21.")
    texts = [text for text, _ in ask(engine, TASK, PROBLEM, method, model="m")]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))


def test_an_own_question_without_answer_gets_no_right():
    outcome = judged(ask(ScriptedEngine(lambda _: "5."), TASK, Item("What is 2 + 3?", ""), "direct", model="m"))
    assert outcome.extracted.value == "5"
    assert not outcome.right


@pytest.mark.parametrize("method", METHODS)
def test_measuring_counts_right_answers(method):
    answers = {item.question: item.answer for item in TASK.items}

    def reply(prompt):
        question = prompt.rsplit("Q: ", 1)[1].split("\n")[0]
        wrong = int(answers[question]) > 20
        number = "999" if wrong else answers[question]
        return f"{number}." if not prompt.endswith("A:") else f"So. The answer is {number}."

    steps = list(measure(ScriptedEngine(reply), TASK, method, items=TASK.items, model="m"))
    assert steps[-1].n == len(TASK.items)
    assert steps[-1].right == sum(int(answer) <= 20 for answer in answers.values())


@pytest.mark.parametrize(
    ("direct", "reasoning", "word"),
    [
        ((2, 30), (25, 30), "helps"),
        ((25, 30), (2, 30), "hurts"),
        ((0, 30), (0, 30), "overlap"),
        ((3, 30), (5, 30), "overlap"),
    ],
)
def test_a_finding_claims_no_more_than_the_intervals(direct, reasoning, word):
    sentence = finding(direct, reasoning)
    assert word in sentence
    assert f"{reasoning[0]} of 30 right with reasoning" in sentence
