"""Over-training: the cheapest model of a wanted quality, when it must also be served.

Lecture: open-weight models. Training costs 6 N D FLOPs, reading or writing a token later 2 N; the more tokens are
served, the smaller and the longer trained is the cheapest model. Source: Sardana et al. 2024, section 2
(arXiv:2401.00448). N parameters and D tokens are counts, losses nats a token, money in whatever unit the price has.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from lecture_core.errors import InvalidInputError
from lecture_core.reporting import tokens_for_size
from lecture_core.scaling_input import above_zero
from lecture_core.scaling_laws import Law, overtraining_cost, predict_loss

_DECADES = 6.0  # how far the search goes to either side, in powers of ten of N above the smallest possible


@dataclass(frozen=True)
class Prices:
    """What a FLOP costs in training and in serving.

    Attributes:
        hour: price of one accelerator for an hour.
        peak_flops: its peak, FLOPs a second.
        training_utilisation, serving_utilisation: share of the peak that is reached, in (0, 1].
    """

    hour: float = 2.0
    peak_flops: float = 989e12
    training_utilisation: float = 0.4
    serving_utilisation: float = 0.1

    def __post_init__(self) -> None:
        """Refuse prices and shares that mean nothing."""
        for name in ("hour", "peak_flops", "training_utilisation", "serving_utilisation"):
            above_zero(getattr(self, name), name.replace("_", " "))
        for share in (self.training_utilisation, self.serving_utilisation):
            if share > 1:
                raise InvalidInputError(
                    expected="a utilisation of at most 1", got=f"{share:g}", remedy="0.4 is good for training"
                )

    @property
    def training(self) -> float:
        """Price of a FLOP in training."""
        return self.hour / 3600 / (self.peak_flops * self.training_utilisation)

    @property
    def serving(self) -> float:
        """Price of a FLOP in serving."""
        return self.hour / 3600 / (self.peak_flops * self.serving_utilisation)


FLOPS_ALONE = Prices(3600.0, 1.0, 1.0, 1.0)
"""Prices under which a cost is a number of FLOPs."""


@dataclass(frozen=True)
class Rates:
    """The price of a FLOP in training and in serving, however it was found."""

    training: float
    serving: float


def served_at(token_price: float, prices: Prices) -> Rates:
    """Return prices with a measured serving: a token costs so much a parameter, which the theory counts as 2 FLOPs.

    Args:
        token_price: price of one token and parameter, as `serving_speed.token_price` returns it.
        prices: of the training.
    """
    return Rates(prices.training, above_zero(token_price, "the price of a token").item() / 2)


@dataclass(frozen=True)
class Plan:
    """A model of the wanted loss and what it costs.

    Attributes:
        training, serving: cost of each part.
    """

    parameters: float
    tokens: float
    loss: float
    training: float
    serving: float

    @property
    def cost(self) -> float:
        """Both parts together."""
        return self.training + self.serving

    @property
    def tokens_per_parameter(self) -> float:
        """D / N."""
        return self.tokens / self.parameters


def tokens_for(parameters: ArrayLike, loss: float, law: Law) -> NDArray[np.float64]:
    """Tokens that a model of N parameters needs to reach `loss`; infinite where it never does.

    Inverts L(N, D) = E + A / N^alpha + B / D^beta for D.
    """
    room = loss - law.E - law.A / np.power(np.asarray(parameters, float), law.alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(room > 0, np.power(law.B / np.where(room > 0, room, 1.0), 1 / law.beta), np.inf)


def smallest(loss: float, law: Law) -> float:
    """The number of parameters that reaches `loss` only with endless tokens.

    Raises:
        InvalidInputError: no model reaches it, since it is not above E.
    """
    room = loss - law.E
    if not room > 0:
        raise InvalidInputError(
            expected=f"a loss above E = {law.E:g}",
            got=f"{loss:g}",
            remedy="no model gets below the entropy of the text",
        )
    return float((law.A / room) ** (1 / law.alpha))


def plan(parameters: float, loss: float, served: float, law: Law, prices: Prices | Rates = FLOPS_ALONE) -> Plan:
    """The cost of reaching `loss` with a model of N parameters and of serving `served` tokens with it."""
    tokens = float(tokens_for(parameters, loss, law))
    costs = overtraining_cost(parameters, tokens, served, training=prices.training, serving=prices.serving)
    return Plan(parameters, tokens, loss, *map(float, costs))


def cheapest(loss: float, served: float, law: Law, prices: Prices | Rates = FLOPS_ALONE) -> Plan:
    """The model of the wanted loss whose training and serving together cost least.

    Args:
        loss: wanted, nats a token; above E.
        served: tokens that it will read and write in its life; 0 for a model that is only trained.

    Raises:
        InvalidInputError: no model reaches the loss, or `served` is negative or not a number.
    """
    if not (math.isfinite(served) and served >= 0):
        raise InvalidInputError(expected="0 or more tokens", got=f"{served:g}", remedy="give a number such as 1e12")
    low = math.log(smallest(loss, law))
    found = minimize_scalar(
        lambda log_n: math.log(plan(math.exp(log_n), loss, served, law, prices).cost),
        bounds=(low + 1e-6, low + _DECADES * math.log(10)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return plan(math.exp(float(found.x)), loss, served, law, prices)


def quality_of(parameters: float, law: Law) -> float:
    """The loss of a model of N parameters trained with the compute for which N is the best split.

    On the frontier alpha A / N^alpha = beta B / D^beta (Hoffmann et al. 2022, equation 4).
    """
    return float(predict_loss(parameters, tokens_for_size(parameters, law), law))
