import csv
import io
import itertools
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_engine import ScriptedEngine

from lecture_core import few_shot
from lecture_core.engine.results import Tokenised
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.exemplars import CONDITIONS, ORDERS, choose_exemplars
from lecture_core.few_shot import Asking
from lecture_core.measurement import Outcome, as_csv, judged, tally
from lecture_core.prompting import PromptForm, build_prompt, exemplars_that_fit, fold, prompt_parts
from lecture_core.tasks import Item, list_tasks, load_task

DATES = load_task("date_format")
SENTIMENT = load_task("sentiment")
FEW_SHOT = [load_task(name) for name in list_tasks("few_shot")]


def test_three_exemplars_of_the_date_task_are_the_slide():
    assert build_prompt(DATES, DATES.example, 3) == (
        "Input: 2014-06-01\nOutput: !06!01!2014!\n"
        "Input: 2007-12-13\nOutput: !12!13!2007!\n"
        "Input: 2010-09-23\nOutput: !09!23!2010!\n"
        "Input: 2005-07-23\nOutput:"
    )


@given(st.sampled_from(FEW_SHOT), st.integers(0, 32), st.data())
def test_a_folded_prompt_loses_nothing_and_ends_with_the_whole_question(task, k, data):
    item = data.draw(st.sampled_from((task.example, *task.items)))
    prompt = prompt_parts(task, item, k)
    folded = fold(prompt)
    pieces = [piece for piece in (folded.beginning, folded.middle, folded.end) if piece]
    assert prompt.separator.join(pieces) == prompt.text == build_prompt(task, item, k)
    assert folded.end.endswith(prompt.question)
    assert bool(folded.exemplars) == bool(folded.middle)


def test_a_long_prompt_is_folded_and_a_short_one_is_not():
    assert fold(prompt_parts(DATES, DATES.example, 3)).exemplars == 0
    folded = fold(prompt_parts(DATES, DATES.example, 32))
    assert folded.exemplars == 29
    assert folded.beginning.startswith("Input: 2014-06-01\nOutput: !06!01!2014!")
    assert folded.end.count("Input:") == 2


def test_unscramble_without_exemplars_is_the_slide():
    task = load_task("unscramble")
    assert build_prompt(task, task.example, 0) == (
        "Please unscramble the letters into a word, and write that word:\nskicts ="
    )


def test_word_in_context_is_the_slide():
    task = load_task("word_in_context")
    assert build_prompt(task, task.example, 0) == (
        "An outfitter provided everything needed for the safari.\n"
        "Before his first walking holiday, he went to a specialist outfitter to buy some boots.\n"
        "question: Is the word 'outfitter' used in the same way in the two sentences above?\nanswer:"
    )


@given(st.sampled_from(FEW_SHOT), st.integers(0, 8), st.integers(0, 1000), st.data())
def test_exemplars_never_contain_the_question_and_repeat_with_the_seed(task, k, seed, data):
    item = data.draw(st.sampled_from(task.exemplars + task.items))
    chosen = choose_exemplars(task, item, k, seed=seed)
    assert len(chosen) == min(k, len(task.exemplars) - (item in task.exemplars))
    assert item not in chosen
    assert len(set(chosen)) == len(chosen)
    assert chosen == choose_exemplars(task, item, k, seed=seed)


@given(st.sampled_from(FEW_SHOT), st.integers(1, 8))
def test_a_longer_prompt_begins_with_the_shorter_ones_exemplars(task, k):
    fewer, more = (choose_exemplars(task, task.example, n) for n in (k - 1, k))
    assert more[: len(fewer)] == fewer


@pytest.mark.parametrize("described", [True, False])
def test_instruction_stands_in_front_when_asked(described):
    prompt = build_prompt(DATES, DATES.example, 2, PromptForm(with_instruction=described))
    assert prompt.startswith(DATES.instruction) is described


@given(st.text(max_size=40))
def test_any_question_is_written_as_it_is(question):
    prompt = build_prompt(DATES, Item(question, "?"), 1)
    assert prompt.endswith(f"Input: {question}\nOutput:")


