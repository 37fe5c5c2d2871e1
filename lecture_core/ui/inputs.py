"""The inputs that several pages share. Every one is bound to the address, so that a link restores it."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from lecture_core import catalog
from lecture_core.catalog import ModelSpec
from lecture_core.loading import availability
from lecture_core.ui.errors import escape_markdown

_OWN = "Your text"
_DARK_INK = "#0B1219"


def text(
    stem: str,
    name: str,
    label: str,
    default: str,
    *,
    presets: Mapping[str, str] | None = None,
    max_chars: int | None = None,
    height: int = 100,
) -> str:
    """Show a text area with examples that fill it; return its text.

    What a visitor wrote stays one click away after an example was chosen.

    Args:
        name: last part of the key `<stem>_<name>`, which is also the query parameter.
        presets: name and text of each example.
        max_chars: what the box takes. Streamlit drops a longer paste without a word, so the limit is better told by who
            reads the text; None takes all.
        height: in pixels.
    """
    key = f"{stem}_{name}"
    written = st.text_area(label, default, key=key, max_chars=max_chars, height=height, bind="query-params")
    if presets:
        _examples(key, default, presets)
    return written or ""


def current(key: str, default: str) -> str:
    """Return what a text input holds, also before it is drawn: the visitor's text, else the link's, else `default`."""
    return str(st.session_state.get(key) or st.query_params.get(key) or default)


def _examples(key: str, default: str, presets: Mapping[str, str]) -> None:
    _remember(key, default, presets)
    own = st.session_state.get(f"{key}_own")
    texts = dict(presets) if own is None else dict(presets) | {_OWN: own}
    pill = f"{key}_example"
    st.session_state[pill] = next((title for title, body in texts.items() if body == st.session_state[key]), None)
    st.pills(
        "Examples",
        list(texts),
        key=pill,
        label_visibility="collapsed",
        on_change=_fill,
        args=(key, default, presets),
        wrap=True,
    )


def _remember(key: str, default: str, presets: Mapping[str, str]) -> None:
    now = st.session_state.get(key)
    if now and now != default and now not in presets.values():
        st.session_state[f"{key}_own"] = now


def _fill(key: str, default: str, presets: Mapping[str, str]) -> None:
    _remember(key, default, presets)
    chosen = st.session_state[f"{key}_example"]
    if chosen == _OWN:
        st.session_state[key] = st.session_state[f"{key}_own"]
    elif chosen is not None:
        st.session_state[key] = presets[chosen]


def model(stem: str, role: str, *, label: str = "Model") -> str:
    """Let the visitor choose among the models of a role that can run here; return the catalog id.

    Where none can, returns the first of the role: the engine refuses it with the command that brings it.
    """
    specs = catalog.models(role)
    usable = [spec.id for spec in specs if availability(spec).usable]
    key = f"{stem}_model"
    _say_if_missing(st.query_params.get(key), usable)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(label, usable or [specs[0].id], key=key, bind="query-params", width=300)
        with st.popover("About models", icon=":material/info:", type="tertiary"):
            st.markdown("\n\n".join(map(_about, specs)))  # one element: every redraw of the lab sends it again
    return chosen


def _say_if_missing(wanted: str | None, usable: Sequence[str]) -> None:
    spec = next((spec for spec in catalog.models() if spec.id == wanted), None)
    if spec and spec.id not in usable:
        command = availability(spec).command
        st.warning(f"This link asks for {spec.title}, which is not on this machine. The operator runs: `{command}`")


def _about(spec: ModelSpec) -> str:
    found = availability(spec)
    title = f"**{escape_markdown(spec.title)}** · {spec.parameters / 1e6:,.0f}M parameters · {spec.license}"
    if found.usable:
        return f"{title}  \n:small[{escape_markdown(f'{spec.id}: {spec.notes}')}]"
    return f"{title}  \n:small[Not on this machine. The operator brings it with:]  \n`{found.command}`"


def choose(label: str, titles: Mapping[str, str], key: str, width: int, tip: str | None = None) -> str:
    """Ask for one of `titles`; its id, not its title, stands in the address, and nothing while it is the first.

    Args:
        titles: what the visitor reads of each id.
        key: session key and query parameter, prefixed with the page's stem.
    """
    asked = st.query_params.get(key)
    if key not in st.session_state and asked in titles:
        st.session_state[key] = asked
    chosen = st.selectbox(label, list(titles), key=key, format_func=lambda i: titles.get(i, i), width=width, help=tip)
    if chosen != next(iter(titles)):
        st.query_params[key] = chosen
    elif asked is not None:
        del st.query_params[key]
    return chosen


def primary_button(
    label: str,
    *,
    key: str,
    icon: str = "",
    disabled: bool = False,
    on_click: Callable[..., None] | None = None,
    args: tuple[object, ...] = (),
) -> bool:
    """Show the one button that is next; return whether it was clicked.

    Streamlit writes on it in white, too pale on the light blue of the dark theme: there the words get a dark ink.

    Args:
        icon: a Material symbol such as `:material/draw:`.
    """
    words = f"{icon} {label}".strip()
    if st.context.theme.type == "dark" and not disabled:
        words = f':color[{words}]{{foreground="{_DARK_INK}"}}'
    return st.button(words, key=key, type="primary", disabled=disabled, on_click=on_click, args=args)


def seed(stem: str, default: int = 0) -> int:
    """Ask for the seed of whatever is drawn at random; the same seed gives the same draw."""
    key = f"{stem}_seed"
    return int(st.number_input("Seed", 0, 2**31 - 1, default, step=1, key=key, bind="query-params", width=160))
