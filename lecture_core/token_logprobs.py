"""Log-probabilities of a causal LM: of the next token, and of a text's own tokens.

Lecture: from GPT to GPT-3. A log-probability is in nats; e to its power is the probability.
"""

import math
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import torch

from lecture_core.device import tokens_at_once
from lecture_core.distribution import Distribution, Distributions, OwnToken, OwnTokens
from lecture_core.engine.results import Candidate, NextToken, TokenLogprob, TokenLogprobs
from lecture_core.forward import ForwardRequest, answer
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import provenance_of
from lecture_core.text_input import MAX_PROMPT_CHARACTERS, checked

FULL = 128  # tokens that fill the pass of a CPU: sharing it with others gains nothing
LONG = 512  # tokens; of a longer text not all logits are made at once: 4,000 tokens would take 0.8 GB


def next_token(prompt: str, model: LoadedModel, *, top_k: int = 10) -> NextToken:
    """Rank the vocabulary after `prompt`; see `next_token_request`."""
    return answer(next_token_request(prompt, model.words, top_k=top_k), model)


def next_token_request(prompt: str, words: LoadedTokenizer, *, top_k: int = 10) -> ForwardRequest[NextToken]:
    """Prepare the ranking of the vocabulary after `prompt`; alone, what it shares with an earlier prompt is not read.

    Raises:
        InvalidInputError: no usable text.
        ContextLengthError: more tokens than the context holds.
    """
    ids, _ = words.encode(checked(prompt, limit=MAX_PROMPT_CHARACTERS))

    def finish(rows: Sequence[Distribution], model: LoadedModel) -> NextToken:
        (row,) = rows
        best = zip(row.best, row.logits, strict=True)
        return NextToken(
            candidates=tuple(
                Candidate(words.readable(i), i, math.exp(v - row.log_normalisers[1.0]), v, rank)
                for rank, (i, v) in enumerate(best, start=1)
            ),
            entropy=row.entropy,
            log_normalisers=row.log_normalisers,
            prompt_tokens=len(ids),
            provenance=provenance_of(model),
        )

    last = [len(ids) - 1]
    return ForwardRequest(ids, last, finish, lambda model: _read(ids, model)[None], Distributions(top_k))


def token_logprobs(text: str, model: LoadedModel, *, top_k: int = 5) -> TokenLogprobs:
    """Give each token of `text` its log-probability; see `token_logprobs_request`."""
    return answer(token_logprobs_request(text, model.words, top_k=top_k), model)


def token_logprobs_request(text: str, words: LoadedTokenizer, *, top_k: int = 5) -> ForwardRequest[TokenLogprobs]:
    """Prepare each token's log-probability after the tokens before it, in nats; the first one has none and gets 0.

    Raises:
        InvalidInputError: no usable text.
        ContextLengthError: more tokens than the context holds.
    """
    ids, _ = words.encode(checked(text))

    def finish(rows: Sequence[OwnToken], model: LoadedModel) -> TokenLogprobs:
        return _of_text([_first(ids, model), *map(token_logprob_of, ids[1:], rows, repeat(model.words))], model)

    following = [*ids[1:], ids[0]]  # after the last token nothing is asked
    return ForwardRequest(ids, range(len(ids)), finish, digest=OwnTokens(top_k), tokens=following)


def read_alone(words: LoadedTokenizer, tokens: int, device: str) -> bool:
    """Whether a text is so long that `token_logprobs_of_long` is better than a place in a batch.

    Args:
        tokens: the text's.
        device: `cpu` or `cuda`.
    """
    return tokens > tokens_at_once(device, words.spec.parameters, LONG if device == "cuda" else FULL)


@torch.inference_mode()
def token_logprobs_of_long(text: str, model: LoadedModel, *, top_k: int = 5) -> TokenLogprobs:
    """Do as `token_logprobs`; what the text shares with an earlier one is neither read nor ranked again.

    Few-shot prompts grow example by example. At most `LONG` tokens are read at a time: the logits of all would not
    fit beside the models.
    """
    ids, _ = model.words.encode(checked(text))
    kind = "token_logprobs", top_k
    found = [*model.prefixes.notes(ids, kind)]
    past, known = model.prefixes.take(ids[: len(found)])  # one token less than noted: its logits rank the next one
    found, size = found[: known + 1] or [_first(ids, model)], model.part(LONG)
    for start in range(known, len(ids), size):
        part = ids[start : start + size]
        output = model.network(input_ids=model.row(part), past_key_values=past, use_cache=True)
        past, following = output.past_key_values, ids[start + 1 : start + len(part) + 1]
        found += logprobs_of_rows(following, output.logits[0, : len(following)].float(), model, top_k)
    model.prefixes.put(ids, past, kind=kind, notes=found)
    return _of_text(found, model)


def _of_text(tokens: Sequence[TokenLogprob], model: LoadedModel) -> TokenLogprobs:
    ranked = [token.logprob for token in tokens[1:]]
    return TokenLogprobs(tuple(tokens), sum(ranked) / max(1, len(ranked)), provenance_of(model))


def _first(ids: Sequence[int], model: LoadedModel) -> TokenLogprob:
    return TokenLogprob(model.words.readable(ids[0]), ids[0], 0.0, 0, ())


def _read(ids: list[int], model: LoadedModel) -> torch.Tensor:
    """Return the logits (V,) after a prompt; what it shares with an earlier prompt is not read again."""
    past, known = model.prefixes.take(ids)
    output = read_on(ids[known:], past, model)
    model.prefixes.put(ids, output.past_key_values)
    return output.logits[0, -1].float()


def read_on(ids: Sequence[int], past: Any, model: LoadedModel) -> Any:
    """Read tokens after a cache in parts, and return the output of the last pass: one row of logits, cache."""
    size = model.part(LONG)
    for start in range(0, len(ids), size):
        fed = model.row(list(ids[start : start + size]))
        output = model.network(input_ids=fed, past_key_values=past, use_cache=True, logits_to_keep=1)
        past = output.past_key_values
    return output


def logprobs_of_rows(ids: Sequence[int], logits: torch.Tensor, model: LoadedModel, top_k: int) -> list[TokenLogprob]:
    """Log-probability (nats) and rank of each token of `ids` under its row of logits (T, V), the best alternatives."""
    return [*map(token_logprob_of, ids, OwnTokens(top_k)(logits, ids), repeat(model.words))]


def token_logprob_of(token_id: int, own: OwnToken, words: LoadedTokenizer) -> TokenLogprob:
    """A token and its alternatives in words."""
    best = tuple(
        Candidate(words.readable(i), i, probability, logit, rank)
        for rank, (i, logit, probability) in enumerate(own.best, start=1)
    )
    return TokenLogprob(words.readable(token_id), token_id, own.logprob, own.rank, best)
