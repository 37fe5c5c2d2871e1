"""The scaling laws of 2020, to stand beside Chinchilla's: by parameters, tokens, compute, and how compute was split.

Lecture: Scaling laws. Source: Kaplan et al. 2020 (arXiv:2001.08361), equations 1.1 to 1.5 and their tables; the best
size at one PF-day as later work quotes it from appendix A.

What is not comparable with Chinchilla's law: Kaplan's N counts parameters without embeddings, and its compute is 6 N D
of those; its loss is that of other text in other tokens, so the two losses share a unit but no zero; its runs had at
most 1.5B parameters and one learning-rate schedule for all lengths; there is no floor E, so the loss would fall to 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lecture_core.scaling_input import above_zero

PF_DAY = 8.64e19
"""FLOPs of a day at 1e15 a second."""


@dataclass(frozen=True)
class PowerLaw:
    """(scale / x)^exponent, a loss in nats per token.

    Attributes:
        scale: where the loss would be 1 nat per token.
    """

    scale: float
    exponent: float

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the loss at `x`, which is above zero."""
        return np.asarray((self.scale / above_zero(x, "parameters, tokens or compute")) ** self.exponent)


LOSS_BY_SIZE = PowerLaw(8.8e13, 0.076)
"""L(N) with tokens without end, N without embeddings. Source: equation 1.1."""
LOSS_BY_TOKENS = PowerLaw(5.4e13, 0.095)
"""L(D) of a large model that stops early. Source: equation 1.2."""
LOSS_BY_COMPUTE = PowerLaw(3.1e8 * PF_DAY, 0.050)
"""L(C_min) of the best size at each compute, C in FLOPs. Source: equation 1.3."""


@dataclass(frozen=True)
class KaplanLaw:
    """L(N, D) = [(N_c / N)^(alpha_N / alpha_D) + D_c / D]^alpha_D, and the best size N_e C^size_exponent.

    Attributes:
        size_scale, token_scale: N_c and D_c.
        alpha_n, alpha_d: exponents.
        best_size: N_e, the best number of parameters at one PF-day.
        size_exponent: how the best size grows with compute.

    Source: equation 1.5 with Table 2; the best size: section 6.1 and the summary of appendix A.
    """

    size_scale: float
    token_scale: float
    alpha_n: float
    alpha_d: float
    best_size: float
    size_exponent: float

    def loss(self, parameters: ArrayLike, tokens: ArrayLike) -> NDArray[np.float64]:
        """Return the loss in nats per token of N parameters, without embeddings, after D tokens.

        Source: equation 1.5.
        """
        n, d = above_zero(parameters, "the number of parameters"), above_zero(tokens, "the number of tokens")
        small, short = (self.size_scale / n) ** (self.alpha_n / self.alpha_d), self.token_scale / d
        return np.asarray((small + short) ** self.alpha_d)

    def frontier(self, flops: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return parameters, tokens and loss that were thought best for each budget; tokens are C / 6N.

        Source: N = N_e C^0.73 with C in PF-days (appendix A), loss by compute (equation 1.3).
        """
        budget = above_zero(flops, "compute in FLOPs")
        n = self.best_size * (budget / PF_DAY) ** self.size_exponent
        return n, budget / (6 * n), LOSS_BY_COMPUTE(budget)


KAPLAN = KaplanLaw(6.4e13, 1.8e13, 0.076, 0.103, best_size=1.3e9, size_exponent=0.73)
"""The constants of 2020."""
