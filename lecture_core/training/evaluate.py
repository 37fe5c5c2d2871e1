"""`python -m lecture_core.training.evaluate <id> --corpus FILE`: a bundled model's figures on held-out articles.

Prints one line of JSON: sentences and packed blocks apart, since visitors type sentences and papers report blocks.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, AutoModelForPreTraining, AutoTokenizer

from lecture_core import catalog
from lecture_core.errors import InvalidInputError, LectureError
from lecture_core.training.corpus import TokenisedCorpus, tokenise
from lecture_core.training.masked_lm import MaskedLM
from lecture_core.training.recipes import BUNDLED
from lecture_core.training.replaced_token_detection import ReplacedTokenDetection

KINDS = {"sentences": 1.0, "blocks": 0.0}


def measure(role: str, folder: Path, generator: Path, held_out: TokenisedCorpus, batches: int) -> dict[str, Any]:
    """Return the figures of one model by kind of text.

    Args:
        role: `masked_lm` or `rtd_discriminator`.
        generator: folder of the generator that makes the discriminator's fakes.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder)
    objective: MaskedLM | ReplacedTokenDetection
    if role == "masked_lm":
        objective = MaskedLM(AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32), tokenizer)
    else:
        pair = (
            AutoModelForMaskedLM.from_pretrained(generator, dtype=torch.float32),
            AutoModelForPreTraining.from_pretrained(folder, dtype=torch.float32),
        )
        objective = ReplacedTokenDetection(*pair, tokenizer)
    with torch.inference_mode():
        return {k: objective.evaluate(held_out, batches=batches, sentence_share=share) for k, share in KINDS.items()}


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, measure, print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lecture_core.training.evaluate", description=__doc__)
    parser.add_argument("model", help="catalog id of a bundled masked LM or discriminator")
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--folder", type=Path, default=BUNDLED, help="folder that holds the model's folder")
    parser.add_argument("--state", type=Path, default=Path("training-state"))
    parser.add_argument("--batches", type=int, default=24, help="batches of 4,096 tokens a kind of text")
    options = parser.parse_args(arguments)
    try:
        role = catalog.get(options.model).role
        if role not in ("masked_lm", "rtd_discriminator"):
            raise InvalidInputError(expected="a masked LM or a discriminator", got=role, remedy="give another id")
        folder = options.folder / options.model
        held_out = tokenise(
            options.corpus, AutoTokenizer.from_pretrained(folder), held_out=True, cache=options.state / "tokens"
        )
        result = measure(role, folder, options.folder / "minilm-electra-generator", held_out, options.batches)
    except LectureError as exc:
        print(exc, file=sys.stderr)
        return 2
    print(json.dumps({"model": options.model, "held_out_tokens": held_out.tokens} | result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
