"""One sentence under the three pre-training objectives: masked LM, autoregressive LM, span corruption.

Lecture: three major forms of pre-training. Words that the visitor hides stand in [brackets]: a masked LM sees its mask
token there, T5 sees a sentinel for each run of hidden words, and an autoregressive LM hides nothing but the future.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lecture_core.engine.protocol import Engine
from lecture_core.engine.results import Tokenised, TokenLogprob
from lecture_core.errors import InvalidInputError
from lecture_core.hidden_text import HiddenText, Owner
from lecture_core.provenance import Provenance
from lecture_core.span_corruption import corrupt

Family = Literal["encoder", "decoder", "text_to_text"]
SENTINELS = tuple(f"<extra_id_{i}>" for i in range(32))
START = "(start)"
"""What an encoder-decoder's decoder reads first. T5 uses its padding token; Raffel et al. 2020, section 2.1."""
UNKNOWN = frozenset({"[UNK]", "<unk>"})
"""What a vocabulary puts in the place of characters that it does not know: BERT's and T5's."""


@dataclass(frozen=True)
class ObjectiveToken:
    """One token of an input or a target.

    Attributes:
        text: readable form.
        words: indices of the words it stands for; empty for added tokens.
        loss: whether the model is trained to predict it.
        predicted: where it is predicted, the token with its log-probability, rank and alternatives.
    """

    text: str
    words: tuple[int, ...] = ()
    loss: bool = False
    starts_word: bool = True
    special: bool = False
    predicted: TokenLogprob | None = None


@dataclass(frozen=True)
class Attention:
    """Who may look at whom.

    Attributes:
        allowed: (rows, columns) of bool: True where the row's token may look at the column's.
        rows: tokens that look, as they are read there.
        columns: tokens looked at.
    """

    allowed: np.ndarray
    rows: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Objective:
    """A sentence as one model family learns from it.

    Attributes:
        input_text, target_text: the actual strings.
        inputs, targets: their tokens; tokens of `targets` with `loss` are what is learned.
        attention: title -> who may look at whom, of tokens that are read: a decoder predicts the next one there.
    """

    family: Family
    input_text: str
    target_text: str
    inputs: tuple[ObjectiveToken, ...]
    targets: tuple[ObjectiveToken, ...]
    attention: dict[str, Attention]
    provenance: Provenance

    @property
    def loss_positions(self) -> int:
        """Number of positions that carry loss."""
        return sum(token.loss for token in self.targets)

    @property
    def positions(self) -> int:
        """Number of positions that could carry loss: an encoder's [CLS] and [SEP] never do."""
        return sum(token.loss or not _added(token) for token in self.targets)

    @property
    def hidden_tokens(self) -> int:
        """Number of the text's own tokens in T5's target: neither sentinels nor the end."""
        return sum(not _added(t) and t.text not in SENTINELS for t in self.targets)

    @property
    def text_tokens(self) -> int:
        """Number of the text's own tokens in T5's input and target together."""
        return self.hidden_tokens + sum(not _added(t) and t.text not in SENTINELS for t in self.inputs)

    @property
    def unknown_words(self) -> tuple[int, ...]:
        """Indices of the words that this vocabulary does not know, in reading order."""
        found = (word for t in (*self.inputs, *self.targets) if t.text in UNKNOWN for word in t.words)
        return tuple(sorted(set(found)))


def _added(token: ObjectiveToken) -> bool:
    return token.special and not token.words


def most(positions: Mapping[str, int]) -> str:
    """Name what has the highest count; a tie is named as one."""
    top = max(positions.values())
    first = [name for name, count in positions.items() if count == top]
    return first[0] if len(first) == 1 else f"a tie: {', '.join(first[:-1])} and {first[-1]}"


def bidirectional(positions: int) -> np.ndarray:
    """Every position sees every position; (T, T) bool."""
    return np.ones((positions, positions), dtype=bool)


def causal(positions: int) -> np.ndarray:
    """Each position sees itself and those before it; (T, T) bool, rows are queries."""
    return np.tril(np.ones((positions, positions), dtype=bool))


def cross(targets: int, inputs: int) -> np.ndarray:
    """Every position of the target sees the whole input; (T, S) bool."""
    return np.ones((targets, inputs), dtype=bool)


def masked_lm(text: HiddenText, engine: Engine, model: str) -> Objective:
    """The text for an encoder: hidden tokens become the mask token and alone carry loss.

    Raises:
        InvalidInputError: nothing is hidden.
    """
    if not text.hidden:
        raise InvalidInputError(
            expected="at least one hidden word",
            got="none",
            remedy="click a word to hide it: a masked LM learns from hidden tokens alone",
        )
    tokens = engine.tokenise(text.plain, model=model)
    owners = _owners(tokens, text.owners)
    positions = [i for i, words in enumerate(owners) if text.hidden.intersection(words)]
    found = engine.masked_logprobs(text.plain, model=model, positions=positions)
    predicted = dict(zip(positions, found.tokens, strict=True))
    inputs = tuple(
        ObjectiveToken(tokens.mask_token if i in predicted else t, w, starts_word=s, special=x)
        for i, (t, w, s, x) in enumerate(_rows(tokens, owners))
    )
    targets = tuple(
        ObjectiveToken(t, w, i in predicted, s, x, predicted.get(i))
        for i, (t, w, s, x) in enumerate(_rows(tokens, owners))
    )
    counts = [sum(word in owners[i] for i in positions) for word in range(len(text.words))]
    shown = _replaced(text, [" ".join([tokens.mask_token] * counts[w]) for w in sorted(text.hidden)])
    hidden = " ".join(text.plain[a:b] for a, b in (text.words[w] for w in sorted(text.hidden)))
    names = tuple(t.text for t in inputs)
    grids = {"Attention: both sides": Attention(bidirectional(len(names)), names, names)}
    return Objective("encoder", shown, hidden, inputs, targets, grids, found.provenance)


