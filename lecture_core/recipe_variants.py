"""Recorded comparison of masked-LM recipes: `assets/runs/masked_lm_variants.csv`, one finished run a row.

Lecture: recap of pre-training, RoBERTa (what was trained how matters). Every variant changes one thing of the recipe of
`minilm-mlm` and sees as many tokens. Written by `python -m lecture_core.training masked_lm_variants`. Knows no model.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lecture_core.model_quality import RATES, RateGroup
from lecture_core.provenance import Provenance
from lecture_core.run_tables import FOLDER, append_row, read_rows
from lecture_core.statistics import rate_of

MODEL = "minilm-mlm"
RECORDED = FOLDER / "masked_lm_variants.csv"
COMMAND = "python -m lecture_core.training masked_lm_variants --corpus FILE --tokens 1.5e6"


@dataclass(frozen=True)
class VariantRun:
    """One variant trained once.

    Attributes:
        variant: what differs from the recipe, in words; `recipe` for the recipe itself.
        mask_rate: share of the tokens that carried loss.
        body_rate: learning rate of the encoder.
        sentence_share: share of the batches that were single sentences, the others packed blocks.
        start: `encoder` (MiniLM with a head that starts as the identity), `new head` or `nothing`.
        tokens: trained on, padding counted.
        sentences_loss, blocks_loss: on held-out articles, nats per masked token.
        sentences_top1, blocks_top1: share of the masked tokens of held-out articles that it ranks first.
        cloze_rank1, cloze_top5: right sentences of the cloze set.
        cloze_n: sentences asked.
        seconds: of training and measuring.
        date: day of the run, as 2026-11-23.
        device: where, and the type of the matrix products.
    """

    variant: str
    mask_rate: float
    body_rate: float
    sentence_share: float
    start: str
    seed: int
    tokens: int
    sentences_loss: float
    sentences_top1: float
    blocks_loss: float
    blocks_top1: float
    cloze_rank1: int
    cloze_top5: int
    cloze_n: int
    seconds: float
    date: str
    device: str

    def __post_init__(self) -> None:
        """Refuse impossible figures."""
        if not 0 <= self.cloze_rank1 <= self.cloze_top5 <= self.cloze_n:
            raise ValueError("expected counts within the cloze set")
        if min(self.tokens, self.sentences_loss, self.blocks_loss) <= 0:
            raise ValueError("expected tokens and losses above 0")

    @property
    def label(self) -> str:
        """Its name beside the others."""
        return self.variant if not self.seed else f"{self.variant}, seed {self.seed}"


def load(path: Path = RECORDED) -> tuple[VariantRun, ...]:
    """Return the recorded runs in the order they were made; none where none was recorded yet.

    Raises:
        RunError: a row breaks the format; names file and row.
    """
    return tuple(read_rows(path, VariantRun))


def append(run: VariantRun, path: Path = RECORDED) -> None:
    """Add a finished run to the file, in one write.

    Raises:
        LectureError: the file cannot be written.
    """
    append_row(asdict(run), path)


def groups(runs: Sequence[VariantRun]) -> tuple[RateGroup, ...]:
    """Return the rates on the cloze set with their 95 % intervals, a group a run."""
    return tuple(
        RateGroup(
            run.label,
            {
                RATES["rank1"]: rate_of(run.cloze_rank1, run.cloze_n),
                RATES["top5"]: rate_of(run.cloze_top5, run.cloze_n),
            },
        )
        for run in runs
    )


def chance(runs: Sequence[VariantRun]) -> int | None:
    """Return by how many cloze sentences runs of one variant differ that differ in the seed; None without such runs."""
    found: dict[str, list[int]] = {}
    for run in runs:
        found.setdefault(run.variant, []).append(run.cloze_top5)
    return max((max(right) - min(right) for right in found.values() if len(right) > 1), default=None)


def provenance(runs: Sequence[VariantRun]) -> Provenance:
    """Where the runs come from, for the caption under them."""
    source = f"{len(runs)} runs on {runs[-1].device} · recorded {runs[-1].date} by {COMMAND}"
    return Provenance(kind="recorded", source=source)
