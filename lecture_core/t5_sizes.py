"""T5's five published sizes: parameters counted from the shape, and the memory that running one takes.

Lecture: text-to-text models. Source: Raffel et al. 2020, section 3.7 (arXiv:1910.10683), and the released
configurations. Loads no model.
"""

from dataclasses import dataclass

VOCABULARY = 32_128
"""Rows of the embedding: 32,000 pieces, 100 sentinels, padded to a multiple of 128."""
_BUCKETS = 32  # of the relative position bias, learned once for the encoder and once for the decoder


@dataclass(frozen=True)
class Shape:
    """The shape of a T5 model.

    Attributes:
        layers: of the encoder; the decoder has as many.
        d_model: width of the residual stream.
        d_ff: width inside a feed-forward block.
        heads, d_kv: number and width of the attention heads.
        vocabulary: rows of the embedding, shared by encoder, decoder and output.
    """

    name: str
    layers: int
    d_model: int
    d_ff: int
    heads: int
    d_kv: int
    vocabulary: int = VOCABULARY


SIZES = (
    Shape("t5-small", 6, 512, 2048, 8, 64),
    Shape("t5-base", 12, 768, 3072, 12, 64),
    Shape("t5-large", 24, 1024, 4096, 16, 64),
    Shape("t5-3b", 24, 1024, 16384, 32, 128),
    Shape("t5-11b", 24, 1024, 65536, 128, 128),
)


def parameters(shape: Shape) -> int:
    """Count the parameters of a T5: embedding, attention, feed-forward, norms, position biases.

    A decoder layer has a second attention, over the encoder's output. T5 has no bias vectors.
    """
    attention = 4 * shape.d_model * shape.heads * shape.d_kv
    feed_forward = 2 * shape.d_model * shape.d_ff
    encoder = shape.layers * (attention + feed_forward + 2 * shape.d_model)
    decoder = shape.layers * (2 * attention + feed_forward + 3 * shape.d_model)
    ends = 2 * shape.d_model + 2 * _BUCKETS * shape.heads
    return shape.vocabulary * shape.d_model + encoder + decoder + ends


def keys_and_values(shape: Shape, *, tokens_in: int, tokens_out: int) -> int:
    """Count the numbers that the decoder keeps of the input and of its own output while it writes."""
    return 2 * shape.layers * shape.heads * shape.d_kv * (tokens_in + tokens_out)


def running_bytes(shape: Shape, *, bytes_each: int, tokens_in: int = 512, tokens_out: int = 512) -> int:
    """Return the bytes of weights, keys and values; activations and libraries are not in it.

    Args:
        bytes_each: 4 for float32, 2 for bfloat16.
    """
    return bytes_each * (parameters(shape) + keys_and_values(shape, tokens_in=tokens_in, tokens_out=tokens_out))
