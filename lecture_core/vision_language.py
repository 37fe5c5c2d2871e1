"""Vision-language models: a picture and a question in, an answer out, and which part of the picture it rests on.

Lecture: Multi-modal: GPT-4. A vision encoder turns patches into vectors. In an encoder-decoder the decoder attends to
them while it writes; in a chat model they stand among the words of the prompt (Laurençon et al. 2024,
arXiv:2408.12637). Covering one part after the other is occlusion (Zeiler and Fergus 2014, arXiv:1311.2901).
Log-probabilities are in nats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lecture_core.engine.pictures import CoveredAnswers, ImageAnswer, Picture
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import provenance_of
from lecture_core.scenes import cover
from lecture_core.text_input import checked
from lecture_core.token_logprobs import logprobs_of_rows

MAX_QUESTION = 200  # characters
MAX_NEW_TOKENS = 48
MAX_GRID = 8
CHAT_VIEWS = 4  # of one forward pass of a chat model, whose vision encoder is large


@dataclass(frozen=True)
class _Asked:
    """A question about several views, as its model takes it.

    Attributes:
        inputs: tensors by the names of the model's arguments, one row a view.
        read: tokens of each row before the answer.
    """

    inputs: dict[str, Any]
    read: int


@torch.inference_mode()
def answer(picture: Picture, question: str, model: LoadedModel, *, top_k: int = 5) -> ImageAnswer:
    """Answer a question about a picture greedily, with the log-probability of each word and its alternatives.

    Args:
        picture: of any size; the model sees it scaled to its own, whole, never cut into tiles.
        top_k: alternatives a token; 0 for none.

    Raises:
        InvalidInputError: no usable question.
        ContextLengthError: a question longer than the model can read.
    """
    asked = _asked([picture.pixels()], question, model)
    ends = _ends(model)
    written = model.network.generate(
        **asked.inputs,
        max_new_tokens=min(MAX_NEW_TOKENS, model.spec.context_length - asked.read),
        do_sample=False,
        num_beams=1,
        eos_token_id=ends,
        pad_token_id=model.words.tokenizer.pad_token_id,
        return_dict_in_generate=True,
        output_logits=True,
    )
    new_ids = written.sequences[0, asked.read :].tolist()
    tokens = tuple(logprobs_of_rows(new_ids, torch.cat(written.logits), model, top_k))
    return ImageAnswer(
        text=_words(new_ids, model),
        tokens=tokens,
        question_tokens=asked.read,
        unknown=_unknown(question, model),
        reason="stop" if new_ids and new_ids[-1] in ends else "length",
        provenance=provenance_of(model),
    )


@torch.inference_mode()
def answer_when_covered(
    picture: Picture, question: str, answer_ids: Sequence[int], model: LoadedModel, *, grid: int = 4
) -> CoveredAnswers:
    """Give the probability of one answer with each cell of the picture covered in turn.

    Args:
        answer_ids: the answer's tokens, its end token included, as in `ImageAnswer.tokens`.
        grid: cells a side, 1 to 8.

    Raises:
        InvalidInputError: no usable question or answer, or a grid out of range.
        ContextLengthError: question and answer do not fit together.
    """
    if not 1 <= grid <= MAX_GRID:
        raise InvalidInputError(expected=f"1 to {MAX_GRID} cells a side", got=str(grid), remedy="choose another grid")
    vocabulary = len(model.words.tokenizer)
    if not answer_ids or not all(0 <= i < vocabulary for i in answer_ids):
        raise InvalidInputError(expected="an answer of this model", got="none", remedy="ask the question first")
    pixels = picture.pixels()
    views = [pixels, *(cover(pixels, [cell], grid=grid) for cell in range(grid * grid))]
    size = len(views) if model.processor is None else CHAT_VIEWS
    chances: list[float] = []
    firsts: list[int] = []
    for start in range(0, len(views), size):
        logprobs = _logprobs(views[start : start + size], question, answer_ids, model)  # (B, T, V)
        wanted = torch.tensor(list(answer_ids), device=logprobs.device).expand(len(logprobs), -1)
        chances += logprobs.gather(-1, wanted[..., None]).sum((-2, -1), dtype=torch.float64).exp().tolist()
        firsts += logprobs[:, 0].argmax(-1).tolist()
    return CoveredAnswers(
        grid=grid,
        answer=_words(answer_ids, model),
        probability=chances[0],
        covered=tuple(chances[1:]),
        first_words=tuple(model.words.readable(i) for i in firsts[1:]),
        provenance=provenance_of(model),
    )


def _logprobs(
    views: Sequence[np.ndarray], question: str, answer_ids: Sequence[int], model: LoadedModel
) -> torch.Tensor:
    """Log-probabilities of the vocabulary at each token of the answer, given the tokens before it; (B, T, V)."""
    asked = _asked(views, question, model, room=len(answer_ids))
    given = torch.tensor([list(answer_ids[:-1])], device=model.device.name).expand(len(views), -1)
    inputs = dict(asked.inputs)
    for name in inputs.keys() & {"decoder_input_ids", "input_ids"}:
        inputs[name] = torch.cat([inputs[name], given], dim=-1)
    if "attention_mask" in inputs:
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])  # views of one prompt need no padding
    logits = model.network(**inputs, use_cache=False).logits[:, asked.read - 1 :]
    return logits.float().log_softmax(-1)


def _asked(views: Sequence[np.ndarray], question: str, model: LoadedModel, *, room: int = 1) -> _Asked:
    """Prepare a question about several views; `room` is how many tokens must fit after it."""
    text = checked(question, limit=MAX_QUESTION).strip()
    if model.processor is not None:
        return _asked_in_chat(views, text, model, room)
    ids, _ = model.words.encode(text if text.endswith("?") else f"{text}?")
    limit = model.spec.context_length - room
    if len(ids) > limit:
        raise ContextLengthError(
            f"Expected a question of at most {limit - 1} words, signs counted; got {len(ids) - 1}. Shorten it."
        )
    pixels = model.images(list(views), return_tensors="pt")["pixel_values"]
    rows = torch.tensor([ids], device=model.device.name).expand(len(views), -1)
    return _Asked(
        {"pixel_values": pixels.to(model.device.name, model.network.dtype), "decoder_input_ids": rows}, len(ids)
    )


def _asked_in_chat(views: Sequence[np.ndarray], question: str, model: LoadedModel, room: int) -> _Asked:
    """The picture and the question as a visitor's turn, in the model's own chat template, one prompt for all views.

    Raises:
        InvalidInputError: a sign that the template gives another meaning.
        ContextLengthError: picture and question leave no room for an answer.
    """
    signs = [sign for sign in model.processor.tokenizer.get_added_vocab() if sign in question]
    if signs:
        raise InvalidInputError(
            expected="a question in plain words", got=f"the control sign {signs[0]}", remedy="delete that sign"
        )
    turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}
    prompt = model.processor.apply_chat_template([turn], add_generation_prompt=True)
    inputs = model.processor(
        text=[prompt] * len(views),
        images=[[view] for view in views],
        do_image_splitting=False,  # tiles show more only of pictures larger than ours, and each costs as much as this
        return_tensors="pt",
    ).to(model.device.name)
    read, limit = inputs["input_ids"].shape[1], model.spec.context_length - room
    if read > limit:
        raise ContextLengthError(
            f"Expected picture and question to have at most {limit:,} tokens together; got {read:,}. "
            "Shorten the question."
        )
    pixels = inputs["pixel_values"].to(model.network.dtype)
    return _Asked(dict(inputs | {"pixel_values": pixels}), read)


def _ends(model: LoadedModel) -> list[int]:
    """The tokens that end an answer."""
    if model.processor is None:
        return [model.words.tokenizer.eos_token_id]
    known = model.network.generation_config.eos_token_id
    return list(known) if isinstance(known, list | tuple) else [known]


def _words(ids: Sequence[int], model: LoadedModel) -> str:
    kept = [i for i in ids if i not in _ends(model)]
    if model.processor is not None:
        written = model.processor.tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return written.strip()
    shown = [i for i in kept if i != model.words.tokenizer.pad_token_id]
    return model.words.tokenizer.decode(shown, clean_up_tokenization_spaces=False).replace(" ,", ",").strip()


def _unknown(question: str, model: LoadedModel) -> tuple[str, ...]:
    """The question's words that became the unknown token; a chat model reads any word, letter by letter if need be."""
    missing = model.words.tokenizer.unk_token_id
    if missing is None or model.processor is not None:
        return ()
    text = question.strip()
    ids, _ = model.words.encode(text)
    spans = model.words.spans(text)
    found = (text[a:b] for (a, b), i in zip(spans, ids, strict=True) if i == missing)
    return tuple(dict.fromkeys(found))
