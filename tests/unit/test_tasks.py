import re
from operator import add, mul, sub, truediv

import pytest
import yaml

from lecture_core.answers import extract, words_of
from lecture_core.errors import LectureError
from lecture_core.few_shot import judged_text
from lecture_core.recorded_runs import load_run
from lecture_core.tables import load_table
from lecture_core.task_generators import WAYS, dates, scrambled_words
from lecture_core.tasks import FOLDER, list_tasks, load_task

TASKS = list_tasks()
OPERATIONS = {"+": add, "-": sub, "*": mul, "/": truediv}


def every_item(task):
    return (task.example, *task.exemplars, *task.items)


def test_the_lectures_tasks_are_there():
    slides = {"date_format", "drop_reading", "sentiment", "unscramble", "word_in_context"}
    assert slides < set(list_tasks("few_shot"))
    assert list_tasks("few_shot")[0] == "date_format"
    assert list_tasks("chain_of_thought") == ("word_problems",)


@pytest.mark.parametrize("name", TASKS)
def test_enough_items_and_none_shown_before(name):
    task = load_task(name)
    assert len(task.items) >= (50 if task.lab == "few_shot" else 40)
    assert len(task.exemplars) >= 8
    asked = [item.question for item in every_item(task)]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("name", TASKS)
def test_the_true_answer_in_the_asked_form_is_found(name):
    task = load_task(name)
    for item in every_item(task):
        written = f" The answer is {item.answer}." if task.lab == "chain_of_thought" else f" {item.answer}"
        found = extract(written, task.patterns)
        assert (found.value, found.pattern) == (item.answer, "strict")


@pytest.mark.parametrize("name", [n for n in TASKS if load_task(n).labels])
def test_labels_are_balanced(name):
    task = load_task(name)
    counts = [sum(item.answer == label for item in task.items) for label in task.labels]
    assert max(counts) - min(counts) == 0


@pytest.mark.parametrize("name", ["drop_reading", "word_problems"])
def test_arithmetic_of_every_rationale_is_right(name):
    for item in (item for item in every_item(load_task(name)) if item.answer.isdigit()):
        steps = re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)", item.rationale)
        assert steps, item
        for left, operation, right, result in steps:
            assert OPERATIONS[operation](int(left), int(right)) == int(result), item
        assert steps[-1][3] == item.answer, item


def test_reading_asks_for_numbers_and_for_words_of_the_passage_half_and_half():
    task = load_task("drop_reading")
    assert task.example.question.startswith("Passage: Saint Jean de Brébeuf")
    assert len({item.question.split("\nQuestion:")[0] for item in task.items}) >= 30
    for asked in (task.exemplars, task.items, task.items[:50], task.exemplars[:8]):
        spans = [item for item in asked if not item.answer.isdigit()]
        assert 2 * len(spans) == len(asked)
        for item in spans:
            passage, question = item.question.split("\nQuestion:")
            assert f" {words_of(item.answer)} " in f" {words_of(passage)} ", item
            assert words_of(item.answer) not in words_of(question), item


@pytest.mark.parametrize(
    ("written", "right"),
    [
        (" The Powder Tower.", True),
        (" powder tower", True),
        (" the answer is: the Powder Tower", True),
        (" The answer is the Powder Tower.", True),
        (" the Rope Tower", False),
        (" the Powder Tower and the Maiden Tower", False),
    ],
)
def test_a_span_is_judged_by_its_words(written, right):
    task = load_task("drop_reading")
    item = next(item for item in task.items if item.answer == "the Powder Tower")
    assert judged_text(task, item, "", written, None).right is right


def test_first_numbers_of_a_word_problem_come_from_its_question():
    for item in load_task("word_problems").items:
        assert re.search(r"\d", item.question)


def test_word_in_context_pairs_contain_the_word():
    for item in every_item(load_task("word_in_context")):
        first, second, question = item.question.split("\n")
        word = re.search(r"'(\w+)'", question).group(1)
        assert all(re.search(rf"\b{word}\b", sentence, re.IGNORECASE) for sentence in (first, second)), item


SCRAMBLES = {
    "unscramble": lambda shown, word: sorted(shown) == sorted(word),
    "scramble_cycle": lambda shown, word: shown in word + word,
    "scramble_anagram_but_1": lambda shown, word: (shown[0], shown[-1]) == (word[0], word[-1]),
    "scramble_anagram_but_2": lambda shown, word: (shown[:2], shown[-2:]) == (word[:2], word[-2:]),
    "scramble_insertion": lambda shown, word: re.sub(r"[^a-z]", "", shown) == word,
    "scramble_reversed": lambda shown, word: shown[::-1] == word,
}


