"""Tasks for a language model as data: `assets/tasks/<id>.yaml` holds prompt, exemplars, items and answer patterns.

Lecture: GPT-3, task specifications; chain-of-thought prompting. A file that breaks the format is refused with its name
and the key; knows no model and no page.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, cast, get_args

import yaml

from lecture_core.answers import AnswerPatterns, Match, same_answer, words_of
from lecture_core.errors import LectureError
from lecture_core.task_generators import GENERATORS, draw

FOLDER = Path(__file__).parent.parent / "assets" / "tasks"
MIN_EXEMPLARS = 8
MIN_ITEMS = 40
_REQUIRED = {
    "id": str,
    "lab": str,
    "title": str,
    "lecture": str,
    "source": str,
    "instruction": str,
    "instruct": bool,
    "prompt": str,
    "separator": str,
    "example": dict,
    "exemplars": list,
    "answer_patterns": dict,
    "labels": list,
    "stop": list,
    "max_new_tokens": int,
}
_OPTIONAL = {"compose": str, "items": list, "generator": dict, "published": dict, "match": str}


class TaskError(LectureError):
    """A task's file breaks the format; names file and key."""


@dataclass(frozen=True)
class Item:
    """A question with its true answer; `rationale` is the reasoning between them, where the file gives one."""

    question: str
    answer: str
    rationale: str = ""


@dataclass(frozen=True)
class Published:
    """A cell of a published table to compare with: the row where column `where` is `value`, its column `column`.

    Attributes:
        table: id of the table.
        label: what was measured, for the chart.
    """

    table: str
    where: str
    value: str
    column: str
    label: str


@dataclass(frozen=True)
class Task:
    """What it takes to ask a language model one kind of question and to judge its answers.

    Attributes:
        lab: stem of the page that shows the task.
        lecture: section of the lecture.
        instruction: task description in one line.
        instruct: whether the lecture's slide puts the description in front.
        prompt: form of one question, with `{question}`; the answer follows after a space.
        separator: what stands between two exemplars.
        example: the lecture's own test item.
        exemplars: at least 8, the lecture's first.
        items: what accuracy is measured on; none is an exemplar.
        labels: all possible answers; empty where the answer is free text.
        stop: strings that end a completion.
        max_new_tokens: budget of a completion.
        match: how an answer must equal the truth, one of `answers.Match`.
        published: a published rate of the same kind of question, in percent; None where there is none.
    """

    id: str
    lab: str
    title: str
    lecture: str
    source: str
    instruction: str
    instruct: bool
    prompt: str
    separator: str
    example: Item
    exemplars: tuple[Item, ...]
    items: tuple[Item, ...]
    patterns: AnswerPatterns
    labels: tuple[str, ...]
    stop: tuple[str, ...]
    max_new_tokens: int
    match: Match = "exact"
    published: Published | None = None


