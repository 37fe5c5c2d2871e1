"""The full-size models that ours follow: what was published of them, and why ours are lower.

Lecture: recap, ELECTRA, text-to-text models. Numbers come from the published tables only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lecture_core.model_cards import ModelCard
from lecture_core.model_quality import LearningCurve
from lecture_core.quantities import count, power
from lecture_core.tables import TableMeta, load_table


@dataclass(frozen=True)
class PublishedScore:
    """A number of a published table as a reader sees it, with the table: `GLUE test`, `79.6`."""

    label: str
    value: str
    table: TableMeta


@dataclass(frozen=True)
class Original:
    """The full-size model that one of ours follows.

    Attributes:
        scores: numbers of published tables.
        why: why ours is lower, one or two sentences.
    """

    name: str
    scores: tuple[PublishedScore, ...]
    why: str


@dataclass(frozen=True)
class _Cell:
    """One cell of a published table: the row where all of `row` is so."""

    label: str
    table: str
    row: Mapping[str, str]
    column: str

    def read(self) -> PublishedScore:
        table = load_table(self.table)
        frame = table.frame
        for name, value in self.row.items():
            frame = frame[frame[name] == value]
        return PublishedScore(self.label, table.meta.column(self.column).show(frame[self.column].item()), table.meta)


_BERT, _ELECTRA, _T5 = {"system": "BERT-base"}, {"model": "ELECTRA-Small"}, {"model": "t5-small"}
_FINE_TUNED = (
    "Scores of papers come after fine-tuning on each task; ours measure what was pre-trained, so the two sides say how "
    "far each went and cannot be subtracted."
)
_ORIGINALS: Mapping[str, tuple[str, tuple[_Cell, ...], str]] = {
    "masked_lm": (
        "BERT-base",
        (
            _Cell("parameters", "electra_small", {"model": "BERT-Base"}, "parameters"),
            _Cell("tokens of text", "recap_data_sizes", {"field": "Text", "phase": "pre-training"}, "amount"),
            _Cell("GLUE test, average", "glue", _BERT, "average"),
            _Cell("MNLI-m, % right", "glue", _BERT, "mnli_m"),
            _Cell("SST-2, % right", "glue", _BERT, "sst2"),
        ),
        "Ours has {parameters} parameters and was trained on {tokens} tokens; {name} has {published[0]} and read a "
        "text of {published[1]}. " + _FINE_TUNED,
    ),
    "rtd_discriminator": (
        "ELECTRA-Small",
        (
            _Cell("parameters", "electra_small", _ELECTRA, "parameters"),
            _Cell("training, 1e18 FLOPs", "electra_small", _ELECTRA, "train_flops"),
            _Cell("GLUE dev, average", "electra_small", _ELECTRA, "glue_dev"),
            _Cell("GLUE test, trained longer", "electra_released", _ELECTRA, "glue_test"),
        ),
        "{name} is not larger, it was trained far longer: {published[1]}e18 FLOPs, ours about {flops} (6 times "
        "parameters times tokens). " + _FINE_TUNED,
    ),
    "seq2seq": (
        "T5-small",
        (_Cell("parameters", "t5_sizes", _T5, "parameters"),),
        "Ours has {parameters} parameters where {name} has {published[0]}, and was trained on {tokens} tokens only.",
    ),
}
"""Name, published cells and reason for each role of which we trained a model. Figures of the reason are filled in."""


def original(card: ModelCard, curve: LearningCurve | None) -> Original | None:
    """Return the published full-size model beside one of ours, with its numbers; None where there is none."""
    if card.spec.role not in _ORIGINALS or not card.is_ours or curve is None:
        return None
    name, cells, why = _ORIGINALS[card.spec.role]
    scores, size, tokens = tuple(cell.read() for cell in cells), card.spec.parameters, curve.tokens[-1]
    figures = {"parameters": count(size), "tokens": count(tokens), "flops": power(6 * size * tokens)}
    return Original(name, scores, why.format(name=name, published=[s.value for s in scores], **figures))