@pytest.mark.parametrize("name", SCRAMBLES)
def test_scrambled_words_keep_what_the_kind_promises(name):
    for item in every_item(load_task(name)):
        assert SCRAMBLES[name](item.question, item.answer), item
        assert sorted(re.sub(r"[^a-z]", "", item.question)) == sorted(item.answer), item
        assert item.question != item.answer


@pytest.mark.parametrize("name", [n for n in TASKS if "_digits" in n])
def test_sums_are_right(name):
    operation = {"plus": add, "minus": sub}
    for item in every_item(load_task(name)):
        left, sign, right = re.fullmatch(r"What is (\d+) (plus|minus) (\d+)\?", item.question).groups()
        assert operation[sign](int(left), int(right)) == int(item.answer)
        assert len(left) <= int(name.split("_")[1])


def test_exemplars_reach_32_in_the_tasks_that_were_recorded():
    for name in sorted({rate.task for rate in load_run("few_shot_accuracy")}):
        task = load_task(name)
        assert len(task.exemplars) >= 32
        assert len(task.items) == 100


def test_published_rates_to_compare_with_exist():
    compared = [load_task(name).published for name in TASKS if load_task(name).published]
    assert len(compared) == 4
    for cell in compared:
        frame = load_table(cell.table).frame
        assert 0 <= float(frame[frame[cell.where] == cell.value].iloc[0][cell.column]) <= 100


def test_generators_repeat_with_the_seed():
    options = {"count": 20, "years": (1990, 2020), "answer": "{day}.{month}.{year}"}
    assert dates(seed=3, **options) == dates(seed=3, **options) != dates(seed=4, **options)
    for way in WAYS:
        drawn = scrambled_words(seed=1, count=30, way=way, without=("apple",))
        assert drawn == scrambled_words(seed=1, count=30, way=way, without=("apple",))
        assert len({word for _, word in drawn}) == 30
        assert "apple" not in dict(drawn).values()


def edited(folder, change):
    raw = yaml.safe_load((FOLDER / "sentiment.yaml").read_text(encoding="utf-8"))
    change(raw)
    (folder / "sentiment.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return folder


BREAKS = {
    "labels": lambda raw: raw.update(labels=["good", "bad"]),
    "stop": lambda raw: raw.update(stop=[]),
    "max_new_tokens": lambda raw: raw.update(max_new_tokens="8"),
    "prompt": lambda raw: raw.update(prompt="Review:"),
    "id": lambda raw: raw.update(id="other"),
    "exemplars": lambda raw: raw.update(exemplars=raw["exemplars"][:3]),
    "source": lambda raw: raw.pop("source"),
    "colour": lambda raw: raw.update(colour="red"),
    "items[4].answer": lambda raw: raw["items"][4].pop("answer"),
    "items[0].question": lambda raw: raw["items"][0].update(question=raw["exemplars"][0]["question"]),
    "answer_patterns.strict": lambda raw: raw["answer_patterns"].update(strict="("),
    "answer_patterns": lambda raw: raw["answer_patterns"].pop("flexible"),
    "generator": lambda raw: (raw.pop("items"), raw.update(generator={"kind": "dates", "seed": 1})),
    "published": lambda raw: raw.update(published={"table": "gpt3_arithmetic"}),
    "generator.kind": lambda raw: (raw.pop("items"), raw.update(generator={"kind": "poems"})),
    "example": lambda raw: raw.update(example=["a"]),
    "match": lambda raw: raw.update(match="roughly"),
}


@pytest.mark.parametrize("key", BREAKS)
def test_a_bad_file_is_refused_with_file_and_key(tmp_path, key):
    folder = edited(tmp_path, BREAKS[key])
    with pytest.raises(LectureError, match=rf"sentiment\.yaml: key '{re.escape(key)}'"):
        load_task("sentiment", folder=folder)


def test_broken_yaml_is_refused_with_its_file(tmp_path):
    (tmp_path / "sentiment.yaml").write_text("id: [", encoding="utf-8")
    with pytest.raises(LectureError, match=r"sentiment\.yaml"):
        load_task("sentiment", folder=tmp_path)


@pytest.mark.parametrize("name", ["poems", "../secret", "", "x" * 500])
def test_an_unknown_task_names_those_that_exist(name):
    with pytest.raises(LectureError, match="date_format"):
        load_task(name)
