"""`python -m lecture_core.training.evaluate <id>`: what a model of the catalog is worth, as one line of JSON.

A masked LM fills the cloze set and, with `--corpus FILE`, masks of held-out articles; a discriminator judges held-out
articles; a T5 of ours does its tasks on unseen inputs. Sentences and packed blocks are measured apart, since visitors
type sentences and papers report blocks. All in float32. What is recorded lies in `assets/runs/evaluation_<id>.json`,
written with `--out`.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import BertForMaskedLM

from lecture_core import catalog, loading
from lecture_core.calibration import expected_calibration_error, reliability
from lecture_core.cloze import Predict, Prediction, load_cloze, score
from lecture_core.engine.results import Candidate
from lecture_core.errors import InvalidInputError, LectureError, ModelUnavailableError
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import fill_masks
from lecture_core.statistics import measured
from lecture_core.training.corpus import TokenisedCorpus, read_articles, tokenise
from lecture_core.training.masked_lm import MaskedLM
from lecture_core.training.replaced_token_detection import ReplacedTokenDetection
from lecture_core.training.text_tasks import gather
from lecture_core.training.text_to_text import Encoder, TextToText, TextToTextSource, held_out_by_task

KINDS = {"sentences": 1.0, "blocks": 0.0}
BATCHES = 24
Figures = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What to measure on.

    Attributes:
        corpus: file whose held-out articles measure; None for what needs no text.
        batches: of 4,096 tokens, for each kind of text.
        cache: folder of tokenised corpora.
        folder: holds a folder for each model id; None for the place that the catalog names.
    """

    corpus: Path | None
    batches: int
    cache: Path
    folder: Path | None

    def load(self, model: str) -> LoadedModel:
        """Load a model of the catalog in float32.

        Raises:
            ModelUnavailableError: its weights are not there.
        """
        spec = catalog.get(model)
        if self.folder is not None:
            place = (self.folder / model).resolve()
            if not (place / "model.safetensors").is_file():
                raise ModelUnavailableError(f"No model.safetensors in {place}. Give --folder another path.")
            spec = replace(spec, source=f"bundled:{place}")
        loaded = loading.load(spec)
        loaded.network.float()
        return loaded

    def held_out(self, model: LoadedModel) -> TokenisedCorpus:
        """Return the held-out articles as the model's tokens.

        Raises:
            InvalidInputError: no corpus was given, or it cannot be used.
        """
        if self.corpus is None:
            raise InvalidInputError(
                expected="a text to judge", got="none", remedy="give --corpus FILE, whose held-out articles measure"
            )
        return tokenise(self.corpus, model.words.tokenizer, held_out=True, cache=self.cache)


def measure_masked_lm(model: LoadedModel, request: Request) -> Figures:
    """Accuracies on the cloze set; with a corpus also loss (nats), top-1 and top-5 where 15 % are masked,
    and `recipe_top1`, top-1 where they are corrupted as in BERT's training.

    Raises:
        InvalidInputError: a corpus for a model that is not built like BERT, whose head the objective runs in slices.
    """
    if request.corpus is None:
        return cloze_figures(model)
    if not isinstance(model.network, BertForMaskedLM):
        raise InvalidInputError(
            expected="a BERT to measure on a corpus",
            got=type(model.network).__name__,
            remedy="leave out --corpus; the cloze set works with every masked LM",
        )
    held_out = request.held_out(model)
    objective = MaskedLM(model.network, model.words.tokenizer)
    by_kind = {}
    for kind, share in KINDS.items():
        masked, recipe = (
            objective.evaluate(held_out, batches=request.batches, sentence_share=share, recipe=recipe)
            for recipe in (False, True)
        )
        by_kind[kind] = masked | {"recipe_top1": recipe["top1"]}
    model.network.eval()  # the objective leaves it ready to train
    return {"held_out_tokens": held_out.tokens} | by_kind | cloze_figures(model)


def measure_discriminator(model: LoadedModel, request: Request) -> Figures:
    """AUC, precision and recall at 0.5, losses (nats), reliability curve and its error, against its own generator."""
    held_out = request.held_out(model)
    generator = request.load(model.spec.id.replace("discriminator", "generator"))
    objective = ReplacedTokenDetection(generator.network, model.network, model.words.tokenizer)
    figures: Figures = {"generator": generator.spec.id, "held_out_tokens": held_out.tokens}
    for kind, share in KINDS.items():
        verdicts = objective.verdicts(held_out, batches=request.batches, sentence_share=share)
        curve = reliability(verdicts.logits.sigmoid().numpy(), verdicts.replaced.numpy())
        figures[kind] = verdicts.figures() | {
            "tokens": len(verdicts.replaced),
            "expected_calibration_error": expected_calibration_error(curve),
            "reliability": [asdict(one) for one in curve],
        }
    return figures


