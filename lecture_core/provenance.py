"""Where a number on screen comes from: computed now, recorded by a command of ours, or published."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["live", "recorded", "published"]


@dataclass(frozen=True)
class Provenance:
    """What it takes to get the same result again.

    Attributes:
        model: catalog id; empty for a formula.
        revision: short hash of the weights, or the version of the file they came in.
        device: `cpu` or `cuda`.
        dtype: `float32`, `bfloat16`, or the quantisation of a GGUF file.
        seed: seed of the sampling; None where nothing is drawn.
        seconds: wall-clock time of the computation, waiting excluded.
        cached: whether the result was computed for an earlier request; `seconds` are those it took then.
        source: citation of a published number, command of a recorded one.
        stands_in: whether a recorded result is shown only until the live one comes.
    """

    model: str = ""
    revision: str = ""
    device: str = "cpu"
    dtype: str = ""
    seed: int | None = None
    seconds: float = 0.0
    kind: Kind = "live"
    source: str = ""
    cached: bool = field(default=False, compare=False)
    stands_in: bool = field(default=False, compare=False)

    def caption(self) -> str:
        """Return the line under a result: `minilm-mlm · rev 3f2a · CPU float32 · seed 7 · 0.03 s`."""
        parts = [
            self.model,
            f"rev {self.revision}" if self.revision else "",
            f"{self.device.upper()} {self.dtype}".strip() if self.model else "",
            "" if self.seed is None else f"seed {self.seed}",
            f"{self.seconds:.2f} s" if self.seconds else "",
            "computed before (cached)" if self.cached else "",
            self.source,
        ]
        return " · ".join(part for part in parts if part)
