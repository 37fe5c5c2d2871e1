"""Published models on the plane of parameters and tokens: the lecture's table and the open-weight models after it.

Lecture: Scaling laws (table of model sizes and tokens); recent models are trained for much longer. The numbers live in
assets/scaling/models.csv with their sources.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lecture_core.errors import InvalidInputError, TableError
from lecture_core.scaling_input import above_zero

MODELS_FILE = Path(__file__).parents[1] / "assets" / "scaling" / "models.csv"
_COLUMNS = ("name", "family", "parameters", "active_parameters", "tokens", "year", "lecture_table", "source", "url")


@dataclass(frozen=True)
class ModelPoint:
    """A trained model.

    Attributes:
        name: with its size, `Chinchilla 70B`.
        family: models trained alike, `Llama 3`.
        parameters: all of them, a count.
        active_parameters: those that compute on each token; fewer than `parameters` in a mixture of experts.
        tokens: seen in pre-training, a count.
        year: of publication.
        lecture_table: whether the lecture's table lists it.
        source: citation of size and tokens.
        url: where to read it.
    """

    name: str
    family: str
    parameters: float
    active_parameters: float
    tokens: float
    year: int
    lecture_table: bool
    source: str
    url: str

    @property
    def tokens_per_parameter(self) -> float:
        """D / N over all parameters."""
        return self.tokens / self.parameters

    @property
    def is_mixture(self) -> bool:
        """Whether only some of the parameters compute on each token."""
        return self.active_parameters < self.parameters


@cache
def load_models(path: Path = MODELS_FILE) -> tuple[ModelPoint, ...]:
    """Return the models in the order of the file.

    Raises:
        TableError: a column is missing or a cell is not what its column takes; names file, row and column.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise TableError(f"{path.name}, header: expected {', '.join(_COLUMNS)}; got {reader.fieldnames}.")
        return tuple(_point(row, f"{path.name}, row {number}") for number, row in enumerate(reader, start=2))


def named(name: str) -> ModelPoint | None:
    """Return the model of this name, however its spaces and hyphens are written: `Llama-3 8B` is `Llama 3 8B`."""
    return next((model for model in load_models() if _letters(model.name) == _letters(name)), None)


def _letters(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum() or character == ".")


def _point(row: dict[str, str], place: str) -> ModelPoint:
    for column in _COLUMNS:
        if not row[column]:
            raise TableError(f"{place}, column {column}: the cell is empty.")
    if row["lecture_table"] not in ("yes", "no"):
        raise TableError(f"{place}, column lecture_table: expected yes or no; got {row['lecture_table']}.")
    total, active, tokens = (_count(row, name, place) for name in ("parameters", "active_parameters", "tokens"))
    if active > total:
        raise TableError(f"{place}, column active_parameters: {active:g} is more than all {total:g} parameters.")
    return ModelPoint(
        name=row["name"],
        family=row["family"],
        parameters=total,
        active_parameters=active,
        tokens=tokens,
        year=int(_count(row, "year", place)),
        lecture_table=row["lecture_table"] == "yes",
        source=row["source"],
        url=row["url"],
    )


def _count(row: dict[str, str], column: str, place: str) -> float:
    try:
        return float(above_zero(row[column], f"the {column}"))
    except InvalidInputError as error:
        raise TableError(f"{place}, column {column}: {error}") from error
