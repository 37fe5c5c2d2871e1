"""The few lines of transformers that ask a vision-language model about a picture, for the code drawer.

Lecture: Multi-modal: GPT-4. Writes text; runs nothing.
"""

from lecture_core.catalog import ModelSpec
from lecture_core.picture_view import KEPT_SIDE
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
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

folder = "{location}"
model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
processor = AutoProcessor.from_pretrained(folder)
photo = Image.open("photo.png").convert("RGB")
photo.thumbnail(({side}, {side}))
content = [{{"type": "image"}}, {{"type": "text", "text": {question!r}}}]
prompt = processor.apply_chat_template([{{"role": "user", "content": content}}], add_generation_prompt=True)
inputs = processor(text=[prompt], images=[[photo]], do_image_splitting=False, return_tensors="pt")
written = model.generate(**inputs, max_new_tokens=48, do_sample=False)
print(processor.decode(written[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))
"""
_PHOTO = """import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

folder = "{location}"
model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
photo = Image.open("photo.png").convert("RGB")
photo.thumbnail(({side}, {side}))
pixels = AutoImageProcessor.from_pretrained(folder)(photo, return_tensors="pt").pixel_values
words = AutoTokenizer.from_pretrained(folder)
ids = words({question!r}, return_tensors="pt").input_ids
written = model.generate(pixels, decoder_input_ids=ids, max_new_tokens=48, do_sample=False)
print(words.decode(written[0, ids.shape[1]:], skip_special_tokens=True))
"""


def scene_code(spec: ModelSpec, scene: Scene, question: str) -> str:
    """Return code that asks an encoder-decoder of ours about a scene."""
    return _ENCODER_DECODER.format(folder=spec.loadable, scene=scene.key, question=_asked(question))


def photo_code(spec: ModelSpec, question: str) -> str:
    """Return code that asks a model about a photo; a chat model of the Hub is downloaded by it."""
    if spec.origin == "bundled":
        return _PHOTO.format(location=spec.loadable, side=KEPT_SIDE, question=_asked(question))
    return _CHAT.format(location=spec.loadable, side=KEPT_SIDE, question=question.strip())


def _asked(question: str) -> str:
    """With the sign at its end that our models know every question by."""
    return question.strip() if question.strip().endswith("?") else f"{question.strip()}?"
