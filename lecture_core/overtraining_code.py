"""The few lines of numpy and scipy that give the over-training lab's numbers again, for the code drawer."""

from lecture_core.scaling_laws import Law

_CODE = """import numpy as np
from scipy.optimize import minimize_scalar

E, A, B, alpha, beta = {E!r}, {A!r}, {B!r}, {alpha!r}, {beta!r}
size, served = {size!r}, {served!r}  # as good as a Chinchilla-optimal model of this size; tokens served

# On Chinchilla's frontier both terms fall equally fast: alpha A / N^alpha = beta B / D^beta
best_split_tokens = (beta * B / (alpha * A) * size**alpha) ** (1 / beta)
loss = E + A / size**alpha + B / best_split_tokens**beta


def tokens(n):
    return (B / (loss - E - A / n**alpha)) ** (1 / beta)


def cost(log_n):
    n = np.exp(log_n)
    return np.log(6 * n * tokens(n) + 2 * n * served)


low = np.log((A / (loss - E)) ** (1 / alpha))
n = np.exp(minimize_scalar(cost, bounds=(low + 1e-6, low + 14), method="bounded").x)
print(f"loss {{loss:.3f}}: {{n:.3g}} parameters, {{tokens(n):.3g}} tokens, {{tokens(n) / n:.0f}} a parameter")
"""


def code(law: Law, size: float, served: float) -> str:
    """Return a program that prints the cheapest model in FLOPs.

    Args:
        size: parameters of the Chinchilla-optimal model whose loss is wanted.
        served: tokens served in its life.
    """
    return _CODE.format(**law.constants(), size=size, served=served)
