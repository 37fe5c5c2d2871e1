"""How good the models are that we trained: recorded measures and learning curves.

Lecture: recap, ELECTRA, text-to-text models. Reads `assets/runs/evaluation_<id>.json`, which
`python -m lecture_core.training.evaluate <id> --out ...` writes, and the curves in `assets/runs/training_*.csv`. What
was not measured is absent. Runs no model; `originals.py` knows what was published.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from lecture_core.calibration import ReliabilityBin
from lecture_core.model_cards import ModelCard
from lecture_core.provenance import Provenance
from lecture_core.run_tables import FOLDER, RunError
from lecture_core.statistics import MeasuredRate

KINDS: Mapping[str, str] = {"sentences": "single sentences", "blocks": "packed blocks"}
FIGURES: Mapping[str, str] = {
    "loss": "loss (nats)",
    "span_loss": "span corruption loss (nats)",
    "generator_loss": "generator's loss (nats)",
    "top1": "top-1 accuracy",
    "top5": "top-5 accuracy",
    "recipe_top1": "top-1 as BERT counts it (80/10/10)",
    "auc": "AUC",
    "precision": "precision at 0.5",
    "recall": "recall at 0.5",
    "replaced_share": "share of replaced tokens",
    "expected_calibration_error": "calibration error",
}
"""Figures on held-out text, in the order in which they are shown. Losses are in nats, all others in [0, 1]."""
RATES: Mapping[str, str] = {"rank1": "right at rank 1", "top5": "right within 5", "forced_choice": "right word chosen"}
"""Rates of the cloze set."""
_CLOZE = (
    "The cloze set: sentences written for this project with one word hidden. “Right word chosen” asks only which of "
    "two to four candidates is the most probable."
)
_EXACT_MATCH = "Inputs that were never trained on; an answer counts if it is right to the letter."
_LOSSES = {
    "masked_lm": "held_out_loss",
    "rtd_generator": "held_out_generator_loss",
    "rtd_discriminator": "held_out_loss",
    "seq2seq": "held_out_span_loss",
    "vision_language": "loss",
}
FRESH = {"vision_language": "scenes drawn afresh"}
"""Roles whose runs record the loss of training itself, on material that never comes twice."""
BESIDE = {"rtd_generator"}
"""Roles measured together with the model that was trained beside: a run records their loss alone."""
_CURVE_NAMES = {"top1": "top-1", "top5": "top-5", "auc": "AUC"}
_NOT_QUALITY = {"held_out_replaced_share", "held_out_generator_loss"}


@dataclass(frozen=True)
class RateGroup:
    """Rates of one part of a test, such as a category of the cloze set or a task.

    Attributes:
        rates: what was counted and its share with interval, by name.
    """

    name: str
    rates: Mapping[str, MeasuredRate]


@dataclass(frozen=True)
class Evaluation:
    """What one run of the evaluation command measured.

    Attributes:
        revision: first digits of the hash of the weights that were measured.
        corpus: name of the file whose held-out articles measured; empty where none did.
        held_out: figures of `FIGURES` by kind of text.
        groups: rates of the cloze set or of the tasks; what covers all of them comes first.
        test: what the groups stand on, in words; empty where there are none.
        reliability: curve of a discriminator by kind of text.
    """

    model: str
    revision: str
    corpus: str
    command: str
    held_out: Mapping[str, Mapping[str, float]]
    groups: tuple[RateGroup, ...]
    test: str
    reliability: Mapping[str, tuple[ReliabilityBin, ...]]

    @property
    def provenance(self) -> Provenance:
        """Where the figures come from, for the caption under them."""
        source = f"{self.model} · float32 · {self.command}"
        return Provenance(revision=self.revision, kind="recorded", source=source)


def evaluation(model: str, *, folder: Path = FOLDER) -> Evaluation | None:
    """Return the recorded evaluation of a model; None where it was not measured.

    Raises:
        RunError: the file breaks the format.
    """
    path = folder / f"evaluation_{model}.json"
    if not path.is_file():
        return None
    try:
        return _evaluation(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise RunError(f"{path.name}: expected what the evaluation command writes; {exc!r} is wrong.") from exc


def _evaluation(raw: Mapping[str, Any]) -> Evaluation:
    texts = {kind: raw[kind] for kind in KINDS if kind in raw}
    # Discriminators and masked LMs give figures by kind of text, others for all of it.
    texts |= {"": raw} if any(name in raw for name in FIGURES) else {}
    return Evaluation(
        model=raw["model"],
        revision=raw["revision"],
        corpus=raw.get("corpus") or "",
        command=raw["command"],
        held_out={kind: {name: float(one[name]) for name in FIGURES if name in one} for kind, one in texts.items()},
        groups=(*_cloze(raw.get("cloze")), *_tasks(raw.get("exact_match"))),
        test=_CLOZE if "cloze" in raw else _EXACT_MATCH if "exact_match" in raw else "",
        reliability={
            kind: tuple(ReliabilityBin(**one_bin) for one_bin in one["reliability"])
            for kind, one in texts.items()
            if "reliability" in one
        },
    )


def _cloze(raw: Mapping[str, Any] | None) -> tuple[RateGroup, ...]:
    if raw is None:
        return ()
    named = {"all sentences": raw["overall"]} | raw["by_category"]
    return tuple(
        RateGroup(name.replace("_", " "), {RATES[key]: _rate(rates[key]) for key in RATES if key in rates})
        for name, rates in named.items()
    )


def _tasks(raw: Mapping[str, Any] | None) -> tuple[RateGroup, ...]:
    return tuple(RateGroup(task.replace("_", " "), {"exact match": _rate(rate)}) for task, rate in (raw or {}).items())


def _rate(raw: Mapping[str, Any]) -> MeasuredRate:
    return MeasuredRate(**{field.name: raw[field.name] for field in fields(MeasuredRate)})


@dataclass(frozen=True)
class LearningCurve:
    """How a model got better while it was trained.

    Attributes:
        run: name of the file in `assets/runs`, without suffix.
        tokens: trained on so far, padding included, at each measurement.
        loss: on `material`, in nats.
        rates: on held-out material, in [0, 1], by name; a measurement that is missing is None.
        material: what the loss was measured on, in words.
    """

    run: str
    tokens: tuple[int, ...]
    loss: tuple[float, ...]
    rates: Mapping[str, tuple[float | None, ...]]
    material: str = "held-out text"


def learning_curve(card: ModelCard, *, folder: Path = FOLDER) -> LearningCurve | None:
    """Return the recorded run that trained a model; None where there is none.

    A run `training_<name>.csv` belongs to the models whose id starts with its name: the two of an ELECTRA pair share
    one.

    Raises:
        RunError: the file breaks the format.
    """
    runs = [path for path in folder.glob("training_*.csv") if card.spec.id.startswith(path.stem[len("training_") :])]
    if not runs or card.spec.role not in _LOSSES:
        return None
    path = max(runs, key=lambda path: len(path.stem))
    loss = _LOSSES[card.spec.role]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row[loss]]
        names = [name for name in rows[0] if name.startswith("held_out_") and name not in {loss, *_NOT_QUALITY}]
        return LearningCurve(
            run=path.stem,
            tokens=tuple(int(row["tokens"]) for row in rows),
            loss=tuple(float(row[loss]) for row in rows),
            rates={}
            if card.spec.role in BESIDE
            else {_words(n): tuple(float(r[n]) if r[n] else None for r in rows) for n in names},
            material=FRESH.get(card.spec.role, "held-out text"),
        )
    except (KeyError, ValueError, IndexError) as exc:
        raise RunError(f"{path.name}: expected tokens and {loss} in every row; {exc!r} is wrong.") from exc


def _words(column: str) -> str:
    name = column.removeprefix("held_out_")
    return _CURVE_NAMES.get(name, name.replace("_", " "))


def held_out_table(measured: Evaluation) -> pd.DataFrame:
    """Return what was measured on held-out text: a row a figure, a column a kind of text, NaN where it is absent."""
    texts = measured.held_out
    names = [name for name in FIGURES if any(name in one for one in texts.values())]
    cells = {
        KINDS.get(kind, "all text"): [one.get(name, float("nan")) for name in names] for kind, one in texts.items()
    }
    return pd.DataFrame(cells, index=[FIGURES[name] for name in names])
