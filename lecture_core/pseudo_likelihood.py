"""How well a masked LM knows the tokens of a text: hide some, read the log-probability of what was there.

Lecture: recap of pre-training. Masking each token in turn and adding up is the pseudo-log-likelihood (Salazar et al.
2020, arXiv:1910.14659): it ranks sentences, but it is no probability of the sentence.
"""

from collections.abc import Sequence

import torch

from lecture_core.distribution import OwnToken, OwnTokens
from lecture_core.engine.results import TokenLogprobs
from lecture_core.errors import InvalidInputError
from lecture_core.forward import ForwardRequest, logits_at
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import provenance_of
from lecture_core.text_input import without_masks
from lecture_core.token_logprobs import token_logprob_of

MAX_IN_TURN = 128  # tokens that are masked one after the other
PASS_TOKENS = 2048  # of the copies of a text in one forward pass


def masked_logprobs_request(
    text: str, words: LoadedTokenizer, *, positions: Sequence[int] | None = None, top_k: int = 5
) -> ForwardRequest[TokenLogprobs]:
    """Prepare the log-probability (nats) of tokens that are hidden all at once, with the best alternatives.

    Args:
        text: complete, without masks.
        positions: tokens to hide, as indices into the text's tokens, special ones counted; all real ones by default.

    Returns:
        A request for one entry a hidden token, in the order of `positions`.

    Raises:
        InvalidInputError: no usable text, a mask in it, no token that the model knows, nothing to hide, a position
            outside the text.
    """
    ids, chosen = _chosen(text, words, positions)
    return _hiding(ids, chosen, words, top_k)


@torch.inference_mode()
def masked_logprobs_in_turn(
    text: str, model: LoadedModel, *, positions: Sequence[int] | None = None, top_k: int = 5
) -> TokenLogprobs:
    """Do as `masked_logprobs_request`, but hide one token at a time, all others visible.

    Raises:
        InvalidInputError: as there, or too many tokens.
    """
    ids, chosen = _chosen(text, model.words, positions)
    if len(chosen) > MAX_IN_TURN:
        raise InvalidInputError(
            expected=f"at most {MAX_IN_TURN} tokens to mask in turn", got=str(len(chosen)), remedy="shorten the text"
        )
    requests = [_hiding(ids, [position], model.words, top_k) for position in chosen]
    rows = max(1, PASS_TOKENS // len(ids))
    batches = [requests[start : start + rows] for start in range(0, len(requests), rows)]
    found = [row for batch in batches for rows in logits_at(batch, model) for row in rows]
    return _result(ids, chosen, found, model)


def _chosen(text: str, words: LoadedTokenizer, positions: Sequence[int] | None) -> tuple[list[int], list[int]]:
    ids, _ = words.encode(without_masks(text))
    known = [i for i, t in enumerate(ids) if t not in words.special_ids]
    chosen = known if positions is None else [*positions]
    if not chosen and not known:
        raise InvalidInputError(
            expected="at least one word that this model knows",
            got="unknown signs only",
            remedy="write a word in the language of the model, or choose another model",
        )
    if not chosen or min(chosen) < 0 or max(chosen) >= len(ids):
        raise InvalidInputError(
            expected=f"positions within the {len(ids)} tokens of the text",
            got=str(chosen or "none"),
            remedy="hide at least one word",
        )
    return ids, chosen


def _result(ids: Sequence[int], chosen: Sequence[int], rows: Sequence[OwnToken], model: LoadedModel) -> TokenLogprobs:
    tokens = tuple(token_logprob_of(ids[p], row, model.words) for p, row in zip(chosen, rows, strict=True))
    return TokenLogprobs(tokens, sum(t.logprob for t in tokens) / len(tokens), provenance_of(model))


def _hiding(
    ids: Sequence[int], positions: Sequence[int], words: LoadedTokenizer, top_k: int
) -> ForwardRequest[TokenLogprobs]:
    """The text with some positions masked, and a wish for what the model knows of the tokens there."""
    seen = [words.tokenizer.mask_token_id if i in positions else token for i, token in enumerate(ids)]

    def finish(rows: Sequence[OwnToken], model: LoadedModel) -> TokenLogprobs:
        return _result(ids, positions, rows, model)

    return ForwardRequest(seen, positions, finish, digest=OwnTokens(top_k), tokens=[ids[p] for p in positions])
