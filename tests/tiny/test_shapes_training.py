import random

import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, AutoModelForImageTextToText

from lecture_core.errors import LectureError
from lecture_core.model_quality import evaluation
from lecture_core.scene_questions import QUESTIONS
from lecture_core.scenes import render
from lecture_core.training import __main__ as command
from lecture_core.training import recipes, shapes_export
from lecture_core.training.loop import Schedule
from lecture_core.training.shapes_vlm import (
    DESCRIBING_STEPS,
    IGNORED,
    IMAGE_MEAN,
    IMAGE_STD,
    SceneSource,
    ShapesVLM,
    new_model,
    new_tokenizer,
)


@pytest.fixture(scope="module")
def tokenizer():
    return new_tokenizer()


@pytest.fixture(scope="module")
def objective(tokenizer):
    torch.manual_seed(0)
    return ShapesVLM(new_model(tokenizer))


def test_a_batch_depends_on_seed_and_step_alone(tokenizer):
    source = SceneSource(tokenizer, held_out=False)
    first, again = (source.batch(3, DESCRIBING_STEPS + 1, tokens=512) for _ in range(2))
    assert np.array_equal(first.pictures, again.pictures)
    assert np.array_equal(first.labels, again.labels)
    assert len(first.labels) == 32
    assert len(first.pictures) == 4


def test_the_loss_counts_answers_and_end_only(tokenizer):
    batch = SceneSource(tokenizer, held_out=False).batch(0, 0, tokens=512)
    for ids, labels in zip(batch.input_ids, batch.labels, strict=True):
        counted = np.flatnonzero(labels != IGNORED)
        assert tokenizer.convert_ids_to_tokens(int(ids[counted[0]])) == "?"
        assert labels[counted[-1]] == tokenizer.eos_token_id
        assert np.array_equal(labels[counted[:-1]], ids[counted[:-1] + 1])


def test_it_describes_pictures_before_it_answers_questions(tokenizer):
    source = SceneSource(tokenizer, held_out=False)
    lengths = {step: (source.batch(0, step, tokens=512).labels != IGNORED).sum(1) for step in (0, DESCRIBING_STEPS)}
    assert all((words > 0).all() and (words % 8 == 0).all() for words in lengths.values())  # 8 a shape, comma or end
    assert (source.batch(0, DESCRIBING_STEPS + 1, tokens=512).labels != IGNORED).sum(1).max() <= 4


def test_training_and_measuring_never_share_a_scene(tokenizer):
    rng = random.Random(0)
    for side in (False, True):
        source = SceneSource(tokenizer, held_out=side)
        assert all(source.scene(rng).held_out == side for _ in range(50))


def normalised(pictures):
    return (pictures.float() / 255 - IMAGE_MEAN) / IMAGE_STD


def test_pictures_are_scaled_as_the_saved_settings_scale_them(objective, tokenizer, tmp_path):
    shapes_export.write(objective.model, tokenizer, tmp_path)
    picture = render(SceneSource(tokenizer, held_out=True).scene(random.Random(1)))
    saved = AutoImageProcessor.from_pretrained(tmp_path)(picture, return_tensors="pt")["pixel_values"]
    ours = normalised(torch.from_numpy(picture).permute(2, 0, 1))
    assert torch.allclose(saved[0], ours, atol=1e-5)


def test_one_forward_pass_measures_what_greedy_decoding_writes(objective, tokenizer):
    batch = SceneSource(tokenizer, held_out=True).by_kind("count", 6)
    logits, _ = objective.logits(batch)
    pixels = normalised(torch.from_numpy(batch.pictures).permute(0, 3, 1, 2))
    for row in range(6):
        start = int(np.flatnonzero(batch.labels[row] != IGNORED)[0])
        ids = torch.from_numpy(batch.input_ids[row : row + 1, : start + 1])
        written = objective.model.generate(
            pixels[batch.picture[row]][None], decoder_input_ids=ids, max_new_tokens=1, do_sample=False
        )
        assert written[0, -1] == logits[row, start].argmax()


def test_the_loss_falls(tokenizer):
    torch.manual_seed(0)
    objective = ShapesVLM(new_model(tokenizer))
    source = SceneSource(tokenizer, held_out=False)
    optimizer = torch.optim.AdamW(objective.parameter_groups())
    losses = []
    for step in range(30):
        loss, _ = objective.loss(source.batch(0, step, tokens=512), torch.Generator())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def short(monkeypatch):
    schedule = Schedule(4 * 256, batch_tokens=256, evaluate_every=2)
    monkeypatch.setattr(recipes, "Schedule", lambda *_, **__: schedule)
    monkeypatch.setattr(shapes_export, "MEASURED_QUESTIONS", 8)


def arguments(tmp_path):
    return ["shapes_vlm", "--state", str(tmp_path / "state"), "--out", str(tmp_path / "out")]


def test_a_model_under_the_bar_is_not_written(tmp_path, monkeypatch, capsys):
    short(monkeypatch)
    assert command.main(arguments(tmp_path)) == 2
    assert "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_writes_a_model_that_loads_and_says_how_good_it_is(tmp_path, monkeypatch):
    short(monkeypatch)
    monkeypatch.setattr(shapes_export, "BAR", 0.0)
    assert command.main(arguments(tmp_path)) == 0
    model = AutoModelForImageTextToText.from_pretrained(tmp_path / "out", dtype="auto")
    assert model.dtype == torch.float16
    assert model.num_parameters() < 6e6
    assert all(f"held_out_{kind}" in (tmp_path / "state" / "shapes" / "log.csv").read_text() for kind in QUESTIONS)
    copied = tmp_path / "evaluation_shapes-vlm.json"
    copied.write_bytes((tmp_path / "out" / "evaluation.json").read_bytes())
    found = evaluation("shapes-vlm", folder=tmp_path)
    assert [group.name for group in found.groups] == list(QUESTIONS)
    assert all(kind in (tmp_path / "out" / "README.md").read_text() for kind in QUESTIONS)


def test_other_recipes_still_ask_for_a_corpus():
    with pytest.raises(SystemExit):
        command.main(["masked_lm"])


def test_a_bar_is_part_of_the_message(objective, tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr(shapes_export, "MEASURED_QUESTIONS", 8)
    with pytest.raises(LectureError, match=r"under 0\.95"):
        shapes_export.export(objective, SceneSource(tokenizer, held_out=True), tmp_path / "out", command="x")
