"""ELECTRA: a generator replaces some tokens, a discriminator says of every token whether it was replaced.

Lecture: ELECTRA. Source: Clark et al. 2020, section 2 (arXiv:2003.10555).
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

import torch

from lecture_core.distribution import replaced_probabilities
from lecture_core.engine.results import CorruptedToken, Corruption, DetectedToken, Detection
from lecture_core.errors import InvalidInputError
from lecture_core.forward import ForwardRequest
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import provenance_of, share_of
from lecture_core.text_input import without_masks


def corrupt_request(
    text: str, words: LoadedTokenizer, *, mask_probability: float = 0.15, seed: int = 0, temperature: float = 1.0
) -> ForwardRequest[Corruption]:
    """Mask some tokens of `text`, for the generator to sample what to put there.

    Args:
        mask_probability: share of the tokens that are masked, in (0, 1); rounded to whole tokens, at least one.
        seed: of the choice and of the samples.
        temperature: of the samples, above 0.

    Returns:
        A request for every token with its original and its sample. A sample that equals the original counts as
        original.

    Raises:
        InvalidInputError: unusable text or a setting out of range.
        ContextLengthError: more tokens than the context holds.
    """
    if not 0 < mask_probability < 1:
        raise InvalidInputError(
            expected="a share between 0 and 1", got=str(mask_probability), remedy="choose about 0.15"
        )
    if not temperature > 0:
        raise InvalidInputError(expected="a temperature above 0", got=str(temperature), remedy="choose 0.1 or more")
    ids, starts = words.encode(without_masks(text))
    generator = torch.Generator().manual_seed(seed)
    chosen = _choose(ids, words, mask_probability, generator)
    masked = [words.tokenizer.mask_token_id if i in chosen else token for i, token in enumerate(ids)]

    def draw(logits: torch.Tensor, _: Sequence[int]) -> list[tuple[int, float]]:
        # On the CPU everywhere, so that a seed gives the same draws; from a copy: a batch may be computed twice.
        return _sample(logits.cpu().float(), words, temperature, generator.clone_state())

    def finish(samples: Sequence[tuple[int, float]], model: LoadedModel) -> Corruption:
        drawn = dict(zip(chosen, samples, strict=True))
        new_ids = tuple(drawn[i][0] if i in drawn else token for i, token in enumerate(ids))
        tokens = tuple(
            CorruptedToken(
                original=words.readable(ids[i]),
                corrupted=words.readable(new_ids[i]),
                masked=i in drawn,
                replaced=new_ids[i] != ids[i],
                starts_word=starts[i],
                special=ids[i] in words.special_ids,
                probability=drawn[i][1] if i in drawn else None,
            )
            for i in range(len(ids))
        )
        return Corruption(tokens, tuple(ids), new_ids, provenance_of(model, seed))

    return ForwardRequest(masked, chosen, finish, digest=draw)


def _sample(
    logits: torch.Tensor, words: LoadedTokenizer, temperature: float, generator: torch.Generator
) -> list[tuple[int, float]]:
    """Draw a token from each row of logits (M, V), no special ones; returns it with its probability."""
    banned = torch.tensor(sorted(words.special_ids | {words.tokenizer.mask_token_id}))
    probabilities = (logits.index_fill(1, banned, float("-inf")) / temperature).softmax(-1)
    samples = torch.multinomial(probabilities, 1, generator=generator)[:, 0].tolist()
    return [(sample, float(row[sample])) for sample, row in zip(samples, probabilities, strict=True)]


def _choose(ids: list[int], words: LoadedTokenizer, share: float, generator: torch.Generator) -> list[int]:
    usable = [i for i, token in enumerate(ids) if token not in words.special_ids]
    if not usable:
        raise InvalidInputError(expected="at least one word", got="none the model can read", remedy="type a sentence")
    order = torch.randperm(len(usable), generator=generator).tolist()
    return sorted(usable[place] for place in order[: share_of(len(usable), share)])


def detect_request(
    ids: list[int], starts: list[bool], original: list[int] | None, words: LoadedTokenizer
) -> ForwardRequest[Detection]:
    """Ask for the probability, in [0, 1], that each token was replaced.

    Args:
        ids: token ids of the text to judge, special tokens included.
        original: ids before the replacements, for the truth; None if unknown. Lengths may differ.
    """

    def finish(probabilities: Sequence[float], model: LoadedModel) -> Detection:
        truth = [None] * len(ids) if original is None else changed(original, ids)
        tokens = tuple(
            DetectedToken(words.readable(i), p, t, s, i in words.special_ids)
            for i, p, t, s in zip(ids, probabilities, truth, starts, strict=True)
        )
        return Detection(tokens, provenance_of(model))

    return ForwardRequest(ids, range(len(ids)), finish, digest=replaced_probabilities)


def changed(original: list[int], ids: list[int]) -> list[bool | None]:
    """Say of each token of `ids` whether it differs from `original`, after aligning the two."""
    result: list[bool | None] = [True] * len(ids)
    for block in SequenceMatcher(a=original, b=ids, autojunk=False).get_matching_blocks():
        result[block.b : block.b + block.size] = [False] * block.size
    return result
