"""Masked language modelling: which words a model puts in place of a mask.

Lecture: recap of pre-training, RoBERTa. Source: Devlin et al. 2019, section 3.1 (arXiv:1810.04805).
Knows nothing of Streamlit, of where weights come from or of who is waiting.
"""

import math
import random
from bisect import bisect_left
from collections.abc import Sequence
from operator import neg

from lecture_core.distribution import Distribution, Distributions, LogprobsOf
from lecture_core.engine.results import (
    Candidate,
    FillMaskResult,
    MaskPrediction,
    RecipeToken,
    VocabularyAtMask,
)
from lecture_core.errors import InvalidInputError
from lecture_core.forward import ForwardRequest, answer
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import LoadedModel
from lecture_core.provenance import Provenance
from lecture_core.text_input import checked, with_mask_token

MAX_CANDIDATES = 100
MAX_ASKED = 20


def fill_masks(text: str, model: LoadedModel, *, top_k: int = 10, asked: Sequence[str] = ()) -> FillMaskResult:
    """Rank the vocabulary at every mask of `text`, all masks in place; see `fill_masks_request`."""
    return answer(fill_masks_request(text, model.words, top_k=top_k, asked=asked), model)


def fill_masks_request(
    text: str, words: LoadedTokenizer, *, top_k: int = 10, asked: Sequence[str] = ()
) -> ForwardRequest[FillMaskResult]:
    """Prepare the ranking of the vocabulary at every mask of `text`, all masks in place.

    Args:
        text: one or more masks (`[MASK]`, `<mask>` or `___`); at most the context length in tokens.
        top_k: candidates a mask, 1 to 100.
        asked: words whose probability is wanted even if they rank low.

    Raises:
        InvalidInputError: no usable text, no mask, too many masks, `top_k` out of range.
        ContextLengthError: more tokens than the context holds.
    """
    if not 1 <= top_k <= MAX_CANDIDATES:
        raise InvalidInputError(
            expected=f"top_k from 1 to {MAX_CANDIDATES}", got=str(top_k), remedy="choose a value in that range"
        )
    if len(asked) > MAX_ASKED:
        raise InvalidInputError(
            expected=f"at most {MAX_ASKED} words", got=str(len(asked)), remedy="ask for fewer words"
        )
    read = with_mask_token(text, words.mask_token)
    ids, _ = words.encode(read)
    positions = [i for i, token in enumerate(ids) if token == words.tokenizer.mask_token_id]
    asked_ids = tuple(words.single_token(word) for word in asked)

    def finish(rows: Sequence[Distribution], model: LoadedModel) -> FillMaskResult:
        masks = tuple(_prediction(p, row, asked_ids, words) for p, row in zip(positions, rows, strict=True))
        return FillMaskResult(read, tuple(words.readable(i) for i in ids), masks, provenance_of(model))

    return ForwardRequest(ids, positions, finish, digest=Distributions(top_k, asked_ids))


def vocabulary_request(text: str, words: LoadedTokenizer) -> ForwardRequest[VocabularyAtMask]:
    """Prepare the log-probability of every whole word at the only mask of `text`.

    Raises:
        InvalidInputError: no usable text, or not exactly one mask.
        ContextLengthError: more tokens than the context holds.
    """
    read = with_mask_token(text, words.mask_token)
    ids, _ = words.encode(read)
    positions = [i for i, token in enumerate(ids) if token == words.tokenizer.mask_token_id]
    if len(positions) != 1:
        raise InvalidInputError(
            expected="exactly one mask", got=str(len(positions)), remedy="leave one [MASK] or ___ in each sentence"
        )
    whole = words.whole_words

    def finish(rows: Sequence[Sequence[float]], model: LoadedModel) -> VocabularyAtMask:
        return VocabularyAtMask(read, tuple(whole.values()), tuple(rows[0]), provenance_of(model))

    return ForwardRequest(ids, positions, finish, digest=LogprobsOf(tuple(whole)))


def _prediction(
    position: int, row: Distribution, asked_ids: Sequence[int | None], words: LoadedTokenizer
) -> MaskPrediction:
    normaliser = row.log_normalisers[1.0]

    def candidate(token_id: int, logit: float, rank: int) -> Candidate:
        return Candidate(words.readable(token_id), token_id, math.exp(logit - normaliser), logit, rank)

    return MaskPrediction(
        position=position,
        candidates=tuple(
            candidate(i, v, bisect_left(row.logits, -v, key=neg) + 1)  # equals share a rank
            for i, v in zip(row.best, row.logits, strict=True)
        ),
        asked=tuple(
            None if i is None or found is None else candidate(i, *found)
            for i, found in zip(asked_ids, row.asked, strict=True)
        ),
        log_normalisers=row.log_normalisers,
        entropy=row.entropy,
    )


def provenance_of(model: LoadedModel, seed: int | None = None) -> Provenance:
    """Return the provenance of a live result; the engine fills in the seconds."""
    return Provenance(model.spec.id, model.revision, model.device.name, model.device.dtype, seed)


def masking_recipe(
    text: str, words: LoadedTokenizer, *, mask_probability: float = 0.15, seed: int = 0
) -> tuple[RecipeToken, ...]:
    """Apply BERT's recipe to a text: choose 15 % of the tokens; of these 80 % mask, 10 % random, 10 % unchanged.

    Args:
        mask_probability: share of the tokens that carry loss, in (0, 1); rounded to whole tokens, at least one.
        seed: of the draw; the same seed and text give the same tokens.

    Source: Devlin et al. 2019, section 3.1 and appendix A.1.
    """
    if not 0 < mask_probability < 1:
        raise InvalidInputError(
            expected="a share between 0 and 1", got=str(mask_probability), remedy="choose about 0.15"
        )
    ids, starts = words.encode(checked(text))
    rng = random.Random(seed)
    usable = [place for place, token in enumerate(ids) if token not in words.special_ids]
    chosen = set(rng.sample(usable, min(len(usable), share_of(len(usable), mask_probability))))
    return tuple(
        _recipe_token(token, start, words, place in chosen, rng)
        for place, (token, start) in enumerate(zip(ids, starts, strict=True))
    )


def share_of(count: int, share: float) -> int:
    """Whole tokens of a share, at least one, as BERT's and ELECTRA's code count them."""
    return max(1, round(count * share))


def _recipe_token(token_id: int, starts: bool, words: LoadedTokenizer, chosen: bool, rng: random.Random) -> RecipeToken:
    fate, substitute = rng.random(), rng.randrange(len(words.tokenizer))
    original = words.readable(token_id)
    if token_id in words.special_ids:
        return RecipeToken(original, original, "untouched", starts, True)
    if not chosen:
        return RecipeToken(original, original, "untouched", starts, False)
    if fate < 0.8:
        return RecipeToken(original, words.mask_token, "masked", starts, False)
    if fate < 0.9:
        return RecipeToken(original, words.readable(substitute), "random", starts, False)
    return RecipeToken(original, original, "kept", starts, False)