def list_tasks(lab: str | None = None, *, folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the ids of all tasks, or of those of one lab, in alphabetical order."""
    ids = sorted(path.stem for path in folder.glob("*.yaml"))
    return tuple(task for task in ids if lab in (None, load_task(task, folder=folder).lab))


@cache
def load_task(task: str, *, folder: Path = FOLDER) -> Task:
    """Read and check one task.

    Raises:
        TaskError: no such task, or its file breaks the format.
    """
    path = folder / f"{task}.yaml"
    known = sorted(file.stem for file in folder.glob("*.yaml"))
    if task not in known:
        raise TaskError(f"No task '{task[:60]}'. Choose one of: {', '.join(known)}.")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as exc:
        raise TaskError(f"{path.name}: expected YAML; {' '.join(str(exc).split())}") from exc
    return _Reader(path.name, raw).task()


class _Reader:
    """Turns the mapping of one file into a `Task`, naming file and key of whatever is wrong."""

    def __init__(self, file: str, raw: Any) -> None:
        self.file = file
        if not isinstance(raw, dict):
            self.refuse("(whole file)", "a mapping of keys", type(raw).__name__)
        self.raw: dict[str, Any] = raw

    def refuse(self, key: str, expected: str, got: object) -> NoReturn:
        raise TaskError(f"{self.file}: key '{key}': expected {expected}; got {got}.")

    def task(self) -> Task:
        self._check_keys()
        raw, drawn = self.raw, self._drawn()
        shown = drawn[: raw.get("generator", {}).get("exemplars", 0)]
        exemplars = self._list("exemplars", MIN_EXEMPLARS - len(shown)) + shown
        items = drawn[len(shown) :] or self._list("items", MIN_ITEMS)
        seen = {item.question for item in exemplars}
        for i, item in enumerate(items):
            if item.question in seen:
                self.refuse(f"items[{i}].question", "a question asked nowhere else", item.question)
            seen.add(item.question)
        task = Task(
            **{k: raw[k] for k in _REQUIRED if k not in ("example", "exemplars", "answer_patterns", "labels", "stop")},
            example=self._item("example", raw["example"]),
            exemplars=exemplars,
            items=items,
            patterns=self._patterns(),
            labels=self._strings("labels"),
            stop=self._strings("stop"),
            match=self._match(),
            published=self._published(),
        )
        self._check_answers(task)
        return task

    def _check_keys(self) -> None:
        allowed = _REQUIRED | _OPTIONAL
        for key in _REQUIRED:
            if key not in self.raw:
                self.refuse(key, "a value", "nothing")
        for key, value in self.raw.items():
            if key not in allowed:
                self.refuse(str(key), "one of " + ", ".join(allowed), "an unknown key")
            if not isinstance(value, allowed[key]) or (isinstance(value, str) and not value):
                self.refuse(key, f"a {allowed[key].__name__} that is not empty", repr(value))
        if self.raw["id"] != self.file.removesuffix(".yaml"):
            self.refuse("id", "the name of the file", self.raw["id"])
        if self.raw["prompt"].count("{question}") != 1 or self.raw["prompt"] != self.raw["prompt"].rstrip():
            self.refuse("prompt", "{question} once and no space at the end", repr(self.raw["prompt"]))
        if ("items" in self.raw) == ("generator" in self.raw):
            self.refuse("items", "either items or a generator", "both or none")
        if not self.raw["stop"] or self.raw["max_new_tokens"] < 1:
            self.refuse("stop", "at least one string, and max_new_tokens above 0", self.raw["stop"])

    def _drawn(self) -> tuple[Item, ...]:
        """The generator's exemplars and items; none where the file lists its items."""
        if "generator" not in self.raw:
            return ()
        options = dict(self.raw["generator"])
        kind, shown = options.pop("kind", None), options.pop("exemplars", 0)
        if kind not in GENERATORS:
            self.refuse("generator.kind", "one of " + ", ".join(GENERATORS), kind)
        if not isinstance(shown, int) or not isinstance(options.get("count", 0), int):
            self.refuse("generator", "numbers of items and exemplars", self.raw["generator"])
        options["count"] = options.get("count", 0) + shown
        try:
            drawn = draw(kind, options)
        except (TypeError, ValueError, KeyError) as exc:
            raise TaskError(f"{self.file}: key 'generator': expected the options of '{kind}'; {exc}.") from exc
        if len(drawn) < MIN_ITEMS + shown:
            self.refuse("generator.count", f"at least {MIN_ITEMS}", len(drawn) - shown)
        return tuple(Item(question, answer) for question, answer in drawn)

    def _match(self) -> Match:
        given = self.raw.get("match", "exact")
        if given not in get_args(Match):
            self.refuse("match", "one of " + ", ".join(get_args(Match)), given)
        return cast(Match, given)

    def _published(self) -> Published | None:
        given = self.raw.get("published")
        names = [f.name for f in fields(Published)]
        if given is not None and (set(given) != set(names) or not all(isinstance(v, str) for v in given.values())):
            self.refuse("published", "texts for " + ", ".join(names), given)
        return Published(**given) if given else None

    def _list(self, key: str, at_least: int) -> tuple[Item, ...]:
        if len(self.raw[key]) < at_least:
            self.refuse(key, f"at least {at_least} entries", len(self.raw[key]))
        return tuple(self._item(f"{key}[{i}]", entry) for i, entry in enumerate(self.raw[key]))

    def _item(self, key: str, entry: Any) -> Item:
        form = self.raw.get("compose", "{question}")
        fields = set(re.findall(r"\{(\w+)\}", form))
        if not isinstance(entry, Mapping):
            self.refuse(key, "a mapping", type(entry).__name__)
        for name in fields | {"answer"} | set(entry):
            if name not in fields | {"answer", "rationale"}:
                self.refuse(
                    f"{key}.{name}", "one of " + ", ".join(sorted(fields | {"answer", "rationale"})), "an unknown key"
                )
            if name not in entry or not isinstance(entry[name], str) or not entry[name].strip():
                self.refuse(f"{key}.{name}", "text in quotes", repr(entry.get(name)))
        question = re.sub(r"\{(\w+)\}", lambda found: entry[found[1]], form)
        return Item(question, entry["answer"], entry.get("rationale", ""))

    def _patterns(self) -> AnswerPatterns:
        given = self.raw["answer_patterns"]
        if set(given) != {"strict", "flexible"}:
            self.refuse("answer_patterns", "strict and flexible", ", ".join(map(str, given)) or "nothing")
        for name, pattern in given.items():
            try:
                groups = re.compile(pattern).groups
            except (re.error, TypeError) as exc:
                raise TaskError(f"{self.file}: key 'answer_patterns.{name}': expected a pattern; {exc}.") from exc
            if groups != 1:
                self.refuse(f"answer_patterns.{name}", "one group", groups)
        return AnswerPatterns(**given)

    def _strings(self, key: str) -> tuple[str, ...]:
        for entry in self.raw[key]:
            if not isinstance(entry, str) or not entry:
                self.refuse(key, "texts in quotes", repr(entry))
        return tuple(self.raw[key])

    def _check_answers(self, task: Task) -> None:
        for item in (task.example, *task.exemplars, *task.items):
            if task.labels and item.answer not in task.labels:
                self.refuse("labels", f"the answer of every item among {', '.join(task.labels)}", item.answer)
            if not re.search(task.patterns.flexible, item.answer):
                self.refuse("answer_patterns.flexible", "a pattern that finds every true answer", item.answer)
            if not same_answer(item.answer, item.answer) or (task.match == "words" and not words_of(item.answer)):
                self.refuse("answer", "an answer equal to itself", item.answer)
