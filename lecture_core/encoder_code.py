"""The few lines of plain transformers that reproduce what the pre-training labs show; run from the project's folder."""

from lecture_core.catalog import ModelSpec
from lecture_core.hidden_text import HiddenText
from lecture_core.objectives import t5_strings
from lecture_core.prompting_code import loading_code

_FILL = """import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({source!r})
model = AutoModelForMaskedLM.from_pretrained({source!r}, dtype=torch.float32)
batch = tokenizer({text!r}, return_tensors="pt")
with torch.inference_mode():
    logits = model(**batch).logits[0]
for position in (batch.input_ids[0] == tokenizer.mask_token_id).nonzero()[:, 0]:
    best = (logits[position] / {temperature}).softmax(-1).topk(6)
    print([(tokenizer.decode(i), round(p.item(), 3)) for i, p in zip(best.indices, best.values)])
"""
_DETECT = """import torch
from transformers import AutoModelForPreTraining, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({source!r})
discriminator = AutoModelForPreTraining.from_pretrained({source!r}, dtype=torch.float32)
batch = tokenizer({text!r}, return_tensors="pt")
with torch.inference_mode():
    probabilities = discriminator(**batch).logits[0].sigmoid()  # chance that each token was replaced
for token, p in zip(tokenizer.convert_ids_to_tokens(batch.input_ids[0]), probabilities):
    print(f"{{token:12}} {{p:.2f}}")
"""
_OBJECTIVES = """import torch
from transformers import AutoModelForMaskedLM, AutoModelForSeq2SeqLM, AutoTokenizer

text, hidden = {text!r}, {hidden!r}  # hidden: characters from, to

tokenizer = AutoTokenizer.from_pretrained({encoder!r})
encoder = AutoModelForMaskedLM.from_pretrained({encoder!r}, dtype=torch.float32)
batch = tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
spans = batch.pop("offset_mapping")[0].tolist()
masked = torch.tensor([any(a < end and start < b for start, end in hidden) for a, b in spans])
labels = torch.where(masked, batch.input_ids[0], -100)[None]  # loss at hidden tokens only
batch["input_ids"][0, masked] = tokenizer.mask_token_id
with torch.inference_mode():
    print("masked LM", encoder(**batch, labels=labels).loss)

{load_decoder}batch = tokenizer(text, return_tensors="pt")
with torch.inference_mode():
    print("autoregressive LM", model(**batch, labels=batch.input_ids).loss)  # loss at every token after the first

tokenizer = AutoTokenizer.from_pretrained({seq2seq!r})
seq2seq = AutoModelForSeq2SeqLM.from_pretrained({seq2seq!r}, dtype=torch.float32)
batch = tokenizer({corrupted!r}, return_tensors="pt")
labels = tokenizer({target!r}, return_tensors="pt").input_ids
with torch.inference_mode():
    print("span corruption", seq2seq(**batch, labels=labels).loss)  # loss at every token of the target
"""
_TEXT_TO_TEXT = """import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({source!r})
model = AutoModelForSeq2SeqLM.from_pretrained({source!r}, dtype=torch.float32)
batch = tokenizer({text!r}, return_tensors="pt")
written = model.generate(**batch, max_new_tokens=64, do_sample=False)
print(tokenizer.decode(written[0], skip_special_tokens=True))
"""


def fill_mask_code(spec: ModelSpec, text: str, temperature: float) -> str:
    """Return a program that prints the candidates at each mask of `text` (with the model's own mask token)."""
    return _FILL.format(source=spec.loadable, text=text, temperature=temperature)


def detection_code(spec: ModelSpec, text: str) -> str:
    """Return a program that prints each token's probability of being a replacement."""
    return _DETECT.format(source=spec.loadable, text=text)


def three_objectives_code(encoder: ModelSpec, decoder: ModelSpec, seq2seq: ModelSpec, text: HiddenText) -> str:
    """Return a program that prints the loss (nats a target token) of one sentence under each objective."""
    corrupted, target = t5_strings(text)[0]
    return _OBJECTIVES.format(
        text=text.plain,
        hidden=list(text.hidden_spans),
        encoder=encoder.loadable,
        load_decoder=loading_code(decoder.id),
        seq2seq=seq2seq.loadable,
        corrupted=corrupted,
        target=target,
    )


def text_to_text_code(spec: ModelSpec, text: str) -> str:
    """Return a program that prints what an encoder-decoder model writes for `text`."""
    return _TEXT_TO_TEXT.format(source=spec.loadable, text=text)
