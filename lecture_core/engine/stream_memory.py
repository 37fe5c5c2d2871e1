"""What a batch of streams takes of a device: keys and values, and what transformers keeps and computes beside them.

Counted as transformers counts before it allocates: the attention mask of all positions a step may read, the copies of
keys and values that attention works on, and the rows of logits grow with the cache or stand beside it.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lecture_core import device as devices
from lecture_core.loading import LoadedModel

if TYPE_CHECKING:
    from transformers import ContinuousBatchingConfig

STREAMS = 256  # at once; the others wait
PAGE_TOKENS = 32  # a beginning of so many equal tokens is shared
# Prompts are read in pieces of at most so many, less what the other streams write. Attention of a step is one matrix of
# its tokens by the tokens of all streams in it, masked: with 2048 each step beside a long prompt would last four times.
BATCH_TOKENS = 512
CACHE_TOKENS = 262_144
CACHE_SHARE = 0.3  # of the card's free memory, unless one whole context takes more
_ALIGNED = 128  # bytes: transformers rounds a block up to them


def settings(blocks: int) -> "ContinuousBatchingConfig":
    """How transformers batches streams here, with a cache of so many blocks of `PAGE_TOKENS` tokens."""
    from transformers import ContinuousBatchingConfig

    return ContinuousBatchingConfig(
        page_size=PAGE_TOKENS,
        num_blocks=blocks,
        max_batch_tokens=BATCH_TOKENS,
        max_requests_per_batch=STREAMS,
        max_blocks_per_request=0,  # the path for steps that only write needs flash attention
        max_memory_percent=0.9,  # a last check of what was counted already
        use_async_batching=False,
        # As transformers itself decides where attention needs a mask: padding each step to a captured size costs more.
        use_cuda_graph=False,
        # It would change the attention of the shared network, whose scores of trees need masks that flash cannot take.
        auto_switch_to_flash=False,
        return_logprobs=True,
    )


@dataclass(frozen=True)
class StreamMemory:
    """Bytes that the streams of one model take.

    Attributes:
        fixed: whatever the cache holds.
        block: for each block of `PAGE_TOKENS` tokens in the cache.
        whole: tokens of one whole context, and a little more; a smaller cache is of no use.
        many: tokens beyond which a larger cache is of no use.
    """

    fixed: int
    block: int
    whole: int
    many: int

    @property
    def least(self) -> int:
        """Bytes with room for one whole context."""
        return self._of(self.whole)

    @property
    def most(self) -> int:
        """Bytes that are of use now: on a card, a share of what is free."""
        free = devices.free_bytes()
        many = self._of(self.many)
        return max(self.least, many if free is None else min(many, int(CACHE_SHARE * free)))

    def blocks(self, lent: int) -> int:
        """How many blocks of the cache so many bytes hold."""
        return (lent - self.fixed) // self.block

    def _of(self, tokens: int) -> int:
        return self.fixed + math.ceil(tokens / PAGE_TOKENS) * self.block


def of_model(model: LoadedModel) -> StreamMemory:
    """Count what the streams of a decoder take."""
    from transformers.generation.continuous_batching.cache import PagedAttentionMemoryHandler, group_layers_by_attn_type

    config, network = model.network.config.get_text_config(), model.network
    block = PAGE_TOKENS * _token_bytes(config, network.dtype.itemsize)
    sector = math.ceil(block / _ALIGNED) * _ALIGNED
    counted = PagedAttentionMemoryHandler(
        config=config,
        cb_config=settings(1),
        dtype=network.dtype,
        bytes_per_sector=sector,
        tokens_per_sector=PAGE_TOKENS,
        bytes_per_block=block,
        attn_types=list(group_layers_by_attn_type(config)),
        model_supports_logits_to_keep=network._supports_logits_to_keep(),
    )
    fixed, one = (counted.compute_memory_footprint(BATCH_TOKENS, blocks) for blocks in (0, 1))
    whole = model.spec.context_length + 2 * PAGE_TOKENS
    many = max(whole, CACHE_TOKENS) if model.device.name == "cuda" else 4 * whole
    return StreamMemory(fixed, one - fixed, whole, many)


def _token_bytes(config: Any, width: int) -> int:
    """What the keys and values of one token take."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return 2 * int(config.num_hidden_layers) * int(heads) * int(size) * width
