"""A model's tokenizer in memory, with the few questions that the app asks of it; needs no owner thread."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lecture_core.catalog import ModelSpec
from lecture_core.errors import ContextLengthError


@dataclass(frozen=True)
class LoadedTokenizer:
    """A tokenizer and the row of the catalog it belongs to."""

    spec: ModelSpec
    tokenizer: Any

    @property
    def mask_token(self) -> str:
        """The model's own mask token; empty where it has none."""
        return self.tokenizer.mask_token or ""

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of [CLS], [SEP], padding and the like, the mask excepted."""
        return frozenset(self.tokenizer.all_special_ids) - {self.tokenizer.mask_token_id}

    @cached_property
    def _readable(self) -> dict[int, str]:
        return {}

    @cached_property
    def whole_words(self) -> dict[int, str]:
        """Token ids that are whole words of letters, and how they read; works for every way to mark pieces of words."""
        names = self.tokenizer.convert_ids_to_tokens(list(range(len(self.tokenizer))))
        start = next((mark for mark in ("\u0120", "\u2581") if any(name.startswith(mark) for name in names)), "")
        words = {i: name[len(start) :] for i, name in enumerate(names) if name.startswith(start)}
        return {i: word for i, word in words.items() if word.isalpha() and i not in self.special_ids}

    def encode(self, text: str, *, special: bool = True) -> tuple[list[int], list[bool]]:
        """Return ids and, for each, whether it starts a word (False: it continues the token before).

        Raises:
            ContextLengthError: more tokens than the model's context holds.
        """
        encoding = self.tokenizer(text, add_special_tokens=special, verbose=False)
        ids, words = list(encoding["input_ids"]), encoding.word_ids()
        limit = self.spec.context_length
        if len(ids) > limit:
            raise ContextLengthError(
                f"Expected at most {limit:,} tokens, all that {self.spec.title} can read at once; got {len(ids):,}. "
                f"Shorten the text by about {len(ids) - limit:,} tokens."
            )
        starts = [i == 0 or w is None or w != words[i - 1] for i, w in enumerate(words)]
        return ids, starts

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where each token of `text` stands in it, in characters; (0, 0) for added tokens."""
        return self.tokenizer(text, return_offsets_mapping=True, verbose=False)["offset_mapping"]

    def readable(self, token_id: int) -> str:
        """Return a token as a person reads it, without `##`, `Ġ` or `▁`."""
        if token_id not in self._readable:  # a result asks for dozens, a class for thousands
            self._readable[token_id] = self._decoded(token_id)
        return self._readable[token_id]

    def _decoded(self, token_id: int) -> str:
        raw = self.tokenizer.convert_ids_to_tokens(token_id)
        if raw is None:
            return ""
        if raw.startswith("##"):
            return raw[2:]
        if token_id in self.special_ids or token_id == self.tokenizer.mask_token_id:
            return raw
        if raw.isascii() and raw.isalnum():
            return raw
        decoded = self.tokenizer.decode([token_id], clean_up_tokenization_spaces=False)
        return decoded.strip(" ") or decoded

    def single_token(self, word: str) -> int | None:
        """Return the id of a word that is one token in running text, else None."""
        for form in (" " + word.strip(), word.strip()):
            ids = self.tokenizer(form, add_special_tokens=False)["input_ids"]
            if len(ids) == 1 and ids[0] != self.tokenizer.unk_token_id:
                return int(ids[0])
        return None
