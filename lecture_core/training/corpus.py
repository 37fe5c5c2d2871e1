"""Text to token ids: articles -> sentences -> batches that are a pure function of (seed, step).

A corpus is UTF-8 text (plain or .xz): articles separated by a blank line, the title on the first line. One article in
a hundred, chosen by a hash of its title, is held out: no sentence of it is ever trained on.
"""

import hashlib
import lzma
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lecture_core.errors import InvalidInputError

HELD_OUT_PERCENT = 1
MINIMUM_SENTENCES = 50
SENTENCE_TOKENS = range(6, 65)  # shorter ones are headings and list items, longer ones are rarely one sentence
_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!\b[A-Z]\.)[\"')\]]*\s+(?=[\"'(]?[A-Z0-9])")


@dataclass(frozen=True)
class Article:
    """One article: its title and its paragraphs of prose."""

    title: str
    paragraphs: tuple[str, ...]

    @property
    def held_out(self) -> bool:
        """Whether the article belongs to the fixed 1 % that measures and never trains."""
        digest = hashlib.sha1(self.title.encode()).digest()
        return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT

    def sentences(self) -> Iterator[str]:
        """Yield the article's sentences in reading order, split at ., ! or ? before a capital."""
        for paragraph in self.paragraphs:
            yield from (s for s in _SENTENCE_END.split(paragraph) if s.strip())


def read_articles(path: Path) -> Iterator[Article]:
    """Yield the articles of a corpus file.

    Raises:
        InvalidInputError: the file is missing, is not UTF-8, or is a damaged .xz file.
    """
    if not path.is_file():
        raise InvalidInputError(expected="a corpus file", got=f"no file {path}", remedy="give --corpus another path")
    open_text = lzma.open if path.suffix == ".xz" else open
    lines: list[str] = []
    number = 0
    try:
        with open_text(path, "rt", encoding="utf-8") as file:
            for line in file:
                number += 1
                if line.strip():
                    lines.append(line.strip())
                elif lines:
                    yield Article(lines[0], tuple(lines[1:]))
                    lines = []
            if lines:
                yield Article(lines[0], tuple(lines[1:]))
    except UnicodeDecodeError as exc:
        raise InvalidInputError(
            expected="UTF-8 text",
            got=f"other bytes after line {number:,} of {path.name}",
            remedy="convert it with iconv",
        ) from exc
    except (lzma.LZMAError, EOFError) as exc:
        raise InvalidInputError(expected="a whole .xz file", got=str(exc), remedy="download the corpus again") from exc


@dataclass(frozen=True)
class TokenBatch:
    """Token ids with padding. `input_ids` (B, T) int64; `attention_mask` (B, T), 1 on real tokens."""

    input_ids: np.ndarray
    attention_mask: np.ndarray


