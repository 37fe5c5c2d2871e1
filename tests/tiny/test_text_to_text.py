import random

import numpy as np
import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.training import __main__ as command
from lecture_core.training import recipes
from lecture_core.training.loop import Schedule
from lecture_core.training.text_tasks import TASKS, draw, gather, held_out_pairs
from lecture_core.training.text_to_text import LETTER_TASKS, Encoder, TextToText, TextToTextSource, pad

TEXT = "Thank you <extra_id_0> me to your party <extra_id_1> week."

LIST = (
    "cat dog house tree river mountain window table garden school teacher doctor hospital "
    "city village bridge island forest library market kitchen summer winter flower animal picture letter "
    "number family friend"
)
COMMON = LIST.split()


@pytest.fixture(scope="module")
def material():
    return gather([f"The {word} was near a {word} in the north." for word in COMMON for _ in range(60)])


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return Encoder(AutoTokenizer.from_pretrained(tiny_folder / "tiny-t5"))


def test_writing_is_greedy_decoding(engine, tiny_folder):
    result = engine.text_to_text(TEXT, model="tiny-t5", max_new_tokens=12)
    model = AutoModelForSeq2SeqLM.from_pretrained(tiny_folder / "tiny-t5")
    words = AutoTokenizer.from_pretrained(tiny_folder / "tiny-t5")
    expected = model.generate(**words(TEXT, return_tensors="pt"), max_new_tokens=12, do_sample=False)[0, 1:]
    assert [t.token_id for t in result.tokens] == expected.tolist()
    assert all(t.rank == 1 for t in result.tokens)
    assert result.reason == ("stop" if expected[-1] == words.eos_token_id else "length")


def test_a_sentinel_takes_the_space_before_it(engine):
    tokens = engine.tokenise(TEXT, model="tiny-t5").tokens
    assert tokens[tokens.index("<extra_id_0>") - 1] == "you"
    assert "" not in tokens


def test_teacher_forcing_gives_the_models_own_loss(engine, tiny_folder):
    target = "<extra_id_0> for inviting <extra_id_1> last <extra_id_2>"
    result = engine.target_logprobs(TEXT, target, model="tiny-t5")
    model = AutoModelForSeq2SeqLM.from_pretrained(tiny_folder / "tiny-t5")
    words = AutoTokenizer.from_pretrained(tiny_folder / "tiny-t5")
    with torch.inference_mode():
        loss = model(**words(TEXT, return_tensors="pt"), labels=words(target, return_tensors="pt")["input_ids"]).loss
    assert -result.mean_nats == pytest.approx(float(loss), abs=1e-4)


@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        ("", {}, InvalidInputError),
        ("a\x00b", {}, InvalidInputError),
        ("party " * 80, {}, ContextLengthError),
        ("party", {"max_new_tokens": 0}, InvalidInputError),
        ("party", {"max_new_tokens": 1000}, InvalidInputError),
    ],
)
def test_what_cannot_be_read_is_refused(engine, text, options, error):
    with pytest.raises(error):
        engine.text_to_text(text, model="tiny-t5", **options)


@pytest.mark.parametrize("text", ["emoji 😀 here", "שלום", "<script>alert(1)</script>", "数据"])
def test_strange_text_gives_a_result(engine, text):
    assert engine.text_to_text(text, model="tiny-t5", max_new_tokens=4).tokens


def test_an_encoder_decoder_is_asked_for_by_role(engine):
    with pytest.raises(InvalidInputError, match="seq2seq"):
        engine.text_to_text("party", model="tiny-mlm")


@pytest.mark.parametrize("task", TASKS)
def test_training_and_measuring_never_share_an_item(task, material):
    rng = random.Random(0)
    trained = {draw(task, rng, material, held_out=False).item for _ in range(200)}
    measured = {pair.item for pair in held_out_pairs(material, count=20) if pair.task == task}
    assert measured
    assert not trained & measured


@pytest.mark.parametrize(
    ("task", "source", "target"),
    [
        ("date", "date: 2014-06-01", "June 1, 2014"),
        ("digits", "digits: four hundred twelve", "412"),
        ("plural", "plural: city", "cities"),
        ("reverse", "reverse: window", "wodniw"),
        ("sort", "sort: window", "dinoww"),
    ],
)
def test_tasks_say_what_they_promise(task, source, target, material):
    rng, found = random.Random(0), {}
    for _ in range(300_000):
        pair = TASKS[task](rng, material)
        found[pair.input] = pair.target
        if source in found:
            break
    assert found[source] == target


