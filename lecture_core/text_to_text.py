"""Encoder-decoder models: text in, text out; every task is named by a prefix of the input.

Lecture: T5. Source: Raffel et al. 2020 (arXiv:1910.10683). Log-probabilities are in nats.
"""

import torch

from lecture_core.engine.results import TextToText, TokenLogprobs
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.loading import LoadedModel
from lecture_core.masked_lm import provenance_of
from lecture_core.text_input import checked
from lecture_core.token_logprobs import logprobs_of_rows

MAX_NEW_TOKENS = 256


@torch.inference_mode()
def write(text: str, model: LoadedModel, *, max_new_tokens: int = 64, top_k: int = 5) -> TextToText:
    """Write the output for `text` greedily, with the log-probability of each token and its best alternatives.

    Args:
        text: the input with its prefix.
        max_new_tokens: 1 to 256.
        top_k: alternatives a token; 0 for none.

    Raises:
        InvalidInputError: no usable text, `max_new_tokens` out of range.
        ContextLengthError: more tokens than the model was trained to read.
    """
    if not 1 <= max_new_tokens <= MAX_NEW_TOKENS:
        raise InvalidInputError(
            expected=f"1 to {MAX_NEW_TOKENS} new tokens",
            got=str(max_new_tokens),
            remedy="choose a number in that range",
        )
    ids, _ = model.words.encode(checked(text))
    tokenizer = model.words.tokenizer
    written = model.network.generate(
        torch.tensor([ids], device=model.device.name),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        num_beams=1,
        return_dict_in_generate=True,
        output_logits=True,
    )
    new_ids = written.sequences[0, 1:].tolist()  # without the start token
    tokens = tuple(logprobs_of_rows(new_ids, torch.cat(written.logits), model, top_k))
    ended = bool(new_ids) and new_ids[-1] == tokenizer.eos_token_id
    shown = [i for i in new_ids if i not in (tokenizer.eos_token_id, tokenizer.pad_token_id)]
    output = tokenizer.decode(shown, clean_up_tokenization_spaces=False).strip()
    return TextToText(output, tokens, len(ids), "stop" if ended else "length", provenance_of(model))


@torch.inference_mode()
def target_logprobs(text: str, target: str, model: LoadedModel, *, top_k: int = 5) -> TokenLogprobs:
    """Give each token of `target` its log-probability after `text` and the true tokens before it (teacher forcing).

    Raises:
        InvalidInputError: no usable text or target.
        ContextLengthError: the text or the target has more tokens than the context holds.
    """
    ids, labels = model.words.encode(checked(text))[0], model.words.encode(checked(target))[0]
    if len(labels) > model.spec.context_length:
        raise ContextLengthError(f"The target has {len(labels):,} tokens; shorten it.")
    device = model.device.name
    logits = model.network(
        input_ids=torch.tensor([ids], device=device), labels=torch.tensor([labels], device=device)
    ).logits[0]  # (T, V)
    tokens = tuple(logprobs_of_rows(labels, logits, model, top_k))
    return TokenLogprobs(tokens, sum(t.logprob for t in tokens) / len(tokens), provenance_of(model))
