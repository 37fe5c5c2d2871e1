"""What the pages ask in their default views, answered beforehand: shown while a model is being loaded, or when all
places are taken.

`python -m lecture_core.ui.first_views` opens every page, keeps what its models answered, and writes
`assets/runs/first_views.json.gz`. A kept result carries the badge "recorded", its day and the revision of the weights.
"""

import gzip
import hashlib
import json
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

from lecture_core.engine.protocol import Engine
from lecture_core.engine.results import GenerationChunk

FILE = Path(__file__).parents[2] / "assets" / "runs" / "first_views.json.gz"
COMMAND = "python -m lecture_core.ui.first_views"
LARGEST = 300_000  # characters of one kept result; a larger one is computed when it is asked for


@dataclass(frozen=True)
class Question:
    """A call of the engine with its inputs and settings; equal questions have equal answers."""

    call: str
    model: str
    inputs: Hashable

    @property
    def key(self) -> str:
        """Short hash under which the answer is kept."""
        return hashlib.sha256(repr((self.call, self.model, self.inputs)).encode()).hexdigest()[:20]


class FirstViews:
    """Kept answers; the file is read when the first one is asked for. Thread-safe.

    Args:
        path: the file; without it there are no answers.
    """

    def __init__(self, path: Path = FILE) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._kept: dict[str, Any] | None = None

    def answer(self, question: Question, *, stands_in: bool) -> Any:
        """Return the kept answer, marked as recorded; None where there is none.

        Args:
            stands_in: whether the live answer is being computed and will take its place.
        """
        kept = self._read().get("answers", {}).get(question.key)
        if kept is None:
            return None
        answer = _adapter(question.call).validate_json(json.dumps(kept))
        if question.call == "generate":
            return [self._recorded(chunk, stands_in) for chunk in answer]
        return self._recorded(answer, stands_in)

    def _recorded(self, result: Any, stands_in: bool) -> Any:
        made = getattr(result, "provenance", None)
        if made is None:
            return result
        source = f"recorded {self._read()['date']} by {COMMAND}"
        made = replace(made, kind="recorded", source=source, cached=False, stands_in=stands_in)
        return replace(result, provenance=made)

    def _read(self) -> dict[str, Any]:
        with self._lock:
            if self._kept is None:
                found = self._path.is_file()
                self._kept = json.loads(gzip.decompress(self._path.read_bytes())) if found else {}
            return self._kept


def save(answers: Mapping[Question, Any], *, date: str, path: Path = FILE) -> tuple[int, int]:
    """Write the answers that are small enough; returns how many were kept and how many not."""
    kept: dict[str, Any] = {}
    for question, answer in answers.items():
        text = _adapter(question.call).dump_json(answer).decode()
        if len(text) <= LARGEST:
            kept[question.key] = json.loads(text)
    text = json.dumps({"date": date, "answers": dict(sorted(kept.items()))}, ensure_ascii=False)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return len(kept), len(answers) - len(kept)


def _adapter(call: str) -> Any:
    from pydantic import TypeAdapter

    kind = list[GenerationChunk] if call == "generate" else get_type_hints(getattr(Engine, call))["return"]
    return TypeAdapter(kind)