def measure_text_to_text(model: LoadedModel, request: Request) -> Figures:
    """Exact match a task on inputs that were never trained on; loss (nats) of span corruption on held-out articles."""
    held_out, encoder = request.held_out(model), Encoder(model.words.tokenizer)
    articles = read_articles(request.corpus) if request.corpus else ()
    material = gather(s for article in articles if not article.held_out for s in article.sentences())
    objective = TextToText(model.network, encoder)
    loss = objective.span_loss(TextToTextSource(held_out, encoder, material, 0), batches=request.batches)
    exact = {task: asdict(measured(objective.verdicts(pairs))) for task, pairs in held_out_by_task(material).items()}
    return {"held_out_tokens": held_out.tokens, "span_loss": loss, "exact_match": exact}


MEASURES: dict[str, Callable[[LoadedModel, Request], Figures]] = {
    "masked_lm": measure_masked_lm,
    "rtd_discriminator": measure_discriminator,
    "seq2seq": measure_text_to_text,
}
"""What is measured of a model, by its role in the catalog; a further role is a further row."""


def cloze_figures(model: LoadedModel) -> Figures:
    """Accuracies on the cloze set, over everything and by category, and what the model said where it missed."""
    result = score(load_cloze().items, predictor(model))
    missed = [{"text": o.item.text, "answer": o.item.answer, "said": o.top} for o in result.missed]
    by_category = {name: asdict(rates) for name, rates in result.by_category.items()}
    return {"cloze": {"overall": asdict(result.overall), "by_category": by_category, "missed": missed}}


def predictor(model: LoadedModel) -> Predict:
    """Let a masked LM take the cloze test."""

    def predict(text: str, words: Sequence[str]) -> Prediction:
        mask = fill_masks(text, model, top_k=5, asked=words).masks[0]
        normaliser = mask.log_normalisers[1.0]
        known = {w: c.logit - normaliser for w, c in zip(words, mask.asked, strict=True) if c is not None}
        return Prediction(tuple(_as_word(c, model) for c in mask.candidates), known)

    return predict


def _as_word(candidate: Candidate, model: LoadedModel) -> str:
    """A whole word as it is read, a piece of one with its mark, so that ##an never passes for an."""
    if model.words.single_token(candidate.token) == candidate.token_id:
        return candidate.token
    return str(model.words.tokenizer.convert_ids_to_tokens(candidate.token_id))


@torch.inference_mode()
def evaluate(model: str, request: Request) -> Figures:
    """Measure one model of the catalog.

    Raises:
        LectureError: the model is unknown or missing, its role has no measure, or the corpus cannot be used.
    """
    role = catalog.get(model).role
    if role not in MEASURES:
        raise InvalidInputError(expected=f"a model of role {', '.join(MEASURES)}", got=role, remedy="give another id")
    loaded = request.load(model)
    corpus = request.corpus and request.corpus.name
    made = {"model": model, "role": role, "revision": loaded.revision, "corpus": corpus, "held_out_tokens": None}
    return made | MEASURES[role](loaded, request)


def write(figures: Figures, path: Path) -> None:
    """Write the figures as JSON, whole or not at all.

    Raises:
        InvalidInputError: the place cannot be written.
    """
    partial = path.with_name(f"partial-{path.name}")
    try:
        partial.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as exc:
        partial.unlink(missing_ok=True)
        raise InvalidInputError(
            expected="a file that can be written", got=str(exc), remedy="give --out another path"
        ) from exc


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lecture_core.training.evaluate", description=__doc__)
    parser.add_argument("model", help="catalog id of a masked LM or a discriminator that is bundled or in the cache")
    parser.add_argument("--corpus", type=Path, help="the file whose held-out articles measure")
    parser.add_argument("--folder", type=Path, help="folder that holds the model's folder (default: as in the catalog)")
    parser.add_argument("--state", type=Path, default=Path("training-state"), help="keeps the tokenised corpus")
    parser.add_argument("--batches", type=int, default=BATCHES, help="batches of 4,096 tokens a kind of text")
    parser.add_argument("--out", type=Path, help="also write the figures here")
    return parser


def _command(options: argparse.Namespace) -> str:
    """The command that gives these figures again, in whatever folder the corpus lies."""
    parts = ["python", "-m", "lecture_core.training.evaluate", options.model]
    parts += ["--corpus", options.corpus.name] if options.corpus else []
    parts += ["--folder", str(options.folder)] if options.folder else []
    parts += ["--batches", str(options.batches)] if options.batches != BATCHES else []
    return shlex.join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, measure, print; returns the exit status."""
    options = _parser().parse_args(arguments)
    request = Request(options.corpus, options.batches, options.state / "tokens", options.folder)
    try:
        figures = evaluate(options.model, request) | {"command": _command(options)}
        print(json.dumps(figures, ensure_ascii=False))
        if options.out:
            write(figures, options.out)
    except LectureError as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
