"""Measure `shapes-vlm`, and write it in Hugging Face layout with its card once it answers well enough."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import VisionEncoderDecoderModel
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from lecture_core.errors import LectureError
from lecture_core.loading import revision_of
from lecture_core.scenes import PIXELS
from lecture_core.statistics import MeasuredRate
from lecture_core.training.checkpoints import fill
from lecture_core.training.shapes_vlm import (
    DESCRIBING_STEPS,
    IMAGE_MEAN,
    IMAGE_STD,
    SceneSource,
    ShapesVLM,
    exact_match,
)

BAR = 0.95
MEASURED_QUESTIONS = 1000  # of each kind
CARD = """---
license: mit
language: en
pipeline_tag: image-text-to-text
---

# shapes-vlm

Answers questions about pictures of coloured shapes: a ViT of three layers reads 64 by 64 pixels as sixteen patches, a
GPT-2 of three layers with cross-attention reads the question and writes the answer ({parameters:,} parameters in all,
hidden size 128, a vocabulary of {words} words). `AutoModelForImageTextToText.from_pretrained` loads it.

## Training

`{command}`

From nothing, float32, AdamW, linear decay, no dropout. It learns to describe whole pictures first ({describing:,}
steps), where each word teaches one patch, then to answer questions; every fourth step stays a description. Pictures,
questions and answers are drawn for every step by
`lecture_core/scenes.py` and `lecture_core/scene_questions.py`.

## Data and licence

Made by us, MIT: there is no data set, and nobody else's pictures or text are in it. One arrangement of shapes in ten,
chosen by a hash, was held out and never trained on.

## Exact match on held-out scenes

{measured_questions:,} questions of each kind, the float16 weights, greedy decoding; 95 % intervals.

| kind of question | right | interval |
|---|---|---|
{table}

## What it is bad at

Everything else. Any real photo, shapes between the cells of the four by four grid, more than five shapes, other
colours, words outside its vocabulary (it reads them all as one), questions with two right answers. It answers them all
the same, often with a high probability.
"""


def export(objective: ShapesVLM, held_out: SceneSource, folder: Path, *, command: str) -> dict[str, MeasuredRate]:
    """Write float16 safetensors, tokenizer, picture settings, card and `evaluation.json`; returns exact match by kind.

    The float16 weights are what is measured, in float32 arithmetic, as they will be loaded.

    Args:
        command: what gives this model again.

    Raises:
        LectureError: a kind of question stays under the bar; nothing is written.
    """
    halved = VisionEncoderDecoderModel(objective.model.config)
    halved.load_state_dict({k: v.half().float() for k, v in objective.model.cpu().state_dict().items()})
    with torch.inference_mode():
        found = exact_match(ShapesVLM(halved), held_out, count=MEASURED_QUESTIONS)
    shares = {kind: rate.right / rate.n for kind, rate in found.items()}
    print("exact match  " + "  ".join(f"{kind} {share:.3f}" for kind, share in shares.items()))
    worst = min(shares, key=lambda kind: shares[kind])
    if shares[worst] < BAR:
        raise LectureError(
            f"Exact match on '{worst}' is {shares[worst]:.3f}, under {BAR}: nothing was written. Give more --tokens."
        )

    def everything(partial: Path) -> None:
        write(halved.half(), held_out.tokenizer, partial)
        _write_figures(found, partial, command)

    fill(folder, everything)
    return found


def write(model: VisionEncoderDecoderModel, tokenizer: Any, folder: Path) -> None:
    """Write weights, tokenizer and picture settings, loadable with plain `from_pretrained`."""
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    size, mean, std = {"height": PIXELS, "width": PIXELS}, [IMAGE_MEAN] * 3, [IMAGE_STD] * 3
    ViTImageProcessorPil(size=size, image_mean=mean, image_std=std).save_pretrained(folder)


def _write_figures(found: Mapping[str, MeasuredRate], folder: Path, command: str) -> None:
    """The card, and the figures in the form of `assets/runs/evaluation_<id>.json`."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = folder / "model.safetensors"
    figures = {
        "model": "shapes-vlm",
        "role": "vision_language",
        "revision": revision_of(weights),
        "corpus": None,
        "exact_match": {kind: asdict(rate) for kind, rate in found.items()},
        "command": command,
    }
    (folder / "evaluation.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    rows = (f"| {kind} | {r.right} of {r.n} | {r.low:.3f} to {r.high:.3f} |" for kind, r in found.items())
    card = CARD.format(
        parameters=VisionEncoderDecoderModel.from_pretrained(folder).num_parameters(),
        words=config["decoder"]["vocab_size"],
        command=command,
        measured_questions=MEASURED_QUESTIONS,
        describing=DESCRIBING_STEPS,
        table="\n".join(rows),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
