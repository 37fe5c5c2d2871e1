"""The frame of a page: header, guess, what to notice, footer. Knows the outline, not the models."""

from collections.abc import Hashable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core.outline import page
from lecture_core.ui import components
from lecture_core.ui.errors import escape_markdown


def header(stem: str) -> None:
    """Show title, promise and lecture section of a page, from its row in `PAGES`."""
    row = page(stem)
    st.title(row.title, anchor=False)
    st.markdown(f"{row.promise} :small[:gray[In the lecture: {row.lecture}.]]")


def predict(stem: str, question: str, choices: Sequence[str]) -> str | None:
    """Ask for a guess before the result; return it, or None while the visitor skips.

    Args:
        question: our own words, one sentence.
        choices: two to four short answers.
    """
    return st.pills(
        f"**Predict.** {question}",
        list(choices),
        key=f"{stem}_guess",
        help="Guess first, then look. You may skip this.",
        persist_state="session",
        wrap=True,
    )


def new_question(stem: str, question: Hashable) -> None:
    """Drop the visitor's guess when it was about another question; call it before `predict`."""
    key = f"{stem}_guessed_about"
    if st.session_state.get(key, question) != question:
        st.session_state[f"{stem}_guess"] = None  # not popped: the browser would keep showing it
    st.session_state[key] = question


def reveal(stem: str, answer: str, explanation: str = "") -> None:
    """Compare the guess with what came, in one line; show nothing when the visitor skipped.

    Args:
        answer: what came; may be a model's words, shown letter by letter.
        explanation: our own words, one sentence.
    """
    guess = st.session_state.get(f"{stem}_guess")
    if guess is None:
        return
    guessed, came = escape_markdown(str(guess)), escape_markdown(answer)
    if str(guess).casefold() == answer.casefold():
        st.success(f"You guessed **{guessed}**, and you were right. {explanation}", icon=":material/check:")
    else:
        st.info(
            f"You guessed **{guessed}**; it came out as **{came}**. {explanation}", icon=":material/compare_arrows:"
        )


def notice(*lines: str) -> None:
    """Show two or three things to notice; our own Markdown."""
    st.subheader("What to notice", anchor=False)
    st.markdown("\n".join(f"- {line}" for line in lines))


def copy_link(key: str) -> None:
    """Show a button that copies the address of this view, with all its inputs."""
    components.copy_link(key=key, data={"label": "Copy link to this view"}, width="content")


def footer(stem: str, *, code: str, deeper: Sequence[tuple[str, str]] = ()) -> DeltaGenerator:
    """Show the code that reproduces the result, the link to this view and where to read on.

    Args:
        code: Python that runs outside this app.
        deeper: title and URL of each link.

    Returns:
        the place of the code, for a fragment above that writes it anew with `show_code`.
    """
    st.divider()
    # Opening it runs the page: what a fragment changed since is in the code then.
    with st.expander("Code that reproduces this", icon=":material/code:", key=f"{stem}_code", on_change="rerun"):
        place = st.empty()
        show_code(place, code)
    copy_link(f"{stem}_copy_link")
    if deeper:
        links = " · ".join(f"[{escape_markdown(title)}]({url})" for title, url in deeper)
        st.markdown(f"Go deeper: {links}")
    return place


def panel_code(key: str, code: str) -> None:
    """Show the code that reproduces one panel of a page, closed; for a panel beside the page's main result."""
    with st.expander("Code of this panel", icon=":material/code:", key=f"{key}_code"):
        st.code(code, language="python", wrap_lines=True)


def show_code(place: DeltaGenerator, code: str) -> None:
    """Write the code of a result into its place."""
    place.code(code, language="python", wrap_lines=True)
