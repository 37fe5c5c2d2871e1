"""One way to spend compute, judged by a scaling law: its loss, the best split of the same compute, the gap, the code.

Lecture: Scaling laws ("how to optimally allocate compute: model parameters against dataset size").
"""

from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent

import numpy as np

from lecture_core.quantities import count, power, three_digits
from lecture_core.scaling_input import above_zero, finite_result
from lecture_core.scaling_laws import (
    CHINCHILLA_FLOPS,
    EPOCH,
    HOFFMANN_PRINTED,
    HOFFMANN_UNROUNDED,
    ComputeOptimal,
    Law,
    compute_optimal,
    training_flops,
)
from lecture_core.scaling_models import ModelPoint

PUBLISHED_LAWS = {"Epoch": EPOCH, "Printed": HOFFMANN_PRINTED, "Unrounded": HOFFMANN_UNROUNDED}
"""Fits of the same runs by id: the refit of 2024, the paper's digits rounded and unrounded."""
SHOWN_NAMES = {"Epoch": "Refit 2024", "Printed": "As printed", "Unrounded": "More digits"}
"""What a page calls each of them."""


@dataclass(frozen=True)
class LossTerms:
    """The three terms of the loss, each in nats per token.

    Attributes:
        floor: E, which no model gets below.
        from_parameters: A / N^alpha, what more parameters would take away.
        from_tokens: B / D^beta, what more tokens would take away.
    """

    floor: float
    from_parameters: float
    from_tokens: float

    @property
    def loss(self) -> float:
        """Sum of the terms."""
        return self.floor + self.from_parameters + self.from_tokens


def loss_terms(parameters: float, tokens: float, law: Law) -> LossTerms:
    """Return the loss of one model split into floor, parameter term and token term. Source: as `predict_loss`."""
    n, d = above_zero(parameters, "the number of parameters"), above_zero(tokens, "the number of tokens")
    with np.errstate(over="ignore", under="ignore"):
        terms = finite_result(np.array([law.A * n**-law.alpha, law.B * d**-law.beta]), "the loss")
    return LossTerms(law.E, *terms.tolist())


@dataclass(frozen=True)
class Split:
    """A model's size and training data under a law.

    Attributes:
        parameters: N, a count.
        tokens: D, a count.
        law: the constants that judge it.
    """

    parameters: float
    tokens: float
    law: Law

    @cached_property
    def flops(self) -> float:
        """Compute of the training run, 6 N D."""
        return float(training_flops(self.parameters, self.tokens))

    @cached_property
    def terms(self) -> LossTerms:
        """Loss in nats per token, by term."""
        return loss_terms(self.parameters, self.tokens, self.law)

    @cached_property
    def best(self) -> ComputeOptimal:
        """The split of the same compute with the lowest loss."""
        return compute_optimal(self.flops, self.law)

    @property
    def gap(self) -> float:
        """Loss above that of the best split, in nats per token; never below zero."""
        return max(0.0, self.terms.loss - self.best.loss)

    @property
    def tokens_per_parameter(self) -> float:
        """D / N."""
        return self.tokens / self.parameters


def best_place(model: ModelPoint, law: Law) -> Split:
    """Return a published model as a split: its `best` is where it should be for the same compute.

    A mixture of experts counts with the parameters that compute on each token.
    """
    return Split(model.active_parameters, model.tokens, law)


def moved(model: ModelPoint, law: Law) -> str:
    """Return two sentences: where a model is, and where it should be for the same compute."""
    place = best_place(model, law)
    best = place.best
    return (
        f"{model.name} spent {power(place.flops)} FLOPs on {count(place.parameters)} "
        f"{'active ' if model.is_mixture else ''}parameters and {count(place.tokens)} tokens. Its compute-optimal "
        f"place, the star: {count(best.parameters)} parameters, {count(best.tokens)} tokens; the loss there is "
        f"{place.gap:.3f} nats per token lower under these constants."
    )


@dataclass(frozen=True)
class Implied:
    """What a published fit says about one budget."""

    name: str
    best: ComputeOptimal
    source: str


def implied_by_published(flops: float = CHINCHILLA_FLOPS) -> tuple[Implied, ...]:
    """Return the best split of a budget under each published fit, computed now."""
    return tuple(
        Implied(SHOWN_NAMES[name], compute_optimal(flops, law), law.source) for name, law in PUBLISHED_LAWS.items()
    )


def verdict(split: Split) -> str:
    """Return one sentence: on which side of the best split this one lies, and what that costs."""
    best, ratio = split.best, split.parameters / split.best.parameters
    if split.gap < 5e-4:
        return "This split is as good as the best one: the valley is flat."
    side = "too large for its tokens" if ratio > 1 else "smaller than the best, and trained for longer"
    return (
        f"This model is {side}: {three_digits(max(ratio, 1 / ratio))} times "
        f"{'more' if ratio > 1 else 'fewer'} parameters than the best {count(best.parameters)}; "
        f"the loss is {split.gap:.3f} nats per token higher at the same compute."
    )


def code(split: Split) -> str:
    """Return plain Python, without any package, that prints the numbers shown for a split."""
    names = ", ".join(split.law.constants())
    values = ", ".join(_literal(value) for value in split.law.constants().values())
    return dedent(f"""\
        {names} = {values}
        N, D = {_literal(split.parameters)}, {_literal(split.tokens)}  # parameters, tokens


        def loss(N, D):
            return E + A / N**alpha + B / D**beta  # nats per token


        C = 6 * N * D  # FLOPs of training
        G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
        best_N = G * (C / 6) ** (beta / (alpha + beta))
        best_D = C / (6 * best_N)
        print(f"compute {{C:.3g}} FLOPs, loss {{loss(N, D):.4f}}, {{D / N:.3g}} tokens per parameter")
        print(f"best: N = {{best_N:.3g}}, D = {{best_D:.3g}}, {{best_D / best_N:.3g}} tokens per parameter")
        print(f"gap to the best loss {{loss(N, D) - loss(best_N, best_D):.4f}} nats per token")
        """)


def _literal(value: float) -> str:
    return f"{value:.9g}".replace("e+", "e")
