"""The few lines of plain transformers that reproduce what the pre-training labs show; run from the project's folder."""

from lecture_core.catalog import ModelSpec

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


def fill_mask_code(spec: ModelSpec, text: str, temperature: float) -> str:
    """Return a program that prints the candidates at each mask of `text` (with the model's own mask token)."""
    return _FILL.format(source=spec.loadable, text=text, temperature=temperature)


def detection_code(spec: ModelSpec, text: str) -> str:
    """Return a program that prints each token's probability of being a replacement."""
    return _DETECT.format(source=spec.loadable, text=text)
