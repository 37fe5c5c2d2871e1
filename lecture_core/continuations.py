"""How a causal LM goes on: token by token along a path, as a tree of the most probable ones, as sampled text.

Lecture: from GPT to GPT-3. Works on texts: after each step the whole text is cut into tokens anew, as a prompt is, so
that two pieces that the tokenizer knows as one token become one.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from lecture_core.engine.protocol import Engine
from lecture_core.engine.results import Candidate, Message, NextToken, TokenLogprob
from lecture_core.errors import InvalidInputError
from lecture_core.prompting import too_long
from lecture_core.provenance import Provenance

WIDTHS = {2: (3, 3), 3: (3, 2, 2)}
"""Levels of a tree -> how many of the most probable tokens grow at each."""
MOST_PASSES = 16


def piece(candidate: Candidate, engine: Engine, model: str) -> str | None:
    """Return what a token adds to a text, leading space included; asks the tokenizer only.

    None for a token that adds no text by itself: the end of the text, or a part of a character.
    """
    if not candidate.token.strip():
        return candidate.token or None
    for form in (f" {candidate.token}", candidate.token):
        try:
            found = engine.tokenise(form, model=model)
        except InvalidInputError:  # a control character: no text that a visitor may send
            return None
        if found.ids == (candidate.token_id,):
            return None if found.special[0] else form
    return None


@dataclass(frozen=True)
class Path:
    """What was written after a prompt: its tokens as the model reads them now, each given all before it."""

    tokens: tuple[TokenLogprob, ...]
    provenance: Provenance


def path(engine: Engine, prompt: str, written: str, *, model: str) -> Path:
    """Score the tokens of `written` after `prompt` in one pass over the whole text."""
    scored = engine.token_logprobs(prompt + written, model=model, top_k=1)
    spans = engine.tokenise(prompt + written, model=model).spans
    after = (token for token, (_, end) in zip(scored.tokens, spans, strict=True) if end > len(prompt))
    return Path(tuple(after), scored.provenance)


def without_last(engine: Engine, prompt: str, written: str, *, model: str) -> str:
    """Return `written` without its last token; never shortens the prompt."""
    spans = engine.tokenise(prompt + written, model=model).spans
    last = max((start for start, end in spans if end > len(prompt)), default=0)
    return (prompt + written)[len(prompt) : max(last, len(prompt))]


@dataclass(frozen=True)
class Branch:
    """A token of a tree.

    Attributes:
        piece: what it adds to the text; its name where it ends the text.
        probability: given the text before it.
        whole: probability of the path from the prompt to here, itself included.
        children: what may follow, most probable first.
    """

    piece: str
    probability: float
    whole: float
    children: tuple["Branch", ...] = ()


@dataclass(frozen=True)
class Tree:
    """The most probable continuations of a prompt; `passes` is how many forward passes it took."""

    branches: tuple[Branch, ...]
    passes: int
    provenance: Provenance

    @property
    def best(self) -> tuple[Branch, ...]:
        """The most probable path of this tree from prompt to leaf; the first of equals."""
        return max(_paths(self.branches), key=lambda p: p[-1].whole)

    @property
    def greedy(self) -> tuple[Branch, ...]:
        """The path that takes the most probable token at each step."""
        return next(iter(_paths(self.branches)))


def _paths(branches: Sequence[Branch]) -> Generator[tuple[Branch, ...], None, None]:
    for branch in branches:
        if branch.children:
            yield from ((branch, *rest) for rest in _paths(branch.children))
        else:
            yield (branch,)


def passes_needed(widths: Sequence[int]) -> int:
    """Return the most forward passes that a tree of these widths takes: one for each token that grows."""
    passes, nodes = 0, 1
    for width in widths:
        passes += nodes
        nodes *= width
    return passes


def grow(engine: Engine, prompt: str, *, model: str, widths: Sequence[int]) -> Tree:
    """Grow the tree of the most probable continuations, one forward pass for each token that has children.

    Args:
        widths: how many tokens follow at each level, from the prompt on; at most `MOST_PASSES` passes in all.

    Raises:
        InvalidInputError: no level, an empty one, or too many passes.
    """
    if not widths or min(widths) < 1 or passes_needed(widths) > MOST_PASSES:
        raise InvalidInputError(
            expected=f"a tree of at most {MOST_PASSES} forward passes", got=str(tuple(widths)), remedy="grow fewer"
        )
    asked: list[NextToken] = []

    def level(text: str, so_far: float, left: Sequence[int]) -> tuple[Branch, ...]:
        found = engine.next_token(text, model=model, top_k=left[0])
        asked.append(found)
        return tuple(branch(text, candidate, so_far, left[1:]) for candidate in found.candidates)

    def branch(text: str, candidate: Candidate, so_far: float, left: Sequence[int]) -> Branch:
        added, whole = piece(candidate, engine, model), so_far * candidate.probability
        children = level(text + added, whole, left) if added is not None and left else ()
        return Branch(candidate.token if added is None else added, candidate.probability, whole, children)

    branches = level(prompt, 1.0, widths)
    seconds = sum(one.provenance.seconds for one in asked)
    cached = all(one.provenance.cached for one in asked)
    return Tree(branches, len(asked), replace(asked[0].provenance, seconds=seconds, cached=cached))


@dataclass(frozen=True)
class Writing:
    """How to write on: model, temperature (0 is greedy), share of the probability to draw from, most new tokens."""

    model: str
    temperature: float
    top_p: float
    tokens: int


@dataclass(frozen=True)
class Sample:
    """A finished continuation; `reason` is `stop` (the model ended it), `length` or `cancelled`."""

    text: str
    tokens: int
    reason: str
    provenance: Provenance | None


def check_room(engine: Engine, text: str, how: Writing) -> None:
    """Count a text, so that one too long is told once and before anything is written.

    Raises:
        ContextLengthError: the text and what shall be written do not fit into the model's context.
    """
    counted = engine.tokenise(text, model=how.model)
    room = counted.context_length - how.tokens
    if len(counted.ids) > room:
        raise too_long(len(counted.ids), room=room, context=counted.context_length, remedy="Shorten the text")


def write(
    engine: Engine, prompt: str | Sequence[Message], how: Writing, *, seed: int, session: str
) -> Generator[tuple[str, Sample | None], None, None]:
    """Stream a continuation: the text so far, at the end the sample too; closing it frees the model."""
    text = ""
    stream = engine.generate(
        prompt,
        model=how.model,
        max_new_tokens=how.tokens,
        temperature=how.temperature,
        top_p=how.top_p,
        seed=seed,
        logprobs=False,
        session=session,
    )
    with closing(stream):  # type: ignore[type-var]
        for chunk in stream:
            text += chunk.text
            yield text, Sample(text, chunk.tokens, chunk.reason, chunk.provenance) if chunk.finished else None
