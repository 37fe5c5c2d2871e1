"""Log-probabilities of a causal LM: of the next token, of a text's tokens, of given completions.

Lecture: from GPT to GPT-3. A log-probability is in nats; e to its power is the probability.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from lecture_core.engine.results import (
    Candidate,
    Completion,
    NextToken,
    PromptScores,
    Scores,
    TokenLogprob,
    TokenLogprobs,
)
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.forward import ForwardRequest, answer
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import log_normalisers, provenance_of
from lecture_core.prefix_cache import cache_bytes, own, shared_length
from lecture_core.text_input import MAX_PROMPT_CHARACTERS, checked

MAX_COMPLETIONS = 64
SHORT = 32  # tokens; shorter prompts are read together also where they share nothing
BATCH_TOKENS = 8_192  # of one forward pass, the shared prefix counted in every row
LOGIT_ROWS = 32  # of the vocabulary's length: 6 MB, which stays in cache
BATCH_BYTES = 4e8  # of keys, values and logits of one forward pass


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

    def finish(rows: torch.Tensor, model: LoadedModel) -> NextToken:
        logits = rows[0]  # (V,)
        log_probabilities = logits.log_softmax(-1)
        return NextToken(
            candidates=_best(logits, model, top_k),
            entropy=float(-(log_probabilities.exp() * log_probabilities).sum()),
            log_normalisers=log_normalisers(logits),
            prompt_tokens=len(ids),
            provenance=provenance_of(model),
        )

    return ForwardRequest(ids, [len(ids) - 1], finish, alone=lambda model: _read(ids, model)[None])


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

    def finish(logits: torch.Tensor, model: LoadedModel) -> TokenLogprobs:
        first = TokenLogprob(words.readable(ids[0]), ids[0], 0.0, 0, ())
        rest = tuple(_token_logprobs(ids[1:], logits[:-1], model, top_k))
        mean = sum(t.logprob for t in rest) / max(1, len(rest))
        return TokenLogprobs((first, *rest), mean, provenance_of(model))

    return ForwardRequest(ids, range(len(ids)), finish)


@dataclass(frozen=True)
class ScoreRequest:
    """Token ids of prompts (`starts`) and of the completions (`ends`, which read `texts`) to score after each."""

    starts: list[list[int]]
    ends: list[list[int]]
    texts: tuple[str, ...]

    def joins(self, others: "Sequence[ScoreRequest]") -> bool:
        """Whether it is worth reading with others: the same completions, and half of its prompts or more is theirs."""
        prompts = [start for request in (self, *others) for start in request.starts]
        half = min(map(len, prompts)) / 2
        alike = all(self.texts == other.texts for other in others)
        return alike and len(prompts) <= MAX_COMPLETIONS and (shared_length(prompts) >= half or half < SHORT / 2)


def score_request(prompts: Sequence[str], completions: Sequence[str], words: LoadedTokenizer) -> ScoreRequest:
    """Prepare the scores of each completion's tokens after each prompt, for `score_together`.

    Args:
        prompts: such as one question each after the same exemplars; 1 to 64.
        completions: texts that follow each prompt as they are, leading space included; 1 to 64.

    Raises:
        InvalidInputError: no prompt, no completion, or an empty one.
        ContextLengthError: a prompt and its completion together do not fit.
    """
    _check_number(prompts, "prompts")
    _check_number(completions, "completions")
    starts = [words.encode(checked(prompt, limit=MAX_PROMPT_CHARACTERS))[0] for prompt in prompts]
    ends = [words.encode(completion, special=False)[0] for completion in completions]
    longest = max(map(len, starts)) + max(map(len, ends))
    if longest > words.spec.context_length:
        raise ContextLengthError(
            f"Expected at most {words.spec.context_length:,} tokens; together they have {longest:,}. "
            "Shorten the prompt."
        )
    return ScoreRequest(starts, ends, tuple(completions))


@torch.inference_mode()
def score_together(requests: Sequence[ScoreRequest], model: LoadedModel) -> list[PromptScores]:
    """Sum the log-probabilities of completions after the prompts of requests that join; what all share is read once."""
    texts, made = requests[0].texts, provenance_of(model)
    found = _token_logprobs_after([start for r in requests for start in r.starts], requests[0].ends, model)
    scores: list[PromptScores] = []
    first = 0
    for request in requests:
        rows = range(first, first + len(request.starts))
        first = rows.stop
        of_each = (tuple(_completion(text, found[i, j]) for j, text in enumerate(texts)) for i in rows)
        scores.append(PromptScores(tuple(Scores(row, made) for row in of_each), made))
    return scores


def _check_number(texts: Sequence[str], name: str) -> None:
    if not 1 <= len(texts) <= MAX_COMPLETIONS or not all(texts):
        raise InvalidInputError(
            expected=f"1 to {MAX_COMPLETIONS} {name}, none empty", got=str(len(texts)), remedy="give at least one text"
        )


@dataclass
class _Row:
    """A text to read, `start + end[:-1]`, and the (prompt, completion) pairs whose tokens its logits predict.

    Prompts whose completions have one token each share a row.
    """

    ids: tuple[int, ...]
    begin: int
    pairs: list[tuple[int, int]]


def _rows(starts: list[list[int]], ends: list[list[int]]) -> list[_Row]:
    rows: dict[tuple[int, ...], _Row] = {}
    for i, start in enumerate(starts):
        for j, end in enumerate(ends):
            row = rows.setdefault((*start, *end[:-1]), _Row((*start, *end[:-1]), len(start), []))
            row.begin = min(row.begin, len(start))
            row.pairs.append((i, j))
    return sorted(rows.values(), key=lambda row: len(row.ids))


def _token_logprobs_after(
    starts: list[list[int]], ends: list[list[int]], model: LoadedModel
) -> dict[tuple[int, int], list[TokenLogprob]]:
    """Return the log-probabilities of the tokens of each completion after each prompt.

    Rows of similar length go together; padding stands on the right, where causal attention never looks.
    """
    rows = _rows(starts, ends)
    past, shared = _read_shared(starts, len(rows), model)
    found: dict[tuple[int, int], list[TokenLogprob]] = {}
    for part in _parts(rows, past, shared, model):
        first = min(row.begin for row in part) - 1 - shared  # where the first completion is predicted
        fed = [[*row.ids[shared:], *[0] * (len(part[-1].ids) - len(row.ids))] for row in part]
        output = model.network(
            input_ids=torch.tensor(fed, device=model.device.name),
            past_key_values=_repeated(past, len(part)),
            use_cache=len(rows) == 1,
            logits_to_keep=torch.arange(first, len(fed[0]), device=model.device.name),
        )
        if len(rows) == 1:
            model.prefixes.put(part[0].ids, output.past_key_values)
        for row, logits in zip(part, output.logits, strict=True):
            known = logits[: len(row.ids) - shared - first].float()  # (T, V)
            for i, j in row.pairs:
                found[i, j] = _token_logprobs(ends[j], known[-len(ends[j]) :], model, 0)
    return found


def _parts(rows: list[_Row], past: Any, shared: int, model: LoadedModel) -> Iterator[list[_Row]]:
    """Cut the rows into batches whose keys, values and logits stay within `BATCH_BYTES`."""
    each_token = cache_bytes(past) / shared if shared else 0.0
    vocabulary = 4 * model.network.config.get_text_config().vocab_size
    begin = min(row.begin for row in rows)
    longest = len(rows[-1].ids)
    size = longest * each_token + (longest - begin + 1) * vocabulary
    number = max(1, min(int(BATCH_BYTES / size), BATCH_TOKENS // longest))
    return (rows[i : i + number] for i in range(0, len(rows), number))


def _read_shared(starts: list[list[int]], rows: int, model: LoadedModel) -> tuple[Any, int]:
    """Return the cache of what all prompts share, and its length; one row alone reads the rest of it itself."""
    shortest = min(starts, key=len)
    shared = min(shared_length(starts), len(shortest) - 1)
    past, known = model.prefixes.take(shortest[: shared + 1])
    if rows > 1 and known < shared:
        fed = _row(shortest[known:shared], model)
        past = model.network(input_ids=fed, past_key_values=past, use_cache=True, logits_to_keep=1).past_key_values
        model.prefixes.put(shortest[:shared], past)
        known = shared
    return past, known


def _repeated(past: Any, times: int) -> Any:
    if past is None:
        return None
    copy = own(past)
    copy.batch_repeat_interleave(times)
    return copy


def _read(ids: list[int], model: LoadedModel) -> torch.Tensor:
    """Return the logits (V,) after a prompt; what it shares with an earlier prompt is not read again."""
    past, known = model.prefixes.take(ids)
    output = model.network(input_ids=_row(ids[known:], model), past_key_values=past, use_cache=True, logits_to_keep=1)
    model.prefixes.put(ids, output.past_key_values)
    return output.logits[0, -1].float()


def _completion(text: str, tokens: list[TokenLogprob]) -> Completion:
    return Completion(text, sum(t.logprob for t in tokens), tuple(tokens))


def _token_logprobs(ids: list[int], logits: torch.Tensor, model: LoadedModel, top_k: int) -> list[TokenLogprob]:
    """`token_logprob` for each token of `ids` under its row of logits (T, V), some rows at once."""
    parts = [slice(start, start + LOGIT_ROWS) for start in range(0, len(ids), LOGIT_ROWS)]
    return [token for part in parts for token in _some_logprobs(ids[part], logits[part], model, top_k)]


def _some_logprobs(ids: list[int], logits: torch.Tensor, model: LoadedModel, top_k: int) -> list[TokenLogprob]:
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
