"""How well a masked LM knows the tokens of a text: hide some, read the log-probability of what was there.

Lecture: recap of pre-training. Masking each token in turn and adding up is the pseudo-log-likelihood (Salazar et al.
2020, arXiv:1910.14659): it ranks sentences, but it is no probability of the sentence.
"""

from collections.abc import Sequence

import torch

from lecture_core.encoder import EncoderRequest, logits_at
from lecture_core.engine.results import TokenLogprobs
from lecture_core.errors import InvalidInputError
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import provenance_of
from lecture_core.scoring import token_logprob
from lecture_core.text_input import checked

MAX_IN_TURN = 128  # tokens that are masked one after the other
ROWS = 16  # copies of the text in one forward pass


@torch.inference_mode()
def masked_logprobs(
    text: str, model: LoadedModel, *, positions: Sequence[int] | None = None, in_turn: bool = False, top_k: int = 5
) -> TokenLogprobs:
    """Give hidden tokens their log-probability (nats) under the model, with the best alternatives.

    Args:
        text: complete, without masks.
        positions: tokens to hide, as indices into the text's tokens, special ones counted; all real ones by default.
        in_turn: hide one token at a time, all others visible; else hide all at once.

    Returns:
        One entry a hidden token, in the order of `positions`.

    Raises:
        InvalidInputError: no usable text, nothing to hide, a position outside the text, too many in turn.
    """
    ids, _ = model.words.encode(checked(text))
    chosen = [i for i, t in enumerate(ids) if t not in model.words.special_ids] if positions is None else [*positions]
    if not chosen or min(chosen) < 0 or max(chosen) >= len(ids):
        raise InvalidInputError(
            expected=f"positions within the {len(ids)} tokens of the text",
            got=str(chosen or "none"),
            remedy="hide at least one word",
        )
    if in_turn and len(chosen) > MAX_IN_TURN:
        raise InvalidInputError(
            expected=f"at most {MAX_IN_TURN} tokens to mask in turn", got=str(len(chosen)), remedy="shorten the text"
        )
    hidden = [[position] for position in chosen] if in_turn else [chosen]
    requests = [_hiding(ids, positions, model) for positions in hidden]
    batches = [requests[start : start + ROWS] for start in range(0, len(requests), ROWS)]
    logits = torch.cat([part for batch in batches for part in logits_at(batch, model)])  # (M, V)
    tokens = tuple(token_logprob(ids[p], row, model, top_k) for p, row in zip(chosen, logits, strict=True))
    return TokenLogprobs(tokens, sum(t.logprob for t in tokens) / len(tokens), provenance_of(model))


def _hiding(ids: list[int], positions: Sequence[int], model: LoadedModel) -> EncoderRequest[torch.Tensor]:
    """The text with some positions masked, and a wish for the logits there."""
    seen = [model.words.tokenizer.mask_token_id if i in positions else token for i, token in enumerate(ids)]
    return EncoderRequest(seen, positions, lambda logits, _: logits)
