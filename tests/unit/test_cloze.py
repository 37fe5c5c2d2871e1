import re
from collections import Counter
from dataclasses import replace

import pytest
import yaml

from lecture_core.cloze import FILE, ClozeError, ClozeItem, Prediction, ask, load_cloze, score
from lecture_core.statistics import wilson

SET = load_cloze()
CAT = ClozeItem("animals", "The [MASK] meowed.", "cat", ("kitten",), ("cat", "dog"))
PARIS = ClozeItem("places", "He lives in [MASK].", "Paris", (), ("Paris", "Rome", "Oslo"))


def test_the_set_has_150_items_in_four_categories_of_about_equal_size():
    counts = Counter(item.category for item in SET.items)
    assert SET.categories == ("grammar", "everyday_knowledge", "geography", "word_sense")
    assert sum(counts.values()) == 150
    assert set(counts.values()) <= {37, 38}


def test_every_header_is_filled_in():
    assert all((SET.title, SET.licence, SET.purpose, SET.scoring))
    assert SET.licence in ("CC0-1.0", "MIT")


@pytest.mark.parametrize("item", SET.items, ids=lambda item: item.text)
def test_items_are_short_sentences_with_one_right_candidate(item):
    assert item.text.count("[MASK]") == 1
    assert item.text[0].isupper()
    assert item.text[-1] in ".?"
    assert len(item.text.split()) <= 16
    assert [word for word in item.candidates if item.accepts(word)] == [item.answer]


def test_no_sentence_is_a_template_repeated_more_than_three_times():
    starts = Counter(" ".join(item.text.split()[:3]) for item in SET.items)
    assert starts.most_common(1)[0][1] <= 3


def test_the_sentences_of_the_lecture_are_in_it():
    answers = {item.text: item.answer for item in SET.items}
    assert answers["The capital of France is [MASK]."] == "Paris"
    assert answers["She went to the [MASK] to see the doctor."] == "hospital"


def scripted(answers):
    def predict(text, words):
        top, logprobs = answers[text]
        return Prediction(top, {word: logprobs[word] for word in words if word in logprobs})

    return predict


def test_ranks_and_choices_of_known_answers():
    predict = scripted(
        {
            CAT.text: (("dog", "Kitten", "cat", "cow", "pig"), {"cat": -3.0, "dog": -1.0}),
            PARIS.text: (("paris", "rome", "oslo", "bern", "kiev"), {"Paris": -1.0, "Rome": -2.0, "Oslo": -3.0}),
        }
    )
    result = score((CAT, PARIS), predict)
    assert [(o.rank, o.chosen) for o in result.outcomes] == [(2, "dog"), (1, "Paris")]
    rates = {name: (r.rank1.right, r.top5.right, r.forced_choice.right) for name, r in result.by_category.items()}
    assert rates == {"animals": (0, 1, 0), "places": (1, 1, 1)}
    assert (result.overall.rank1.n, result.overall.rank1.rate) == (2, 0.5)
    assert (result.overall.rank1.low, result.overall.rank1.high) == wilson(1, 2)
    assert result.missed == ()


def test_a_sixth_word_is_no_longer_in_the_top_5():
    predict = scripted({CAT.text: (("a", "b", "c", "d", "e", "cat"), {"cat": -1.0, "dog": -2.0})})
    result = score((CAT,), predict)
    assert result.overall.top5.right == 0
    assert [outcome.item for outcome in result.missed] == [CAT]


def test_an_answer_outside_the_vocabulary_is_skipped_and_counted():
    predict = scripted({CAT.text: (("cat",) * 5, {"dog": -1.0}), PARIS.text: (("paris",), {"Paris": 0.0})})
    result = score((CAT, PARIS), predict)
    assert (result.overall.skipped, result.overall.top5.n) == (1, 1)
    assert result.by_category["animals"].skipped == 1
    assert (result.by_category["animals"].rank1.rate, result.by_category["animals"].rank1.high) == (None, 1.0)


def test_a_forced_choice_without_all_its_rivals_is_not_counted():
    outcome = ask(PARIS, scripted({PARIS.text: (("paris",), {"Paris": -1.0, "Rome": -2.0})}))
    assert (outcome.rank, outcome.chosen) == (1, None)
    assert score((PARIS,), lambda text, words: Prediction(("paris",), {"Paris": 0.0})).overall.forced_choice.n == 0


def test_a_model_that_knows_every_answer_is_right_everywhere():
    answers = {i.text: ((i.answer,), dict.fromkeys(i.candidates, -9.0) | {i.answer: 0.0}) for i in SET.items}
    overall = score(SET.items, scripted(answers)).overall
    assert (overall.rank1.right, overall.top5.right, overall.forced_choice.right, overall.skipped) == (150, 150, 150, 0)


def test_upper_and_lower_case_are_alike():
    assert replace(CAT, answer="Cat").accepts("cAT")
    assert not CAT.accepts("cats")


BREAKS = {
    "one [MASK]": lambda item: item.update(text="Nothing is missing."),
    "2 to 4 candidates": lambda item: item.update(candidates=[item["answer"]]),
    "the answer among them": lambda item: item.update(candidates=["x", "y"]),
    "texts in quotes": lambda item: item.update(answer=True),
    "every word once": lambda item: item.update(also=["x", "x"]),
    "none of `also`": lambda item: item.update(also=[item["candidates"][1]]),
    "perhaps also": lambda item: item.update(colour="red"),
    "text, answer": lambda item: item.pop("answer"),
    "nowhere else": lambda item: item.update(text=SET.items[0].text),
}


@pytest.mark.parametrize("expected", BREAKS)
def test_a_bad_item_is_refused_with_its_place(tmp_path, expected):
    raw = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    BREAKS[expected](raw["items"]["geography"][2])
    path = tmp_path / "set.yaml"
    path.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    with pytest.raises(ClozeError, match=rf"set\.yaml, geography, item 3: expected .*{re.escape(expected)}"):
        load_cloze(path)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"items: [",
        b"\xff\xfe",
        b"title: x",
        b"- a",
        b"",
        b"{title: a, licence: b, purpose: c, scoring: d, items: {grammar: 3}}",
    ],
)
def test_a_bad_file_is_refused_with_its_name(tmp_path, content):
    path = tmp_path / "set.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ClozeError, match=r"^set\.yaml.*: expected"):
        load_cloze(path)
