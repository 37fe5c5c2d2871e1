"""Vision-language models: a picture and a question in, an answer out, and which part of the picture it rests on.

Lecture: Multi-modal: GPT-4. Here a vision encoder turns patches into vectors and a decoder attends to them while it
writes. Covering one part after the other is occlusion (Zeiler and Fergus 2014, arXiv:1311.2901). Log-probabilities are
in nats.
"""

from collections.abc import Sequence

import numpy as np
import torch
from transformers.modeling_outputs import BaseModelOutput

from lecture_core.engine.pictures import CoveredAnswers, ImageAnswer, Picture
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import provenance_of
from lecture_core.scenes import cover
from lecture_core.scoring import token_logprob
from lecture_core.text_input import checked

MAX_QUESTION = 200  # characters
MAX_NEW_TOKENS = 48
MAX_GRID = 8


@torch.inference_mode()
def answer(picture: Picture, question: str, model: LoadedModel, *, top_k: int = 5) -> ImageAnswer:
    """Answer a question about a picture greedily, with the log-probability of each word and its alternatives.

    Args:
        picture: of any size; the model sees it scaled to its own.
        top_k: alternatives a token; 0 for none.

    Raises:
        InvalidInputError: no usable question, or a model that is no encoder-decoder.
        ContextLengthError: a question longer than the model can read.
    """
    ids = _question_ids(question, model)
    tokenizer = model.words.tokenizer
    room = min(MAX_NEW_TOKENS, model.spec.context_length - len(ids))
    written = model.network.generate(
        _pixels([picture.pixels()], model),
        decoder_input_ids=torch.tensor([ids], device=model.device.name),
        max_new_tokens=room,
        do_sample=False,
        num_beams=1,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        return_dict_in_generate=True,
        output_logits=True,
    )
    new_ids = written.sequences[0, len(ids) :].tolist()
    tokens = tuple(
        token_logprob(i, row[0].float(), model, top_k) for i, row in zip(new_ids, written.logits, strict=True)
    )
    ended = bool(new_ids) and new_ids[-1] == tokenizer.eos_token_id
    return ImageAnswer(
        text=_words(new_ids, model),
        tokens=tokens,
        question_tokens=len(ids),
        unknown=_unknown(question, ids, model),
        reason="stop" if ended else "length",
        provenance=provenance_of(model),
    )


@torch.inference_mode()
def answer_when_covered(
    picture: Picture, question: str, answer_ids: Sequence[int], model: LoadedModel, *, grid: int = 4
) -> CoveredAnswers:
    """Give the probability of one answer with each cell of the picture covered in turn, all in one batch.

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
    ids = _question_ids(question, model, room=len(answer_ids))
    pixels = picture.pixels()
    views = [pixels, *(cover(pixels, [cell], grid=grid) for cell in range(grid * grid))]
    row = torch.tensor([[*ids, *answer_ids[:-1]]], device=model.device.name)
    seen = model.network.encoder(pixel_values=_pixels(views, model)).last_hidden_state  # (B, patches, D)
    logits = model.network(
        encoder_outputs=BaseModelOutput(last_hidden_state=seen),
        decoder_input_ids=row.expand(len(views), -1),
        use_cache=False,
    ).logits[:, len(ids) - 1 :]  # (B, T, V)
    logprobs = logits.float().log_softmax(-1)
    wanted = torch.tensor(list(answer_ids), device=logprobs.device).expand(len(views), -1)
    chances = logprobs.gather(-1, wanted[..., None]).sum((-2, -1)).exp().tolist()
    firsts = logprobs[1:, 0].argmax(-1).tolist()
    return CoveredAnswers(
        grid=grid,
        answer=_words(answer_ids, model),
        probability=chances[0],
        covered=tuple(chances[1:]),
        first_words=tuple(model.words.readable(i) for i in firsts),
        provenance=provenance_of(model),
    )


def _question_ids(question: str, model: LoadedModel, *, room: int = 1) -> list[int]:
    if not model.network.config.is_encoder_decoder:
        raise InvalidInputError(
            expected="a vision encoder with a text decoder",
            got=f"{model.spec.title}, a chat model",
            remedy="ask it with the lines under 'Code that reproduces this'",
        )
    text = checked(question, limit=MAX_QUESTION).strip()
    ids, _ = model.words.encode(text if text.endswith("?") else f"{text}?")
    limit = model.spec.context_length - room
    if len(ids) > limit:
        raise ContextLengthError(
            f"Expected a question of at most {limit - 1} words, signs counted; got {len(ids) - 1}. Shorten it."
        )
    return ids


def _pixels(views: Sequence[np.ndarray], model: LoadedModel) -> torch.Tensor:
    pixels = model.images(list(views), return_tensors="pt")["pixel_values"]
    return pixels.to(model.device.name, model.network.dtype)


def _words(ids: Sequence[int], model: LoadedModel) -> str:
    ends = (model.words.tokenizer.eos_token_id, model.words.tokenizer.pad_token_id)
    shown = [i for i in ids if i not in ends]
    return model.words.tokenizer.decode(shown, clean_up_tokenization_spaces=False).replace(" ,", ",").strip()


def _unknown(question: str, ids: Sequence[int], model: LoadedModel) -> tuple[str, ...]:
    """The question's words that became the unknown token."""
    missing = model.words.tokenizer.unk_token_id
    spans = model.words.spans(question.strip())
    found = (question.strip()[a:b] for (a, b), i in zip(spans, ids, strict=False) if i == missing)
    return tuple(dict.fromkeys(found))
