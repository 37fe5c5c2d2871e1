"""What is lost when constants are printed: digits of the exponents, and a table of the paper against its own formula.

Lecture: Chinchilla. Sources: Hoffmann et al. 2022, Tables 3 and A3; Besiroglu et al. 2024, which found the unrounded
constants in the paper's TeX source. Plain numbers; knows no page.
"""

from dataclasses import dataclass, replace

from lecture_core.scaling_input import above_zero
from lecture_core.scaling_laws import Law, training_flops
from lecture_core.tables import load_table

FACTOR_DIGITS = 4
"""Digits of A and B that the paper prints."""
_MISPRINT = 2.0  # a printed row whose FLOPs and 6ND differ by more than this factor


def with_exponent_digits(law: Law, digits: int) -> Law:
    """Return the law as a paper would print it that keeps so many digits of alpha and beta, and four of A and B.

    Args:
        digits: significant ones, 1 or more.
    """
    keep = int(above_zero(digits, "the number of digits"))
    a, b = _keep(law.A, FACTOR_DIGITS), _keep(law.B, FACTOR_DIGITS)
    return replace(law, A=a, B=b, alpha=_keep(law.alpha, keep), beta=_keep(law.beta, keep))


def _keep(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


@dataclass(frozen=True)
class AllocationRow:
    """One model size: what the paper's Approach 3 prints and what the formula gives.

    Attributes:
        parameters: N.
        printed_flops, printed_tokens: as the table has them.
        tokens: for which N is the best size, by the formula.
        flops: 6 N `tokens`.
    """

    parameters: float
    printed_flops: float
    printed_tokens: float
    tokens: float
    flops: float

    @property
    def is_misprint(self) -> bool:
        """Whether the printed FLOPs are far from six times printed parameters times printed tokens."""
        ratio = float(training_flops(self.parameters, self.printed_tokens)) / self.printed_flops
        return not 1 / _MISPRINT < ratio < _MISPRINT


def tokens_for_size(parameters: float, law: Law) -> float:
    """Return the tokens with which N is the best size: alpha A / N^alpha = beta B / D^beta, solved for D.

    Source: Hoffmann et al. 2022, equation 4.
    """
    n = above_zero(parameters, "the number of parameters").item()
    return float((law.beta * law.B / (law.alpha * law.A) * n**law.alpha) ** (1 / law.beta))


def allocation(law: Law) -> tuple[AllocationRow, ...]:
    """Return the sizes of the paper's table with its Approach 3 and with the formula under `law`.

    Source: Hoffmann et al. 2022, Table A3 (sizes as in Table 3).
    """
    frame = load_table("chinchilla_allocation").frame
    rows = zip(frame["parameters"], frame["flops_3"], frame["tokens_3"], strict=True)
    return tuple(_row(float(n), float(c), float(d), law) for n, c, d in rows)


def _row(n: float, printed_flops: float, printed_tokens: float, law: Law) -> AllocationRow:
    tokens = tokens_for_size(n, law)
    return AllocationRow(n, printed_flops, printed_tokens, tokens, float(training_flops(n, tokens)))
