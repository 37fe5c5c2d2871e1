"""How a model's answer looks while it is written and after it is judged: text, the extracted answer marked, verdict.

A model's words are escaped letter by letter, never Markdown; HTML is needed to mark a part of them.
"""

import html

from streamlit.delta_generator import DeltaGenerator

from lecture_core.answers import split_at
from lecture_core.measurement import Outcome

_BOX = (
    "white-space:pre-wrap;overflow-wrap:anywhere;font-family:monospace;font-size:0.9rem;line-height:1.45;"
    "margin:0;padding:0.5rem 0.8rem;border:1px solid rgba(128,128,128,0.45);border-radius:0.5rem;max-height:18rem;"
    "overflow-y:auto;"
)
_VERDICT = "overflow-wrap:anywhere;font-size:0.95rem;margin-top:0.35rem;min-height:1.6em"
_MARK = "background:rgba(213,94,0,0.22);color:inherit;border-bottom:2px solid #D55E00;font-weight:700;padding:0 2px"


def writing_box(slot: DeltaGenerator, text: str, *, lines: int) -> None:
    """Show what a model has written so far, in a box at least so many lines high."""
    _box(slot, html.escape(text.strip()) + '<span aria-hidden="true">▍</span>', lines)


def text_box(slot: DeltaGenerator, text: str, *, lines: int, note: str) -> None:
    """Show a finished text as it is and under it a note, our own plain words."""
    _box(slot, html.escape(text.strip()) or "<i>(nothing)</i>", lines, verdict=html.escape(note))


def answer_box(slot: DeltaGenerator, outcome: Outcome, *, lines: int) -> None:
    """Show a finished completion with the extracted answer marked, and under it the verdict."""
    before, answer, after = (html.escape(part) for part in split_at(outcome.completion, outcome.extracted))
    body = f'{before.lstrip()}<mark style="{_MARK}">{answer}</mark>{after.rstrip()}' if answer else before.strip()
    _box(slot, body or "<i>(nothing)</i>", lines, verdict=_verdict(outcome))


def _box(slot: DeltaGenerator, body: str, lines: int, *, verdict: str = "&nbsp;") -> None:
    height = f"min-height:{1.45 * 0.9 * lines + 1.1:.2f}rem;"
    slot.html(f'<pre tabindex="0" style="{_BOX}{height}">{body}</pre><div style="{_VERDICT}">{verdict}</div>')


def _verdict(outcome: Outcome) -> str:
    """Say what was read as the answer and whether it is right; without a known answer there is no verdict."""
    found, truth = outcome.extracted, html.escape(outcome.item.answer)
    read = "No answer in the form asked for."
    if found is not None:
        where = "" if found.pattern == "strict" else ", found in free text"
        read = f"The model said <b>{html.escape(found.value)}</b>{where}."
    if not truth:
        return read
    mark = "✓ right" if outcome.right else "✗ wrong"
    return f'<b style="white-space:nowrap">{mark}</b>.{"" if outcome.right else f" Right is <b>{truth}</b>."} {read}'