def autoregressive(text: HiddenText, engine: Engine, model: str) -> Objective:
    """The text for a decoder: every token after the first is a target, seen from the left only.

    Raises:
        InvalidInputError: the text is a single token, so nothing follows.
    """
    tokens = engine.tokenise(text.plain, model=model)
    if len(tokens.tokens) < 2:
        raise InvalidInputError(
            expected="at least two tokens", got="one", remedy="add a word: the first token is never predicted"
        )
    found = engine.token_logprobs(text.plain, model=model)
    rows = list(_rows(tokens, _owners(tokens, text.owners)))
    inputs = tuple(ObjectiveToken(t, w, starts_word=s, special=x) for t, w, s, x in rows[:-1])
    targets = tuple(
        ObjectiveToken(t, w, True, s, x, p) for (t, w, s, x), p in zip(rows[1:], found.tokens[1:], strict=True)
    )
    ends = (tokens.spans[-2][1], tokens.spans[0][1])
    names = tuple(t.text for t in inputs)
    grids = {"Attention: the past only": Attention(causal(len(names)), names, names)}
    target_text = text.plain[ends[1] :].strip()
    return Objective("decoder", text.plain[: ends[0]], target_text, inputs, targets, grids, found.provenance)


def span_corruption(text: HiddenText, engine: Engine, model: str) -> Objective:
    """The text for T5: each run of hidden words becomes a sentinel; the target names the sentinels and what they hid.

    Raises:
        InvalidInputError: nothing is hidden, or more runs than there are sentinels.
    """
    need_a_span(text)
    strings, owners = t5_strings(text)
    found = engine.target_logprobs(strings[0], strings[1], model=model)
    sides = []
    for string, owner in zip(strings, owners, strict=True):
        tokens = engine.tokenise(string, model=model)
        sides.append(list(_rows(tokens, _owners(tokens, owner))))
    inputs = tuple(ObjectiveToken(t, w, starts_word=s, special=x) for t, w, s, x in sides[0])
    targets = tuple(ObjectiveToken(t, w, True, s, x, p) for (t, w, s, x), p in zip(sides[1], found.tokens, strict=True))
    return Objective("text_to_text", *strings, inputs, targets, _t5_attention(inputs, targets), found.provenance)


def _t5_attention(inputs: Sequence[ObjectiveToken], targets: Sequence[ObjectiveToken]) -> dict[str, Attention]:
    """Three grids; the decoder reads its target one place later, after a start token."""
    source, reads = tuple(t.text for t in inputs), (START, *(t.text for t in targets[:-1]))
    return {
        "Encoder: both sides": Attention(bidirectional(len(source)), source, source),
        "Decoder: the past only": Attention(causal(len(reads)), reads, reads),
        "Decoder to encoder: all of the input": Attention(cross(len(reads), len(source)), reads, source),
    }


def need_a_span(text: HiddenText) -> None:
    """Refuse a text from which span corruption has nothing to learn.

    Raises:
        InvalidInputError: nothing is hidden.
    """
    if not text.hidden:
        raise InvalidInputError(
            expected="at least one hidden word", got="none", remedy="click a word to hide it: its run becomes a span"
        )


def t5_strings(text: HiddenText) -> tuple[tuple[str, str], tuple[list[Owner], list[Owner]]]:
    """Input and target string, and which characters of each stand for which words; the whole text if none is hidden.

    Raises:
        InvalidInputError: more runs than there are sentinels.
    """
    corrupted = corrupt(tuple(range(len(text.words))), text.runs, tuple(-1 - i for i in range(len(SENTINELS))))
    sides = [_written(items, text) for items in (corrupted.inputs, corrupted.targets)]
    return (sides[0][0], sides[1][0]), (sides[0][1], sides[1][1])


def _written(items: Sequence[int], text: HiddenText) -> tuple[str, list[Owner]]:
    """Write words (their index) and sentinels (-1, -2, ...) with the spaces that the text has between its words."""
    written, owners = "", []
    previous: int | None = None
    for item in items:
        piece = text.plain[slice(*text.words[item])] if item >= 0 else SENTINELS[-1 - item]
        words = (item,) if item >= 0 else tuple(range(*text.runs[-1 - item])) if -1 - item < len(text.runs) else ()
        first = words[0] if words else None
        glued = previous is not None and first == previous + 1 and text.words[previous][1] == text.words[first][0]
        written += "" if not written or (glued and item >= 0) else " "
        owners.append(((len(written), len(written) + len(piece)), words))
        written += piece
        previous = words[-1] if words else None
    return written, owners


def _owners(tokens: Tokenised, owners: Sequence[Owner]) -> list[tuple[int, ...]]:
    """For each token the words it overlaps most with, in characters; none for added tokens."""
    found = []
    for start, end in tokens.spans:
        overlaps = [(min(end, b) - max(start, a), words) for (a, b), words in owners]
        best = max(overlaps, key=lambda o: o[0], default=(0, ()))
        found.append(best[1] if best[0] > 0 else ())
    return found


def _rows(tokens: Tokenised, owners: Sequence[tuple[int, ...]]) -> Iterator[tuple[str, tuple[int, ...], bool, bool]]:
    return zip(tokens.tokens, owners, tokens.starts_word, tokens.special, strict=True)


def _replaced(text: HiddenText, pieces: Sequence[str]) -> str:
    """The text with each hidden word replaced."""
    written, position = "", 0
    for word, piece in zip(sorted(text.hidden), pieces, strict=True):
        start, end = text.words[word]
        written += text.plain[position:start] + piece
        position = end
    return written + text.plain[position:]
