"""Several answers side by side, written one after the other: drawn about 8 times a second, stopped by any click.

One visitor keeps one stream. The page's other parts are drawn before; a widget that changes reruns the page, which
closes the stream and frees the model.
"""

import time
from collections.abc import Callable, Generator, Hashable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core.errors import LectureError
from lecture_core.ui.answers import answer_box, text_box, writing_box
from lecture_core.ui.errors import user_errors

T = TypeVar("T")
UPDATE = 0.12  # seconds between two drawings of a stream


@dataclass
class _Race:
    """What came so far; kept for the session, so that a rerun with the same inputs asks no model again."""

    inputs: Hashable
    finish: Callable[..., None]
    texts: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, LectureError] = field(default_factory=dict)
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True

    def again(self) -> None:
        self.stopped = False
        self.texts.clear()


def race(
    key: str,
    inputs: Hashable,
    slots: Mapping[str, DeltaGenerator],
    start: Callable[[str], Generator[tuple[str, T | None], None, None]],
    *,
    control: DeltaGenerator,
    lines: int = 2,
    finish: Callable[..., None] = answer_box,
) -> dict[str, T]:
    """Stream one answer into each slot; return what each stream gave at its end (a verdict, a sample), by name.

    Args:
        key: prefixed by the page's stem.
        inputs: everything the answers depend on; the same inputs show the stored answers.
        slots: an empty element for each answer.
        start: begins the stream of one name: the text so far, and None until the end.
        control: an empty element for the Stop button.
        lines: height that is kept free for a text.
        finish: draws an end: `finish(slot, end, lines=lines)`.
    """
    now: _Race | None = st.session_state.get(f"{key}_race")
    if now is None or now.inputs != inputs:
        now = st.session_state[f"{key}_race"] = _Race(inputs, finish)
    open_names = [name for name in slots if name not in now.outcomes and name not in now.errors]
    for name in slots:
        _draw(now, name, slots[name], lines)
    if open_names and not now.stopped:
        control.button("Stop", key=f"{key}_stop", icon=":material/stop_circle:", on_click=now.stop)
        _run(now, open_names, slots, start, lines)
        control.empty()
    elif open_names:
        control.button("Run again", key=f"{key}_again", icon=":material/replay:", on_click=now.again)
    return now.outcomes


def _run(
    now: _Race,
    names: list[str],
    slots: Mapping[str, DeltaGenerator],
    start: Callable[[str], Generator[tuple[str, Any], None, None]],
    lines: int,
) -> None:
    for name in names:
        drawn = 0.0
        with closing(start(name)) as stream:
            while _advance(now, name, stream):
                if time.monotonic() - drawn > UPDATE:
                    drawn = time.monotonic()
                    _draw(now, name, slots[name], lines)
        _draw(now, name, slots[name], lines)


def _advance(now: _Race, name: str, stream: Generator[tuple[str, Any], None, None]) -> bool:
    """Take one step of a stream; return whether more will come."""
    try:
        now.texts[name], outcome = next(stream)
    except LectureError as error:
        now.errors[name] = error
        return False
    if outcome is not None:
        now.outcomes[name] = outcome
    return outcome is None


def _draw(now: _Race, name: str, slot: DeltaGenerator, lines: int) -> None:
    if name in now.outcomes:
        now.finish(slot, now.outcomes[name], lines=lines)
    elif name in now.errors:
        with slot.container(), user_errors():
            raise now.errors[name]
    elif now.stopped:
        text_box(slot, now.texts.get(name, ""), lines=lines, note="stopped")
    else:
        writing_box(slot, now.texts.get(name, ""), lines=lines)
