"""The few lines of plain transformers that reproduce what the pre-training labs show; run from the project's folder."""

from lecture_core.catalog import ModelSpec
from lecture_core.engine.results import Corruption
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
_DUEL = """import torch
from transformers import AutoModelForMaskedLM, AutoModelForPreTraining, AutoTokenizer

original = {original}  # token ids of the sentence
sampled = {sampled}  # position: what the generator sampled there, seed {seed}

tokenizer = AutoTokenizer.from_pretrained({generator!r})
generator = AutoModelForMaskedLM.from_pretrained({generator!r}, dtype=torch.float32)
discriminator = AutoModelForPreTraining.from_pretrained({discriminator!r}, dtype=torch.float32)
ids = torch.tensor([original])
masked, corrupted = ids.clone(), ids.clone()
for position, token in sampled.items():
    masked[0, position], corrupted[0, position] = tokenizer.mask_token_id, token
with torch.inference_mode():
    offered = generator(masked).logits[0]
    fake = discriminator(corrupted).logits[0].sigmoid()  # chance that each token was replaced
    offered[:, tokenizer.all_special_ids] = -torch.inf  # never sampled
    offered = (offered / {temperature}).softmax(-1)
for position, token in enumerate(corrupted[0].tolist()):
    chance = f"sampled with {{offered[position, token]:.3f}}" if position in sampled else ""
    print(f"{{tokenizer.decode(token):12}} {{fake[position]:.2f}} {{chance}}")
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


def duel_code(generator: ModelSpec, discriminator: ModelSpec, corruption: Corruption, temperature: float) -> str:
    """Return a program that prints how probable each sample was, and the discriminator's answer on every token."""
    sampled = {i: corruption.corrupted_ids[i] for i, token in enumerate(corruption.tokens) if token.masked}
    return _DUEL.format(
        original=list(corruption.original_ids),
        sampled=sampled,
        seed=corruption.provenance.seed,
        generator=generator.loadable,
        discriminator=discriminator.loadable,
        temperature=temperature,
    )


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
