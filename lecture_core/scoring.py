"""Log-probabilities of given completions after a prompt, by a causal LM.

Lecture: from GPT to GPT-3. A log-probability is in nats; e to its power is the probability.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lecture_core.engine.results import Completion, PromptScores, Scores, TokenLogprob
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import provenance_of
from lecture_core.prefix_cache import own, shared_length
from lecture_core.text_input import MAX_PROMPT_CHARACTERS, checked
from lecture_core.token_logprobs import LONG, logprobs_of_rows, read_on
from lecture_core.token_tree import TokenTree

MAX_COMPLETIONS = 64
SHORT = 32  # tokens; shorter prompts are read together also where they share nothing
TREE_TOKENS = 384  # of one forward pass; larger trees spend more on attention between texts that do not see each other


@dataclass(frozen=True)
class ScoreRequest:
    """Token ids of prompts (`starts`) and of the completions (`ends`, which read `texts`) to score after each."""

    starts: list[list[int]]
    ends: list[list[int]]
    texts: tuple[str, ...]

    def joins(self, others: "Sequence[ScoreRequest]") -> bool:
        """Whether it is worth reading with others: the same completions, and all prompts short or half of each shared.

        A short prompt among long ones would leave nothing shared, and each long one would be read from its beginning.
        """
        prompts = [start for request in (self, *others) for start in request.starts]
        longest = max(map(len, prompts))
        alike = all(self.texts == other.texts for other in others)
        fit = longest < SHORT or shared_length(prompts) >= longest / 2
        return alike and len(prompts) <= MAX_COMPLETIONS and fit


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
    ends = [words.encode(checked(completion), special=False)[0] for completion in completions]
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
    if texts and not all(texts):
        got = f"nothing in number {list(texts).index('') + 1} of {len(texts)}"
        raise InvalidInputError(expected=f"{name}, none empty", got=got, remedy="write something there or remove it")
    if not 1 <= len(texts) <= MAX_COMPLETIONS:
        raise InvalidInputError(
            expected=f"1 to {MAX_COMPLETIONS} {name}", got=str(len(texts)), remedy="give at least one, and not more"
        )


@dataclass(frozen=True)
class _Row:
    """A prompt's place among the prompts, a completion's among the completions, and what is read: `ids`."""

    pair: tuple[int, int]
    ids: tuple[int, ...]


def _token_logprobs_after(
    starts: list[list[int]], ends: list[list[int]], model: LoadedModel
) -> dict[tuple[int, int], list[TokenLogprob]]:
    """Return the log-probabilities of the tokens of each completion after each prompt.

    What all prompts share is read first, and kept; the rest is read as trees.
    """
    found: dict[tuple[int, int], list[TokenLogprob]] = {}
    alone = len({(*start, *end[:-1]) for start in starts for end in ends}) == 1
    past, shared = _read_shared(starts, model, alone=alone)
    rows = [_Row((i, j), (*s[shared:], *e[:-1])) for i, s in enumerate(starts) for j, e in enumerate(ends)]
    slides = getattr(model.network.config.get_text_config(), "sliding_window", None)  # counts in one text only
    for part in _parts(sorted(rows, key=lambda row: row.ids), 0 if slides else model.part(TREE_TOKENS)):
        tree = TokenTree()
        paths = {row.pair: tree.add(row.ids)[-len(ends[row.pair[1]]) :] for row in part}
        wanted = sorted({index for path in paths.values() for index in path})
        logits, cache = _read_tree(tree, wanted, past, shared, model)
        if alone:
            model.prefixes.put([*starts[0][:shared], *tree.tokens], cache)
        places = {index: place for place, index in enumerate(wanted)}
        for (i, j), path in paths.items():
            known = logits[[places[index] for index in path]].float()  # (T, V)
            found[i, j] = logprobs_of_rows(ends[j], known, model, 0)
    return found


def _parts(rows: list[_Row], most: int) -> Iterator[list[_Row]]:
    """Cut the rows into trees of at most so many tokens, or one row each; a row mostly read already goes along."""
    part: list[_Row] = []
    tree = TokenTree()
    for row in rows:
        before = len(tree)
        tree.add(row.ids)
        new = len(tree) - before
        if part and len(tree) > most and new > (len(row.ids) // 2 if most else 0):
            yield part
            part, tree = [], TokenTree([row.ids])
        part.append(row)
    yield part


def _read_tree(
    tree: TokenTree, wanted: list[int], past: Any, shared: int, model: LoadedModel
) -> tuple[torch.Tensor, Any]:
    """Return the logits (W, V) of the wanted tokens of a tree that follows `shared` tokens, whose cache is `past`.

    The cache that comes with them is of use where the tree is a chain.
    """
    place = model.device.name
    inputs: dict[str, Any] = {"input_ids": model.row(tree.tokens)}
    if not tree.is_chain:
        known = np.ones((len(tree), shared), dtype=np.bool_)
        visible = torch.from_numpy(np.concatenate([known, tree.visible()], axis=1)).to(place)
        dtype = model.network.dtype
        hidden = torch.full(visible.shape, torch.finfo(dtype).min, dtype=dtype, device=place)
        inputs["attention_mask"] = hidden.masked_fill_(visible, 0.0)[None, None]  # (1, 1, N, S + N)
        inputs["position_ids"] = torch.from_numpy(tree.depths() + shared).to(place)[None]
    output = model.network(
        **inputs,
        past_key_values=None if past is None else own(past),
        use_cache=True,
        logits_to_keep=torch.tensor(wanted, device=place),
    )
    return output.logits[0], output.past_key_values


def _read_shared(starts: list[list[int]], model: LoadedModel, *, alone: bool) -> tuple[Any, int]:
    """Return the cache of what all prompts share, and its length; one text alone takes what is known already."""
    shortest = min(starts, key=len)
    shared = min(shared_length(starts), len(shortest) - 1)
    past, known = model.prefixes.take(shortest[: shared + 1])
    if known < shared and (not alone or shared - known > model.part(LONG)):
        past = read_on(shortest[known:shared], past, model).past_key_values
        model.prefixes.put(shortest[:shared], past)
        known = shared
    return past, known


def _completion(text: str, tokens: list[TokenLogprob]) -> Completion:
    return Completion(text, sum(t.logprob for t in tokens), tuple(tokens))
