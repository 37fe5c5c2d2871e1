"""Text for small decoders: a byte-level vocabulary of 512 tokens, and blocks of running text that never repeat.

Bytes, so that nothing is unknown; 256 merges on top, so that a context of 256 tokens holds about 500 letters while the
embedding stays small beside the smallest model. Articles of the held-out percent (see `corpus`) measure, never train.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from lecture_core.errors import InvalidInputError
from lecture_core.training.corpus import Article, read_articles

VOCABULARY, CONTEXT = 512, 256
END = "<|end|>"  # stands between two articles and has id 0
EVERY = 5  # one article in five is enough: 11M tokens of Simple English Wikipedia, none seen twice
HELD_OUT_BLOCKS = 256  # 65,536 tokens
TOKENIZER = Path(__file__).parents[2] / "assets" / "scaling" / "tokenizer.json"


@dataclass(frozen=True)
class Blocks:
    """Running text in blocks of 257 ids: 256 inputs and, one further, 256 targets.

    Attributes:
        ids: articles one after the other, each begun by `END`, uint16.
    """

    ids: np.ndarray

    def __len__(self) -> int:
        """Number of blocks; the last target of one is the first input of the next."""
        return (len(self.ids) - 1) // CONTEXT

    def block(self, index: int) -> np.ndarray:
        """Return block `index`; (257,)."""
        return self.ids[index * CONTEXT : (index + 1) * CONTEXT + 1].astype(np.int64)

    def batch(self, seed: int, step: int, *, tokens: int, sentence_share: float = 0.0) -> np.ndarray:
        """Return the blocks of one step, (B, 257): the text in an order drawn from `seed`, none twice in one pass.

        Args:
            tokens: inputs in the batch, B x 256.
            sentence_share: unused; every batch is running text.
        """
        size = tokens // CONTEXT
        order = np.random.default_rng(seed).permutation(len(self))
        return np.stack([self.block(order[(step * size + i) % len(order)]) for i in range(size)])

    def spread(self, count: int) -> np.ndarray:
        """Return `count` blocks evenly spaced over the text, (count, 257); all where there are fewer."""
        chosen = np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(int))
        return np.stack([self.block(index) for index in chosen])


def articles(path: Path, *, held_out: bool) -> Iterator[Article]:
    """Yield every fifth article that trains, or every one that measures."""
    chosen = (article for article in read_articles(path) if article.held_out == held_out)
    return islice(chosen, 0, None, 1 if held_out else EVERY)


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """Train byte pairs on top of the 256 bytes; every text can be written in them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def load_tokenizer(path: Path, corpus: Path) -> Tokenizer:
    """Return the vocabulary at `path`, trained on `corpus` and written there if there is none."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        train_tokenizer(text(a) for a in islice(articles(corpus, held_out=False), 4000)).save(str(path))
    return Tokenizer.from_file(str(path))


def text(article: Article) -> str:
    """Return an article as it is trained on: title, then a paragraph a line."""
    return "\n".join((article.title, *article.paragraphs, ""))


def bytes_per_token(tokenizer: Tokenizer) -> np.ndarray:
    """Return how many bytes of text each token stands for, (V,); `END`, a new article, counts as one."""
    lengths = np.ones(tokenizer.get_vocab_size(), dtype=np.int64)
    for piece, i in tokenizer.get_vocab().items():
        lengths[i] = 1 if piece == END else len(piece)  # byte-level: a letter a byte
    return lengths


def read_blocks(path: Path, tokenizer: Tokenizer, *, held_out: bool, cache: Path) -> Blocks:
    """Tokenise one split of a corpus file; the ids are kept in `cache` and read from there the next time.

    Raises:
        InvalidInputError: the file cannot be read, or the split is shorter than one batch.
    """
    vocabulary = hashlib.sha256(tokenizer.to_str().encode()).hexdigest()[:8]
    size = path.stat().st_size if path.is_file() else 0
    stored = cache / f"{path.stem}-{size}-{vocabulary}-{'held-out' if held_out else 'train'}.npy"
    if not stored.is_file():
        ids = _tokenise(path, tokenizer, held_out)
        stored.parent.mkdir(parents=True, exist_ok=True)
        partial = stored.with_suffix(".partial")
        with partial.open("wb") as file:
            np.save(file, ids, allow_pickle=False)
        partial.rename(stored)
    return Blocks(np.load(stored, allow_pickle=False))


def _tokenise(path: Path, tokenizer: Tokenizer, held_out: bool) -> np.ndarray:
    end = np.array([tokenizer.token_to_id(END)], dtype=np.uint16)
    pieces = []
    for article in articles(path, held_out=held_out):
        pieces += [end, np.array(tokenizer.encode(text(article)).ids, dtype=np.uint16)]
    ids = np.concatenate(pieces) if pieces else end
    if len(ids) <= 8 * CONTEXT:
        raise InvalidInputError(
            expected=f"more than {8 * CONTEXT:,} tokens in the {'held-out' if held_out else 'training'} split",
            got=f"{len(ids):,}",
            remedy="give --corpus a larger file",
        )
    return ids
