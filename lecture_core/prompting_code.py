"""The few lines of transformers that give the prompting labs' results again, for the code drawer.

Lecture: GPT-3, in-context learning; chain-of-thought prompting. Writes text; runs nothing.
"""

from pathlib import PurePosixPath

from lecture_core import catalog
from lecture_core.chain_of_thought import ANSWER_TOKENS, ANSWER_TRIGGER, STOPS, build_prompt
from lecture_core.few_shot import Asking
from lecture_core.tasks import Item, Task

_GGUF = """import importlib.util
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

# The four-bit file of the package {package}, unpacked to float32; the app runs it on llama.cpp,
# whose four-bit arithmetic can choose another token where two are almost equally probable.
folder = Path(importlib.util.find_spec("{package}").origin).parent
tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file="{file}")
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file="{file}")
"""
_HUB = """import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{location}")
model = AutoModelForCausalLM.from_pretrained("{location}", dtype=torch.float32)
"""
_WRITE = """

def write(prompt, tokens, stop):
    batch = tokenizer(prompt, return_tensors="pt")
    ids = model.generate(**batch, max_new_tokens=tokens, do_sample=False, stop_strings=stop, tokenizer=tokenizer)
    return tokenizer.decode(ids[0, batch.input_ids.shape[1]:], skip_special_tokens=True)

"""
_RANK = """

def log_probability(prompt, label):
    start = tokenizer(prompt, return_tensors="pt").input_ids
    end = tokenizer(" " + label, return_tensors="pt", add_special_tokens=False).input_ids
    with torch.inference_mode():
        logits = model(torch.cat([start, end], dim=1)).logits[0, start.shape[1] - 1 : -1]
    return logits.log_softmax(-1).gather(1, end[0, :, None]).sum().item()

"""


def loading_code(model: str) -> str:
    """Return the lines that load a model of the catalog with plain transformers."""
    spec = catalog.get(model)
    if spec.origin != "wheel":
        return _HUB.format(location=spec.location)
    path = PurePosixPath(spec.location)
    return _GGUF.format(package=path.parent, file=path.name)


def task_code(task: Task, asking: Asking, prompt: str) -> str:
    """Return the code of one few-shot question: labels are ranked, free text is continued."""
    if asking.ranks(task):
        return ranking_code(asking.model, prompt, task.labels)
    return completion_code(asking.model, prompt, max_new_tokens=task.max_new_tokens, stop=task.stop)


def completion_code(model: str, prompt: str, *, max_new_tokens: int, stop: tuple[str, ...]) -> str:
    """Return code that continues a prompt greedily."""
    call = f"print(write(prompt, {max_new_tokens}, {list(stop)!r}))\n"
    return f"{loading_code(model)}{_WRITE}prompt = {prompt!r}\n{call}"


def ranking_code(model: str, prompt: str, labels: tuple[str, ...]) -> str:
    """Return code that ranks labels after a prompt."""
    call = f"print({{label: log_probability(prompt, label) for label in {list(labels)!r}}})\n"
    return f"{loading_code(model)}{_RANK}prompt = {prompt!r}\n{call}"


def reasoning_code(task: Task, item: Item, model: str, k: int, seed: int) -> str:
    """Return code that asks one word problem the three ways of the chain-of-thought lab."""
    direct, reasoning, step = (
        build_prompt(task, item, method, k, seed=seed) for method in ("direct", "reasoning", "step_by_step")
    )
    lines = (
        "# Answer at once",
        f"print(write({direct!r}, {ANSWER_TOKENS}, {list(STOPS['direct'])!r}))",
        "# Exemplars that reason",
        f"print(write({reasoning!r}, {task.max_new_tokens}, {list(STOPS['reasoning'])!r}))",
        "# Step by step: first the reasoning, then the number",
        f"prompt = {step!r}",
        f"text = write(prompt, {task.max_new_tokens}, {list(STOPS['step_by_step'])!r}).rstrip()",
        f'print(text, write(prompt + text + "\\n{ANSWER_TRIGGER}", {ANSWER_TOKENS}, ["\\n"]))',
    )
    return f"{loading_code(model)}{_WRITE}" + "\n".join(lines) + "\n"


def token_logprobs_code(model: str, text: str) -> str:
    """Return code that prints every token of a text with its log-probability (nats) after the tokens before it."""
    lines = (
        f"text = {text!r}",
        'batch = tokenizer(text, return_tensors="pt")',
        "with torch.inference_mode():",
        "    logprobs = model(**batch).logits[0, :-1].log_softmax(-1)",
        "ids = batch.input_ids[0, 1:]",
        "for token, row in zip(ids, logprobs):",
        '    print(f"{tokenizer.decode(token)!r:12} {row[token]:.2f}")',
    )
    return loading_code(model) + "\n" + "\n".join(lines) + "\n"
