"""Where the models run and in which precision, with the reason; readable without importing torch."""

import os
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lecture_core.errors import InvalidInputError

CPU_WORK = 100_000_000_000  # tokens times parameters of one pass: about half a second on two cores


@dataclass(frozen=True)
class Device:
    """A device, the dtype of the weights on it, and why.

    Attributes:
        name: `cpu` or `cuda`.
        dtype: `float32` or `bfloat16`.
        reason: one sentence for the sidebar.
    """

    name: str
    dtype: str
    reason: str


@cache
def choose() -> Device:
    """Choose the device; imports torch only where a CUDA driver is present.

    `LECTURE_DEVICE` (cpu or cuda) overrides the choice.

    Raises:
        InvalidInputError: `LECTURE_DEVICE` is something else.
    """
    wanted = os.environ.get("LECTURE_DEVICE", "auto")
    if wanted not in ("auto", "cpu", "cuda"):
        raise InvalidInputError(
            expected="LECTURE_DEVICE cpu or cuda", got=wanted[:20], remedy="unset it to choose automatically"
        )
    if wanted == "cpu":
        return Device("cpu", "float32", "LECTURE_DEVICE asks for the CPU.")
    if _has_cuda_driver():
        import torch

        if torch.cuda.is_available():
            return Device("cuda", "bfloat16", f"{torch.cuda.get_device_name()} multiplies fastest in bfloat16.")
        return Device("cpu", "float32", "A GPU driver is here, but this build of torch has no CUDA.")
    return Device("cpu", "float32", "No CUDA GPU here. In float32, batched and single answers agree.")


def cpu_threads() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def tokens_at_once(device: str, parameters: int, most: int) -> int:
    """Return how many tokens one forward pass may hold so that on a CPU a stop is noticed in about half a second.

    Args:
        device: `cpu` or `cuda`.
        parameters: count of the model's.
        most: what it may hold anyway.
    """
    return most if device != "cpu" else max(1, min(most, CPU_WORK // max(1, parameters)))


_FULL = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "more than available memory",  # transformers, of a batch of streams
)


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch says that memory did not suffice; on a CPU it comes as a plain `RuntimeError`."""
    import torch

    full = isinstance(error, RuntimeError) and says_out_of_memory(str(error))
    return full or isinstance(error, MemoryError | torch.OutOfMemoryError)


def says_out_of_memory(message: str) -> bool:
    """Whether the message of an error says that memory did not suffice."""
    return any(words in message.lower() for words in _FULL)


def free_bytes() -> int | None:
    """Return the bytes of the card that new tensors may take; None on a CPU.

    What torch has taken of the card and no tensor holds is free too.
    """
    if choose().name != "cuda":
        return None
    import torch

    return int(torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated())


def memory_bytes() -> int | None:
    """Return the memory that models may use here: the card's on CUDA, else the machine's; None where unknown."""
    if choose().name == "cuda":
        import torch

        return int(torch.cuda.get_device_properties(0).total_memory)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None


def _has_cuda_driver() -> bool:
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None
