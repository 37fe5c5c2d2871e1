"""How much one forward pass may hold: enough to fill the processor, and no more than the memory that is free takes."""

from dataclasses import dataclass, replace
from typing import Any

from lecture_core.device import Device, tokens_at_once

SHARE = 0.25  # of the free memory of a card for one pass; the key-value cache of the streams takes more of it
_LOGIT_BYTES = 4  # of one logit: two as the model gives it, and once more where requests of several kinds are parted


@dataclass(frozen=True)
class BatchLimits:
    """Limits of one forward pass.

    Attributes:
        tokens: of all its texts, padding counted.
        logits: positions whose logits are wanted: 512 take 100 MB on a CPU.
    """

    tokens: int
    logits: int


MOST = {"cpu": BatchLimits(2048, 512), "cuda": BatchLimits(65_536, 8192)}


def most(device: Device, parameters: int = 0) -> BatchLimits:
    """The limits by the speed of a device; more in one pass gains nothing, and on a CPU nobody can stop it for long.

    Args:
        parameters: count of the model's.
    """
    top = MOST[device.name]
    return replace(top, tokens=tokens_at_once(device.name, parameters, top.tokens))


def within(free: int, config: Any, device: Device) -> BatchLimits:
    """The limits of a model whose weights are in memory already; a single text is read whatever they are.

    Args:
        free: bytes of the card that nothing takes yet.
        config: the model's, in transformers' names.
    """
    config, room, top = config.get_text_config(), SHARE * free, most(device)
    hidden = int(config.hidden_size)
    inner = int(getattr(config, "intermediate_size", None) or 4 * hidden)
    token_bytes = 2 * (8 * hidden + 3 * inner)  # of one layer: its input, attention and gated inner layer, in bfloat16
    return BatchLimits(
        tokens=max(1, min(top.tokens, int(room / token_bytes))),
        logits=max(1, min(top.logits, int(room / (_LOGIT_BYTES * int(config.vocab_size))))),
    )
