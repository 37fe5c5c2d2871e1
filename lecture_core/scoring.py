"""Log-probabilities of a causal LM: of the next token, of a text's tokens, of given completions.

Lecture: from GPT to GPT-3. A log-probability is in nats; e to its power is the probability.
"""

from collections.abc import Sequence
from typing import Any

import torch

from lecture_core.engine.results import (
    TEMPERATURES,
    Candidate,
    Completion,
    NextToken,
    Scores,
    TokenLogprob,
    TokenLogprobs,
)
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import provenance_of
from lecture_core.prefix_cache import own
from lecture_core.text_input import MAX_PROMPT_CHARACTERS, checked

MAX_COMPLETIONS = 64


@torch.inference_mode()
def next_token(prompt: str, model: LoadedModel, *, top_k: int = 10) -> NextToken:
    """Rank the vocabulary after `prompt`."""
    ids, _ = model.words.encode(checked(prompt, limit=MAX_PROMPT_CHARACTERS))
    logits, _ = _read(ids, model)
    log_probabilities = logits.log_softmax(-1)
    return NextToken(
        candidates=_best(logits, model, top_k),
        entropy=float(-(log_probabilities.exp() * log_probabilities).sum()),
        log_normalisers={t: float((logits / t).logsumexp(-1)) for t in TEMPERATURES},
        prompt_tokens=len(ids),
        provenance=provenance_of(model),
    )


@torch.inference_mode()
def token_logprobs(text: str, model: LoadedModel, *, top_k: int = 5) -> TokenLogprobs:
    """Give each token of `text` its log-probability after the tokens before it, in nats."""
    ids, _ = model.words.encode(checked(text))
    logits = model.network(input_ids=_row(ids, model)).logits[0].float()  # (T, V)
    first = TokenLogprob(model.words.readable(ids[0]), ids[0], 0.0, 0, ())
    rest = tuple(_token_logprobs(ids[1:], logits[:-1], model, top_k))
    mean = sum(t.logprob for t in rest) / max(1, len(rest))
    return TokenLogprobs((first, *rest), mean, provenance_of(model))


@torch.inference_mode()
def score(prompt: str, completions: Sequence[str], model: LoadedModel) -> Scores:
    """Sum the log-probabilities of each completion's tokens after `prompt`; the prompt is computed once.

    Args:
        completions: texts that follow the prompt as they are, leading space included; 1 to 64.

    Raises:
        InvalidInputError: no prompt, no completion, or an empty one.
        ContextLengthError: prompt and completion together do not fit.
    """
    if not 1 <= len(completions) <= MAX_COMPLETIONS or not all(completions):
        raise InvalidInputError(
            expected=f"1 to {MAX_COMPLETIONS} completions, none empty",
            got=str(len(completions)),
            remedy="give at least one text",
        )
    ids, _ = model.words.encode(checked(prompt, limit=MAX_PROMPT_CHARACTERS))
    rows = [model.words.encode(c, special=False)[0] for c in completions]
    longest = max(len(r) for r in rows)
    if len(ids) + longest > model.spec.context_length:
        raise ContextLengthError(
            f"Expected at most {model.spec.context_length:,} tokens; together they have {len(ids) + longest:,}. "
            "Shorten the prompt."
        )
    first, past = _read(ids, model)
    logits = _completion_logits(first, own(past), rows, model)
    scored = tuple(
        _completion(text, [token_logprob(i, row, model, 0) for i, row in zip(r, block, strict=False)])
        for text, r, block in zip(completions, rows, logits, strict=True)
    )
    return Scores(scored, provenance_of(model))


def _read(ids: list[int], model: LoadedModel) -> tuple[torch.Tensor, Any]:
    """Return the logits (V,) after a prompt and its cache; what it shares with an earlier prompt is not read again."""
    past, known = model.prefixes.take(ids)
    output = model.network(input_ids=_row(ids[known:], model), past_key_values=past, use_cache=True, logits_to_keep=1)
    model.prefixes.put(ids, output.past_key_values)
    return output.logits[0, -1].float(), output.past_key_values


def _completion_logits(first: torch.Tensor, past: Any, rows: list[list[int]], model: LoadedModel) -> torch.Tensor:
    """Return logits (R, L, V) that predict each token of each completion, the first from the prompt's last position."""
    longest = max(len(r) for r in rows)
    first = first.expand(len(rows), 1, -1)
    if longest == 1:
        return first
    past.batch_repeat_interleave(len(rows))
    fed = torch.tensor([(r[:-1] + [0] * longest)[: longest - 1] for r in rows], device=model.device.name)  # (R, L - 1)
    return torch.cat([first, model.network(input_ids=fed, past_key_values=past).logits.float()], dim=1)


def _completion(text: str, tokens: list[TokenLogprob]) -> Completion:
    return Completion(text, sum(t.logprob for t in tokens), tuple(tokens))


def _token_logprobs(ids: list[int], logits: torch.Tensor, model: LoadedModel, top_k: int) -> list[TokenLogprob]:
    """`token_logprob` for each token of `ids` under its row of logits (T, V), all rows at once."""
    normalisers = logits.logsumexp(-1, keepdim=True)  # (T, 1)
    own = logits.gather(1, torch.tensor(ids, device=logits.device)[:, None])  # (T, 1)
    ranks, logprobs = ((logits > own).sum(-1) + 1).tolist(), (own - normalisers)[:, 0].tolist()
    best = logits.topk(min(top_k, logits.shape[-1]), dim=-1)
    shares = (best.values - normalisers).exp()
    rows = zip(ids, logprobs, ranks, best.indices.tolist(), best.values.tolist(), shares.tolist(), strict=True)
    return [
        TokenLogprob(
            model.words.readable(token),
            token,
            logprob,
            rank,
            tuple(
                Candidate(model.words.readable(i), i, share, value, place)
                for place, (i, value, share) in enumerate(zip(indices, values, probabilities, strict=True), start=1)
            ),
        )
        for token, logprob, rank, indices, values, probabilities in rows
    ]


def token_logprob(token_id: int, logits: torch.Tensor, model: LoadedModel, top_k: int) -> TokenLogprob:
    """A token's log-probability (nats) and rank under logits (V,), with the best `top_k` alternatives."""
    logprob = float(logits[token_id] - logits.logsumexp(-1))
    rank = int((logits > logits[token_id]).sum()) + 1
    return TokenLogprob(model.words.readable(token_id), token_id, logprob, rank, _best(logits, model, top_k))


def _best(logits: torch.Tensor, model: LoadedModel, top_k: int) -> tuple[Candidate, ...]:
    if top_k <= 0:
        return ()
    best, normaliser = logits.topk(min(top_k, len(logits))), logits.logsumexp(-1)
    return tuple(
        Candidate(model.words.readable(i), i, float((v - normaliser).exp()), float(v), rank)
        for rank, (i, v) in enumerate(zip(best.indices.tolist(), best.values, strict=True), start=1)
    )


def _row(ids: list[int], model: LoadedModel) -> torch.Tensor:
    return torch.tensor([ids], device=model.device.name)  # (1, T)
