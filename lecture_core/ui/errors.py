"""Show a visitor's mistake as a sentence; let everything else surface.

Does not know what went wrong: the message of a `LectureError` is written for the visitor where it is raised.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lecture_core.errors import LectureError

_MARKUP = re.compile(r"([\\`*_\[\]<>$~|&#{}])")
_LINE_START = re.compile(r"^(\s*)(?:([-+=])|(\d+)([.)]))")
_TRIGGERS = re.compile(r"(:|@|www)(?=\S)", re.IGNORECASE)
_ARROWS = re.compile(r"([-<>~])(?=[-=>])")
_WORD_JOINER = "\u2060"


def escape_markdown(text: str) -> str:
    """Return `text` so that Streamlit's Markdown shows it letter by letter, on one line.

    Backslashes stop markup, HTML and formulas. Links, e-mail addresses and emoji codes are recognised after the
    backslashes are gone, and so are arrows made of two signs, so an invisible word joiner splits what starts them.
    """
    line = _ARROWS.sub(lambda found: found[1] + _WORD_JOINER, " ".join(text.split()))
    line = _MARKUP.sub(r"\\\1", line)
    line = _LINE_START.sub(lambda found: f"{found[1]}{found[3] or ''}\\{found[2] or found[4]}", line)
    return _TRIGGERS.sub(lambda found: found[1] + _WORD_JOINER, line)


@contextmanager
def user_errors() -> Iterator[None]:
    """Show a `LectureError` as a plain sentence in place of the result; the rest of the page goes on."""
    try:
        yield
    except LectureError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
