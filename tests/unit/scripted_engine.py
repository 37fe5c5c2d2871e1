"""An engine that answers from a function of the prompt: deterministic, no weights, the real interface."""

import re
from collections.abc import Callable, Iterator, Sequence

from lecture_core.engine.results import Completion, GenerationChunk, PromptScores, Scores, Tokenised
from lecture_core.provenance import Provenance


class ScriptedEngine:
    """Generates `reply(prompt)` word by word, cut at the first stop text; scores by `preference`; a word is a token."""

    def __init__(
        self,
        reply: Callable[[str], str] = lambda _: "",
        preference: Callable[[str, str], float] = lambda *_: 0.0,
        *,
        context_length: int = 4096,
    ) -> None:
        self.reply, self.preference, self.context_length = reply, preference, context_length
        self.prompts: list[str] = []

    def tokenise(self, text: str, *, model: str) -> Tokenised:
        """A token is a word with the space before it."""
        spans = tuple(found.span() for found in re.finditer(r"\s*\S+|\s+$", text))
        words = tuple(text[start:end] for start, end in spans)
        no, yes = (False,) * len(words), (True,) * len(words)
        return Tokenised(words, tuple(range(len(words))), yes, no, spans, "", self.context_length)

    def generate(
        self,
        prompt: str,
        *,
        model: str,
        max_new_tokens: int = 64,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        logprobs: bool = True,
        session: str = "",
    ) -> Iterator[GenerationChunk]:
        self.prompts.append(prompt)
        text = self.reply(prompt)
        for end in stop:
            text = text.split(end)[0]
        for word in text.split(" "):
            if word:
                yield GenerationChunk(f" {word}")
        yield GenerationChunk("", finished=True, reason="stop", provenance=Provenance(model))

    def score(self, prompt: str, completions: Sequence[str], *, model: str, session: str = "") -> Scores:
        self.prompts.append(prompt)
        scored = tuple(Completion(text, self.preference(prompt, text), ()) for text in completions)
        return Scores(scored, Provenance(model))

    def score_prompts(
        self, prompts: Sequence[str], completions: Sequence[str], *, model: str, session: str = ""
    ) -> PromptScores:
        scored = tuple(self.score(prompt, completions, model=model) for prompt in prompts)
        return PromptScores(scored, Provenance(model))