def test_braces_in_a_question_are_no_fields():
    assert "{answer} {question} {0}" in build_prompt(DATES, Item("{answer} {question} {0}", "?"), 0)


def test_how_many_exemplars_fit():
    def build(k):
        return "word " * (10 + 5 * k)

    def tokens(text):
        return len(text.split())

    assert exemplars_that_fit(build, tokens, 22, 8) == 2
    assert exemplars_that_fit(build, tokens, 100, 8) == 8
    assert exemplars_that_fit(build, tokens, 9, 8) is None


def test_free_text_is_judged_by_the_extracted_answer():
    engine = ScriptedEngine(reply=lambda prompt: "!07!23!2005!\nInput: more")
    prompt = build_prompt(DATES, DATES.example, 3)
    outcome = judged(few_shot.ask(engine, DATES, DATES.example, prompt, Asking("m")))
    assert outcome.right
    assert outcome.completion == " !07!23!2005!"
    assert engine.prompts == [prompt]


def test_labels_are_judged_by_the_most_probable():
    engine = ScriptedEngine(preference=lambda prompt, text: -1.0 if text == " negative" else -2.0)
    item = next(i for i in SENTIMENT.items if i.answer == "negative")
    outcome = judged(few_shot.ask(engine, SENTIMENT, item, "prompt", Asking("m")))
    assert outcome.right
    assert outcome.label_logprobs == (-1.0, -2.0)


def test_measuring_counts_every_item_and_shows_its_prompt():
    def reply(prompt):
        year, month, day = prompt.rsplit("Input: ", 1)[1].split("\n")[0].split("-")
        return f"!{month}!{day}!{year}!" if int(year) % 2 else "no idea"

    engine = ScriptedEngine(reply)
    items = DATES.items[:20]
    steps = list(few_shot.measure(engine, DATES, 4, Asking("m", PromptForm(seed=5)), items=items))
    expected = sum(int(item.question[:4]) % 2 for item in items)
    assert (steps[-1].right, steps[-1].n, steps[-1].total) == (expected, 20, 20)
    assert [step.n for step in steps] == list(range(1, 21))
    assert all(step.low <= step.rate <= step.high for step in steps)
    assert [step.outcome.prompt for step in steps] == engine.prompts
    shown = {prompt.rsplit("Input: ", 1)[0] for prompt in engine.prompts}
    assert len(shown) == 1  # the same exemplars for every item


def test_closing_a_measurement_asks_nothing_more():
    engine = ScriptedEngine()
    steps = few_shot.measure(engine, DATES, 1, Asking("m"), items=DATES.items)
    next(steps)
    steps.close()
    assert len(engine.prompts) == 1


def test_prompts_need_no_torch():
    code = "import sys, lecture_core.few_shot, lecture_core.chain_of_thought; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Counting(ScriptedEngine):
    """Counts a token a word and reads at most 60."""

    def tokenise(self, text, *, model):
        words = tuple(text.split())
        return Tokenised(
            tokens=words,
            ids=tuple(range(len(words))),
            starts_word=(True,) * len(words),
            special=(False,) * len(words),
            spans=((0, 0),) * len(words),
            mask_token="",
            context_length=60,
        )


def test_an_over_long_prompt_says_how_many_exemplars_fit():
    build = few_shot.fitted_prompt
    assert build(Counting(), DATES, DATES.example, 8, Asking("m")).tokens == 35
    long = Item("word " * 10 + "2005-07-23", "?")
    with pytest.raises(ContextLengthError, match="Take 6 exemplars"):
        build(Counting(), DATES, long, 8, Asking("m"))
    with pytest.raises(ContextLengthError, match="Shorten the question"):
        build(Counting(), DATES, Item("word " * 50, "?"), 8, Asking("m"))


@pytest.mark.parametrize("question", ["", "   ", "a\x00b"])
def test_an_unreadable_question_is_refused(question):
    with pytest.raises(InvalidInputError):
        few_shot.fitted_prompt(Counting(), DATES, Item(question, ""), 3, Asking("m"))


