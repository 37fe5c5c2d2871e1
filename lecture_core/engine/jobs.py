"""What the thread that owns a model computes: one job, or a batch in one forward pass, and who makes results of it.

On a GPU the askers do that on their own threads, in plain Python, while the next pass runs. On a CPU the owner does:
askers who compute beside a pass take its cores, and a batch of ten then lasts twice as long.
"""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from lecture_core import device as devices
from lecture_core.engine import batch_limits
from lecture_core.engine.batch_limits import BatchLimits
from lecture_core.engine.waiting import Ticket
from lecture_core.errors import ModelUnavailableError, forget_frames
from lecture_core.loading import LoadedModel
from lecture_core.stopping import stoppable

SHORT = 32  # tokens; all shorter texts may share a batch, longer ones only with those of the same power of two


@dataclass(eq=False)
class Job:
    """A piece of work; `length` is 0 where it is no request of one forward pass.

    `scores` marks a request that is read together with others that join it.
    """

    task: Any
    ticket: Ticket
    length: int = 0
    scores: bool = False
    future: "Future[tuple[Any, LoadedModel, float]]" = field(default_factory=Future)

    @property
    def first(self) -> bool:
        """Whether it is the instructor's."""
        return self.ticket.first

    @property
    def logits(self) -> int:
        """Positions whose logits are wanted."""
        return len(self.task.positions) if self.length else 0

    @property
    def bucket(self) -> int:
        """Texts of one bucket may share a pass: the power of two that holds them."""
        return (max(self.length, SHORT) - 1).bit_length() if self.length else 0


def owner_finishes(model: LoadedModel) -> bool:
    """Whether the owner's thread makes results of what a pass gave."""
    return model.device.name == "cpu"


def hand_over(job: Job, result: Any, model: LoadedModel, seconds: float) -> None:
    """Give an asker the result, made here or by the asker; what fails meanwhile is the asker's alone."""
    try:
        if job.length and owner_finishes(model):
            result = job.task.finish(result, model)
        job.future.set_result((result, model, seconds))
    except BaseException as exc:  # carried to the caller's thread, which raises it
        job.future.set_exception(exc)


def limits_of(model: LoadedModel) -> BatchLimits:
    """What a pass of a model may hold beside everything that is in memory now."""
    if (free := devices.free_bytes()) is None:
        return batch_limits.most(model.device, model.spec.parameters)
    return batch_limits.within(free, model.network.config, model.device)


def computed(jobs: list[Job], model: LoadedModel) -> list[Any]:
    """Compute one job, or a batch in one forward pass.

    Raises:
        ModelUnavailableError: the device's memory did not suffice.
    """
    import torch

    try:
        with stoppable(lambda: all(job.ticket.is_set() for job in jobs)):
            return _results(jobs, model)
    except (MemoryError, RuntimeError) as exc:
        if len(jobs) > 1 or not devices.ran_out_of_memory(exc):
            raise
        model.prefixes.clear()
        forget_frames(exc)  # they hold what the pass computed
        if model.device.name == "cuda":
            torch.cuda.empty_cache()
        raise ModelUnavailableError(
            f"{model.spec.title} ran out of memory. Shorten the text, or choose a smaller model."
        ) from exc


def _results(jobs: list[Job], model: LoadedModel) -> list[Any]:
    from lecture_core.forward import logits_at
    from lecture_core.scoring import score_together

    if jobs[0].scores:
        return list(score_together([job.task for job in jobs], model))
    return logits_at([job.task for job in jobs], model) if jobs[0].length else [jobs[0].task(model)]
