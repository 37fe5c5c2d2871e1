"""The five constants of a scaling law, and the published ones.

Lecture: Scaling laws; Chinchilla. Sources: Hoffmann et al. 2022 (arXiv:2203.15556), Besiroglu et al. 2024
(arXiv:2404.10102). What follows from a law is in `scaling_laws`, which hands these names on.
"""

from dataclasses import dataclass, field, fields

import numpy as np

from lecture_core.scaling_input import above_zero

CHINCHILLA_FLOPS = 5.76e23
"""Compute budget of Gopher and Chinchilla, in FLOPs. Source: Hoffmann et al. 2022, Table 3."""


@dataclass(frozen=True)
class Law:
    """L(N, D) = E + A / N^alpha + B / D^beta, the loss in nats per token.

    Attributes:
        E: loss that no model gets below, the entropy of the text, in nats per token.
        A: size of the loss from having finitely many parameters.
        B: size of the loss from having seen finitely many tokens.
        alpha: how fast more parameters help.
        beta: how fast more tokens help.
        source: where the constants come from; empty for one's own.

    Raises:
        InvalidInputError: a constant is not a finite number above zero.

    Source: Hoffmann et al. 2022, equation 2.
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Refuse constants with which the formula means nothing."""
        for name, value in self.constants().items():
            above_zero(value, f"the constant {name}")

    def constants(self) -> dict[str, float]:
        """Return the five constants by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "source"}

    @property
    def size_exponent(self) -> float:
        """A in N ~ C^a, how the best size grows with compute: beta / (alpha + beta). Source: equation 4."""
        return self.beta / (self.alpha + self.beta)

    @property
    def token_exponent(self) -> float:
        """B in D ~ C^b, how the best number of tokens grows with compute: 1 - a. Source: equation 4."""
        return self.alpha / (self.alpha + self.beta)


HOFFMANN_PRINTED = Law(1.69, 406.4, 410.7, 0.34, 0.28, "Hoffmann et al. 2022, Approach 3, as printed")
HOFFMANN_UNROUNDED = Law(
    float(np.exp(0.5267228)),
    float(np.exp(6.0073404)),
    float(np.exp(6.0179186)),
    0.33917084,
    0.2849083,
    "Hoffmann et al. 2022, Approach 3, unrounded in the paper's TeX source",
)
EPOCH = Law(
    1.81686,
    482.00572,
    2085.43420,
    0.34781,
    0.36585,
    "Besiroglu et al. 2024, refit of Hoffmann's runs",
)
