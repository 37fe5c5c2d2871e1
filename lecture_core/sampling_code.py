"""The few lines of transformers that print the distribution of the page on next tokens. Writes text; runs nothing."""

from lecture_core.prompting_code import loading_code
from lecture_core.sampling import Truncation

_READ = """
batch = tokenizer({text!r}, return_tensors="pt")
with torch.inference_mode():
    logits = model(**batch).logits[0, -1].float()
best = (logits / {temperature}).softmax(-1).sort(descending=True)
probabilities = best.values.clone()
"""
_TOP_K = """probabilities[{top_k}:] = 0  # top-k
probabilities /= probabilities.sum()
"""
_TOP_P = """probabilities[probabilities.cumsum(0) - probabilities >= {top_p}] = 0  # top-p
probabilities /= probabilities.sum()
"""
_PRINT = """for token, probability in zip(best.indices[:12], probabilities[:12]):
    print(f"{probability:.4f} {tokenizer.decode(token)!r}")
"""


def next_token_code(model: str, text: str, how: Truncation) -> str:
    """Return a program that prints the twelve most probable tokens after `text` with their probabilities."""
    cuts = _TOP_K.format(top_k=how.top_k) if how.top_k else ""
    cuts += _TOP_P.format(top_p=how.top_p) if how.top_p < 1 else ""
    return loading_code(model) + _READ.format(text=text, temperature=how.temperature) + cuts + _PRINT
