"""The few lines of plain transformers behind the panels under the pre-training labs; run from the project's folder."""

from lecture_core.catalog import ModelSpec
from lecture_core.t5_sizes import Shape

_RECIPE = """import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({source!r})
model = AutoModelForMaskedLM.from_pretrained({source!r}, dtype=torch.float32)
ids = tokenizer({text!r}, return_tensors="pt").input_ids
special = torch.tensor(tokenizer.get_special_tokens_mask(ids[0].tolist(), already_has_special_tokens=True)).bool()
generator = torch.Generator().manual_seed({seed})
for rate in {rates}:
    right, nats = [], []
    for _ in range({draws}):
        hidden = (torch.rand(ids.shape[1], generator=generator) < rate) & ~special
        if hidden.any():
            with torch.inference_mode():
                logits = model(ids.masked_fill(hidden, tokenizer.mask_token_id)).logits[0, hidden]
            right += (logits.argmax(-1) == ids[0, hidden]).tolist()
            nats += torch.nn.functional.cross_entropy(logits, ids[0, hidden], reduction="none").tolist()
    loss = sum(nats) / max(1, len(nats))
    print(f"{{rate:.0%}} hidden: {{len(right)}} tokens teach, {{sum(right)}} guessed, {{loss:.2f}} nats")
"""
_IN_ORDER = """import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({source!r})
model = AutoModelForMaskedLM.from_pretrained({source!r}, dtype=torch.float32)
ids = tokenizer({text!r}, return_tensors="pt").input_ids
masks = (ids[0] == tokenizer.mask_token_id).nonzero()[:, 0].tolist()
with torch.inference_mode():
    at_once = model(ids).logits[0, masks].argmax(-1).tolist()
    for position in masks:  # each choice is read by the next
        ids[0, position] = model(ids).logits[0, position].argmax()
print("all at once", tokenizer.convert_ids_to_tokens(at_once))
print("left to right", tokenizer.convert_ids_to_tokens(ids[0, masks]))
"""
_SIZES = """import torch
from transformers import T5Config, T5ForConditionalGeneration

shapes = {shapes!r}
for name, shape in shapes.items():
    with torch.device("meta"):  # shapes without weights
        model = T5ForConditionalGeneration(T5Config(**shape))
    count = sum(p.numel() for p in model.parameters())
    print(f"{{name}} {{count:,}} parameters, {{4 * count / 1e9:.2f}} GB float32, {{2 * count / 1e9:.2f}} GB bfloat16")
"""
_CONTRAST = """import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({source!r})
model = AutoModelForMaskedLM.from_pretrained({source!r}, dtype=torch.float32)


def at_mask(text):
    batch = tokenizer(text, return_tensors="pt")
    with torch.inference_mode():
        return model(**batch).logits[batch.input_ids == tokenizer.mask_token_id][0].log_softmax(-1)


first, second = at_mask({first!r}), at_mask({second!r})
for name, here, there in (("first", first, second), ("second", second, first)):
    strength = here.exp() * (here - there)  # a word's part of the Kullback-Leibler divergence
    best = strength.topk(8).indices
    print(name, [(tokenizer.decode(i), round(here[i].exp().item(), 4), round(there[i].exp().item(), 4)) for i in best])
"""
_SURPRISE = """import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({source!r})
model = AutoModelForMaskedLM.from_pretrained({source!r}, dtype=torch.float32)
ids = tokenizer({text!r}, return_tensors="pt").input_ids[0]
total = 0.0
for position, token in enumerate(ids.tolist()):
    if token in tokenizer.all_special_ids:
        continue
    hidden = ids.clone()
    hidden[position] = tokenizer.mask_token_id
    with torch.inference_mode():
        logprob = model(hidden[None]).logits[0, position].log_softmax(-1)[token].item()
    total += logprob
    print(f"{{tokenizer.decode(token):14}} {{logprob:.2f}}")
print(f"pseudo-log-likelihood {{total:.1f}} nats")
"""
_STRENGTH = """import torch
from transformers import AutoModelForMaskedLM, AutoModelForPreTraining, AutoTokenizer

texts = {texts!r}
tokenizer = AutoTokenizer.from_pretrained({generator!r})
generator = AutoModelForMaskedLM.from_pretrained({generator!r}, dtype=torch.float32)
discriminator = AutoModelForPreTraining.from_pretrained({discriminator!r}, dtype=torch.float32)
torch.manual_seed({seed})
for temperature in {temperatures}:
    losses, fakes = [], []
    for text in texts:
        ids = tokenizer(text, return_tensors="pt").input_ids
        special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
        masked = (torch.rand(ids.shape) < {share}) & ~special
        with torch.inference_mode():
            logits = generator(ids.masked_fill(masked, tokenizer.mask_token_id)).logits
            samples = torch.distributions.Categorical(logits=logits / temperature).sample()
            corrupted = torch.where(masked, samples, ids)
            scores = discriminator(corrupted).logits
        fake = (corrupted != ids).float()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, fake, reduction="none")
        losses.append(loss[~special])
        fakes.append(fake[~special])
    loss, fake = torch.cat(losses).mean(), torch.cat(fakes).mean()
    print(f"temperature {{temperature}}: {{fake:.0%}} replaced, the discriminator's loss is {{loss:.3f}} nats a token")
"""


def recipe_code(spec: ModelSpec, text: str, rates: tuple[float, ...], *, draws: int, seed: int) -> str:
    """Return a program that hides tokens of a complete text at several rates and asks for them, with draws of torch."""
    return _RECIPE.format(source=spec.loadable, text=text, rates=rates, draws=draws, seed=seed)


def in_order_code(spec: ModelSpec, text: str) -> str:
    """Return a program that fills the masks of a text (the model's own) all at once, and from left to right."""
    return _IN_ORDER.format(source=spec.loadable, text=text)


def sizes_code(sizes: tuple[Shape, ...]) -> str:
    """Return a program that builds T5's sizes without weights and counts their parameters."""
    shapes = {
        s.name: {
            "vocab_size": s.vocabulary,
            "num_layers": s.layers,
            "d_model": s.d_model,
            "d_ff": s.d_ff,
            "num_heads": s.heads,
            "d_kv": s.d_kv,
        }
        for s in sizes
    }
    return _SIZES.format(shapes=shapes)


def contrast_code(spec: ModelSpec, first: str, second: str) -> str:
    """Return a program that prints what sets two sentences with one mask each (the model's own) apart."""
    return _CONTRAST.format(source=spec.loadable, first=first, second=second)


def surprise_code(spec: ModelSpec, text: str) -> str:
    """Return a program that masks each token of a text in turn and prints its log-probability."""
    return _SURPRISE.format(source=spec.loadable, text=text)


def strength_code(
    generator: ModelSpec,
    discriminator: ModelSpec,
    texts: tuple[str, ...],
    *,
    share: float,
    seed: int,
    temperatures: tuple[float, ...],
) -> str:
    """Return a program that measures a discriminator's loss over a generator's temperature; its draws are torch's."""
    return _STRENGTH.format(
        generator=generator.loadable,
        discriminator=discriminator.loadable,
        texts=texts,
        share=share,
        seed=seed,
        temperatures=temperatures,
    )