def test_targets_decode_to_what_was_asked(encoder, material):
    for task in TASKS:
        pair = draw(task, random.Random(1), material, held_out=False)
        for in_pieces in (False, True) if pair.spelled else (False,):
            inputs, target = encoder.pair(pair, in_pieces=in_pieces)
            assert encoder.tokenizer.decode(target, skip_special_tokens=True) == pair.target
            assert encoder.tokenizer.decode(inputs, skip_special_tokens=True) == pair.input


@pytest.mark.parametrize("task", LETTER_TASKS)
def test_a_letter_task_reads_letters_and_others_read_pieces(task, encoder):
    letters = encoder.tokenizer.tokenize(f"{task}: window")
    assert letters[-6:] == list("window")
    assert encoder.tokenizer.tokenize(f"the {task}: window")[-6:] != list("window")
    assert encoder.tokenizer.tokenize("window") == encoder.tokenizer.tokenize(" window")


def test_exact_match_by_one_pass_is_what_greedy_decoding_writes(tiny_folder, encoder, material, monkeypatch):
    model = AutoModelForSeq2SeqLM.from_pretrained(tiny_folder / "tiny-t5")
    pairs = [draw("date", random.Random(i), material, held_out=True) for i in range(4)]
    inputs = [encoder.pair(pair)[0] for pair in pairs]
    written = [model.generate(torch.tensor([i]), max_new_tokens=6, do_sample=False)[0, 1:].tolist() for i in inputs]
    written[3] = [*written[3][:-1], written[3][-1] - 1]
    answers = dict(zip(pairs, zip(inputs, written, strict=True), strict=True))
    monkeypatch.setattr(encoder, "pair", lambda pair: answers[pair])
    assert TextToText(model, encoder).verdicts(pairs) == [True, True, True, False]


def test_padding_is_outside_inputs_and_labels():
    batch = pad([([5, 6, 1], [7, 1]), ([5, 1], [8, 9, 10, 1])])
    assert np.array_equal(batch.input_ids, [[5, 6, 1], [5, 1, 0]])
    assert np.array_equal(batch.labels, [[7, 1, -100, -100], [8, 9, 10, 1]])


def test_the_command_trains_a_t5_that_loads(tmp_path, monkeypatch):
    schedule = Schedule(6 * 512, batch_tokens=512, evaluate_every=3)
    monkeypatch.setattr(recipes, "Schedule", lambda *_, **__: schedule)
    corpus = tmp_path / "corpus.txt"
    lines = [f"The {word} was near a {word} in the north." for word in COMMON]
    corpus.write_text("\n\n".join(f"Title {i}\n" + " ".join(lines) for i in range(300)))
    arguments = ["text_to_text", "--corpus", corpus, "--state", tmp_path / "state", "--out", tmp_path / "out"]
    assert command.main([*map(str, arguments), "--pretraining-steps", "2"]) == 0
    model = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "out", dtype="auto")
    assert model.dtype == torch.float16
    assert model.num_parameters() < 12e6
    assert "held_out_date" in (tmp_path / "state" / "text_to_text" / "log.csv").read_text()
    further = [*map(str, arguments[:3]), "--state", str(tmp_path / "further"), "--out", str(tmp_path / "better")]
    assert command.main([*further, "--start", str(tmp_path / "out")]) == 0
    better = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "better", dtype="auto")
    moved = (better.shared.weight - model.shared.weight).abs().max()
    assert 0 < moved < 1  # it went on from those weights: fresh ones would lie further away


def test_a_model_that_goes_on_reads_words_in_letters_and_all_groups_from_the_first_step(encoder, material, monkeypatch):
    source = TextToTextSource(None, encoder, material, 0, continued=True)
    seen = []
    monkeypatch.setattr(source, "spans", lambda *_: "spans")
    monkeypatch.setattr(encoder, "pair", lambda pair, in_pieces: seen.append((pair.task, in_pieces)) or ([1], [1]))
    filled = [isinstance(source.batch(0, step, tokens=100), str) for step in range(200)]
    assert 0 < sum(filled) < 100
    assert {task for task, _ in seen} == set(TASKS)
    assert not any(in_pieces for _, in_pieces in seen)
