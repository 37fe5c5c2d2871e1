"""The few lines of transformers that ask a vision-language model about a picture, for the code drawer.

Lecture: Multi-modal: GPT-4. Writes text; runs nothing.
"""

from lecture_core.catalog import ModelSpec
from lecture_core.scenes import Scene

_ENCODER_DECODER = """import torch
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from lecture_core.scenes import parse, render

folder = "{folder}"
model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
pixels = AutoImageProcessor.from_pretrained(folder)(render(parse("{scene}")), return_tensors="pt").pixel_values
words = AutoTokenizer.from_pretrained(folder)
ids = words({question!r}, return_tensors="pt").input_ids
written = model.generate(pixels, decoder_input_ids=ids, max_new_tokens=48, do_sample=False)
print(words.decode(written[0, ids.shape[1]:], skip_special_tokens=True))
"""
_CHAT = """import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

model = AutoModelForImageTextToText.from_pretrained("{location}", dtype=torch.float32).eval()
processor = AutoProcessor.from_pretrained("{location}")
content = [{{"type": "image", "path": "photo.jpg"}}, {{"type": "text", "text": {question!r}}}]
turn = {{"role": "user", "content": content}}
inputs = processor.apply_chat_template(
    [turn], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
)
written = model.generate(**inputs, max_new_tokens=64, do_sample=False)
print(processor.decode(written[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))
"""


def scene_code(spec: ModelSpec, scene: Scene, question: str) -> str:
    """Return code that asks an encoder-decoder of ours about a scene."""
    asked = question.strip() if question.strip().endswith("?") else f"{question.strip()}?"
    return _ENCODER_DECODER.format(folder=spec.loadable, scene=scene.key, question=asked)


def photo_code(spec: ModelSpec, question: str) -> str:
    """Return code that asks a chat model from the Hub about a photo; it downloads the weights."""
    return _CHAT.format(location=spec.loadable, question=question)
