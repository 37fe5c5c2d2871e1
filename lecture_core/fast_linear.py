"""Matrix products of a model on a CPU through oneDNN, where that is faster than what torch takes by itself.

torch sends float32 matrix products to Intel's MKL, which leaves about half of the speed of some processors unused
(AVX-512 of AMD's, for one). oneDNN is part of torch too. Which of the two is faster here is measured once, in about a
tenth of a second; the sums are the same up to rounding.
"""

import statistics
import time
from functools import cache
from typing import Any

import torch
from torch.nn import functional as F
from transformers.pytorch_utils import Conv1D

WIDE = 8192  # output features from which oneDNN also takes a single row; MKL reads a narrow matrix as fast
MANY = 128  # rows from which it pays
STEPS = ((1024, 64), (10**9, 256))  # up to so many rows they are filled up to a multiple of the second number
SHAPE = (128, 576, 1536)  # rows, input and output features of the measurement: a layer of the bundled models


class OneDnnLinear(torch.nn.Linear):
    """A linear layer whose product is oneDNN's. It has no gradient, so a model in training goes the usual way."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (..., in features) to (..., out features)."""
        if _pays(x, self.out_features):
            return _product(x, self.weight, self.bias)
        return super().forward(x)


class OneDnnConv1D(Conv1D):
    """The same for GPT-2's linear layers, whose weight is (in features, out features)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (..., in features) to (..., out features)."""
        if _pays(x, self.nf):
            return _product(x, self.weight.t(), self.bias)
        result: torch.Tensor = super().forward(x)
        return result


FASTER = {torch.nn.Linear: OneDnnLinear, Conv1D: OneDnnConv1D}


def hasten(network: torch.nn.Module) -> None:
    """Let all linear layers of a float32 model on the CPU use the faster product; parameters and results stay."""
    if not one_dnn_is_faster():
        return
    for module in network.modules():
        if type(module) in FASTER and module.weight.dtype == torch.float32 and module.weight.device.type == "cpu":
            module.__class__ = FASTER[type(module)]


@cache
def one_dnn_is_faster() -> bool:
    """Whether oneDNN multiplies a layer of usual size faster than torch's own way on this machine."""
    if not torch.backends.mkldnn.is_available():
        return False
    rows, inputs, outputs = SHAPE
    x, weight = torch.randn(rows, inputs), torch.randn(outputs, inputs)
    with torch.inference_mode():
        ours = _median_seconds(lambda: _product(x, weight, None))
        return ours < 0.9 * _median_seconds(lambda: F.linear(x, weight))


def _pays(x: torch.Tensor, outputs: int) -> bool:
    rows = x.numel() // x.shape[-1]
    return (rows >= MANY or (rows == 1 and outputs >= WIDE)) and not torch.is_grad_enabled()


def _product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """Multiply (..., inputs) with (outputs, inputs). Rows are filled up with zeros to few different numbers.

    oneDNN compiles a program for each number of rows and keeps it, half a megabyte a layer: left alone, texts of all
    lengths would fill the memory.
    """
    rows = x.reshape(-1, x.shape[-1])
    count = len(rows)
    step = next(step for most, step in STEPS if count <= most) if count > 1 else 1
    filled = F.pad(rows, (0, 0, 0, -count % step))
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(filled, weight, bias, "none", [], "")
    return result[:count].reshape(*x.shape[:-1], len(weight))


def _median_seconds(compute: Any, *, times: int = 15) -> float:
    compute(), compute()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        compute()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