@dataclass(frozen=True)
class TokenisedCorpus:
    """All sentences of one split as one array of ids, without special tokens.

    Attributes:
        ids: every sentence one after the other, uint16.
        offsets: sentence s is ids[offsets[s]:offsets[s + 1]].
        article: index of the article of each sentence; a separator stands between two articles of a block.
    """

    ids: np.ndarray
    offsets: np.ndarray
    article: np.ndarray
    first_id: int
    last_id: int
    pad_id: int

    @property
    def tokens(self) -> int:
        """Number of tokens in the split."""
        return len(self.ids)

    def unigram_counts(self, vocabulary: int) -> np.ndarray:
        """Count each token id; (V,)."""
        return np.bincount(self.ids, minlength=vocabulary)

    def batch(
        self, seed: int, step: int, *, tokens: int = 4096, block: int = 128, sentence_share: float = 0.5
    ) -> TokenBatch:
        """Draw the batch of one step: single sentences of about equal length, or packed blocks.

        Visitors type single sentences, so a share of the batches is made of them; blocks teach the longer context.
        The result depends on (seed, step) alone, which makes resuming exact.

        Args:
            tokens: size of the batch, padding counted.
            block: length of a packed block, special tokens counted.
            sentence_share: share of the steps that see single sentences.
        """
        rng = np.random.default_rng((seed, step))
        if rng.random() < sentence_share:
            pieces = self._sentences(rng, tokens)
        else:
            pieces = [self._block(int(s), block - 2) for s in rng.integers(len(self.article), size=tokens // block)]
        return self._pad(pieces)

    def _sentences(self, rng: np.random.Generator, tokens: int) -> list[np.ndarray]:
        order, lengths = self._by_length()
        centre = int(rng.integers(len(order)))
        count = max(1, tokens // (int(lengths[centre]) + 2))
        low, high = max(0, centre - 8 * count), min(len(order), centre + 8 * count)
        chosen = order[rng.integers(low, high, size=count)]
        return [self.ids[self.offsets[s] : self.offsets[s + 1]] for s in chosen]

    def _by_length(self) -> tuple[np.ndarray, np.ndarray]:
        cached = self.__dict__.get("_order")
        if cached is None:
            lengths = np.diff(self.offsets)
            usable = np.flatnonzero((lengths >= SENTENCE_TOKENS.start) & (lengths < SENTENCE_TOKENS.stop))
            order = usable[np.argsort(lengths[usable], kind="stable")]
            cached = (order, lengths[order])
            object.__setattr__(self, "_order", cached)
        return cached

    def _block(self, sentence: int, room: int) -> np.ndarray:
        """Running text from one sentence on, a separator between two articles (RoBERTa's FULL-SENTENCES)."""
        start = int(self.offsets[sentence])
        piece = self.ids[start : start + room]
        first, last = np.searchsorted(self._article_starts(), [start + 1, start + len(piece)])
        return np.insert(piece, self._article_starts()[first:last] - start, self.last_id)[:room]

    def _article_starts(self) -> np.ndarray:
        cached = self.__dict__.get("_starts")
        if cached is None:
            cached = self.offsets[np.flatnonzero(np.diff(self.article)) + 1]
            object.__setattr__(self, "_starts", cached)
        return cached

    def _pad(self, pieces: list[np.ndarray]) -> TokenBatch:
        width = max(len(p) for p in pieces) + 2
        ids = np.full((len(pieces), width), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(pieces), width), dtype=np.int64)
        for row, piece in enumerate(pieces):
            ids[row, 0], ids[row, 1 : len(piece) + 1], ids[row, len(piece) + 1] = self.first_id, piece, self.last_id
            mask[row, : len(piece) + 2] = 1
        return TokenBatch(ids, mask)


@dataclass(frozen=True)
class Mixture:
    """Several corpora; each step draws from one of them, in proportion to `shares`."""

    corpora: tuple[TokenisedCorpus, ...]
    shares: tuple[float, ...]

    @property
    def tokens(self) -> int:
        """Number of tokens in all of them."""
        return sum(corpus.tokens for corpus in self.corpora)

    def unigram_counts(self, vocabulary: int) -> np.ndarray:
        """Count each token id; (V,)."""
        return np.sum([corpus.unigram_counts(vocabulary) for corpus in self.corpora], axis=0)

    def batch(self, seed: int, step: int, *, tokens: int = 4096, sentence_share: float = 0.5) -> TokenBatch:
        """Draw the batch of one step from one corpus."""
        shares = np.asarray(self.shares) / sum(self.shares)
        chosen = int(np.random.default_rng((seed, step, 1)).choice(len(shares), p=shares))
        return self.corpora[chosen].batch(seed, step, tokens=tokens, sentence_share=sentence_share)


def tokenise(path: Path, tokenizer: Any, *, held_out: bool, cache: Path) -> TokenisedCorpus:
    """Tokenise one split of a corpus file; the arrays are kept in `cache` and read from there the next time.

    Raises:
        InvalidInputError: the file cannot be read, or the split has fewer than 50 sentences of a usable length.
    """
    stored = cache / f"{path.stem}-{_made_of(path, tokenizer)}-{'held-out' if held_out else 'train'}.npz"
    arrays = _stored(stored)
    if arrays is None:
        arrays = _tokenise(path, tokenizer, held_out)
        stored.parent.mkdir(parents=True, exist_ok=True)
        partial = stored.with_name("partial-" + stored.name)
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        partial.rename(stored)
    last_id = tokenizer.eos_token_id if tokenizer.sep_token_id is None else tokenizer.sep_token_id
    first_id = last_id if tokenizer.cls_token_id is None else tokenizer.cls_token_id
    return TokenisedCorpus(**arrays, first_id=first_id, last_id=last_id, pad_id=tokenizer.pad_token_id)


def _made_of(path: Path, tokenizer: Any) -> str:
    """Hash of the corpus file and of the tokenizer: another text of the same name and size is another corpus."""
    digest = hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode())
    if path.is_file():
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


def _stored(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of an earlier call; None where there are none, or the file was cut off."""
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _tokenise(path: Path, tokenizer: Any, held_out: bool) -> dict[str, np.ndarray]:
    sentences, article = [], []
    for index, item in enumerate(read_articles(path)):
        if item.held_out == held_out:
            for sentence in item.sentences():
                sentences.append(sentence)
                article.append(index)
    if len(sentences) < MINIMUM_SENTENCES:
        raise InvalidInputError(
            expected=f"at least {MINIMUM_SENTENCES} sentences in the {'held-out' if held_out else 'training'} split",
            got=str(len(sentences)),
            remedy="give --corpus a larger file",
        )
    pieces: list[np.ndarray] = []
    for start in range(0, len(sentences), 10_000):
        encoded = tokenizer(sentences[start : start + 10_000], add_special_tokens=False, return_attention_mask=False)
        pieces.extend(np.asarray(ids, dtype=np.uint16) for ids in encoded["input_ids"])
    lengths = np.array([len(p) for p in pieces])
    usable = int(((lengths >= SENTENCE_TOKENS.start) & (lengths < SENTENCE_TOKENS.stop)).sum())
    if usable < MINIMUM_SENTENCES:
        raise InvalidInputError(
            expected=f"at least {MINIMUM_SENTENCES} sentences of {SENTENCE_TOKENS.start} to {SENTENCE_TOKENS.stop - 1} "
            f"tokens in the {'held-out' if held_out else 'training'} split",
            got=str(usable),
            remedy="give --corpus a text of running prose",
        )
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return {"ids": np.concatenate(pieces), "offsets": offsets, "article": np.asarray(article, dtype=np.int32)}