def test_measuring_over_k_names_every_k_that_fits_in_order():
    short = [Item(question, "!01!01!2001!") for question in ("2001-01-01", "2002-01-01")]
    steps = few_shot.measure_over_k(Counting(), DATES, Asking("m"), items=short)
    assert [name for name, _ in steps] == [k for k in ("0", "1", "2", "4", "8") for _ in range(2)]


def test_labels_of_many_questions_are_ranked_together_after_the_same_exemplars():
    engine = ScriptedEngine(preference=lambda prompt, text: -1.0 if text == " negative" else -2.0)
    items = SENTIMENT.items[:60]
    steps = list(few_shot.measure(engine, SENTIMENT, 2, Asking("m"), items=items))
    assert [step.n for step in steps] == list(range(1, 61))
    assert steps[-1].right == sum(item.answer == "negative" for item in items)
    assert engine.prompts == [build_prompt(SENTIMENT, item, 2) for item in items]
    assert [one.item for one in steps[-1].outcomes] == list(items)


def test_labels_can_be_written_instead_of_ranked():
    engine = ScriptedEngine(reply=lambda prompt: "positive\nReview: more")
    item = next(item for item in SENTIMENT.items if item.answer == "positive")
    outcome = judged(few_shot.ask(engine, SENTIMENT, item, "prompt", Asking("m", ranked=False)))
    assert (outcome.right, outcome.label_logprobs, outcome.completion) == (True, (), " positive")


@given(st.integers(0, 12), st.integers(0, 50), st.sampled_from(list(ORDERS)), st.sampled_from(list(CONDITIONS)))
def test_every_form_shows_the_same_questions_and_asks_last(k, seed, order, answers):
    form = PromptForm(seed, order=order, answers=answers, separator="\n\n")
    item = DATES.items[0]
    parts = build_prompt(DATES, item, k, form).split("\n\n")
    assert parts[-1] == f"Input: {item.question}\nOutput:"
    shown = [part.split("\n")[0].removeprefix("Input: ") for part in parts[:-1]]
    assert sorted(shown) == sorted(e.question for e in choose_exemplars(DATES, item, k, seed=seed))
    if answers == "true":
        truth = {e.question: e.answer for e in DATES.exemplars}
        assert all(part.endswith(f"Output: {truth[q]}") for q, part in zip(shown, parts, strict=False))


def test_equal_answers_side_by_side_change_sides_once():
    form = PromptForm(order="by_answer")
    prompt = build_prompt(SENTIMENT, SENTIMENT.items[0], 8, form)
    labels = re.findall(r"Sentiment: (\w+)", prompt)
    assert sum(a != b for a, b in itertools.pairwise(labels)) == 1


def test_always_the_same_answer_is_right_for_the_most_frequent_one():
    items = [Item(str(i), answer) for i, answer in enumerate(["a", "b", "b", "c"])]
    assert few_shot.majority(items) == 0.5


def test_the_csv_has_a_row_for_every_question_and_no_formulas():
    formula = "-2+3+cmd|' /C calc'!A0"
    engine = Counting(reply=lambda prompt: formula if prompt.endswith("2001-01-01\nOutput:") else "-5")
    items = [Item("2001-01-01", "!01!01!2001!"), Item("2002-01-01", "-5")]
    kept = dict(few_shot.measure_over_k(engine, DATES, Asking("m"), items=items))
    rows = list(csv.DictReader(io.StringIO(as_csv(kept, condition="k"))))
    assert len(rows) == 2 * len(kept)
    assert {row["k"] for row in rows} == set(kept)
    assert {row["completion"].strip() for row in rows} == {f"' {formula}", "-5"}


def test_the_csv_says_how_it_was_asked_and_what_each_label_got():
    ranked = Outcome(Item("a film", "positive"), "prompt", "positive", None, True, None, (-1.25, -0.5))
    kept = {"k = 1": next(tally([ranked], 1))}
    text = as_csv(kept, condition="k", labels=("negative", "positive"), settings={"seed": 7, "order": "drawn"})
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["logprob negative"], row["logprob positive"]) == ("-1.2500", "-0.5000")
    assert (row["seed"], row["order"]) == ("7", "drawn")
