"""Drawing a model's card: what it is, whether it is here, how good it is and how it became so.

Knows no number: `lecture_core.model_cards`, `model_quality` and `originals` read and compute them.
"""

import re

import pandas as pd
import streamlit as st

from lecture_core import recipe_variants
from lecture_core.figures import model_quality as figures
from lecture_core.figures.template import FAMILY_COLOURS
from lecture_core.model_cards import ModelCard
from lecture_core.model_quality import BESIDE, Evaluation, LearningCurve, evaluation, held_out_table, learning_curve
from lecture_core.originals import Original, original
from lecture_core.provenance import Provenance
from lecture_core.quantities import count, megabytes
from lecture_core.ui import recipe_variants as variants
from lecture_core.ui import results
from lecture_core.ui.charts import chart
from lecture_core.ui.errors import escape_markdown, user_errors

_FAMILIES = {
    "rtd_generator": "electra",
    "rtd_discriminator": "electra",
    "causal_lm": "decoder",
    "vision_language": "decoder",
    "seq2seq": "text_to_text",
}
_STATE_COLOURS = {"bundled": "green", "installed": "green", "cached": "green", "missing": "gray"}
_SIGNS = {True: ":material/check:", False: ":material/download:"}


def show(card: ModelCard, *, key: str) -> None:
    """Show the whole card of one model.

    Args:
        key: prefix of the session keys.
    """
    st.subheader(escape_markdown(card.spec.title), anchor=False)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _what(card)
    with right:
        _here(card)
    if not card.is_ours:
        return
    with user_errors():
        curve, measured = learning_curve(card), evaluation(card.spec.id)
        _quality(card, measured, original(card, curve), key)
        if curve:
            _learning(card, curve, key)
        if card.spec.id == recipe_variants.MODEL:
            variants.show(key)
    _text(card)


def _what(card: ModelCard) -> None:
    spec = card.spec
    st.markdown(f"It {card.role.job}. {card.role.how} {escape_markdown(spec.notes)}")
    shape = ", ".join(f"{name} {value:,}" for name, value in card.shape.items())
    link = f"[{escape_markdown(card.source)}]({card.url})" if card.url else escape_markdown(card.source)
    facts = {
        "Role": card.role.name,
        "Lecture": spec.lecture,
        "Parameters": f"{spec.parameters:,}",
        "Shape": shape,
        "Context": f"{spec.context_length:,} tokens",
        "Licence": spec.license,
    }
    shown = {name: escape_markdown(value) for name, value in facts.items() if value} | {"Source": link}
    st.table(shown, border="horizontal", hide_header=True)


def _here(card: ModelCard) -> None:
    found = card.availability
    st.badge(card.state, color=_STATE_COLOURS[found.state], icon=_SIGNS[found.usable])  # type: ignore[arg-type]
    if found.usable:
        st.markdown(
            f"On this machine. Id `{card.spec.id}`" + (f", revision `{card.revision}`." if card.revision else ".")
        )
    else:
        st.markdown("Not on this machine. The operator brings it with:")
        st.code(found.command, language=None, wrap_lines=True)
    sizes = {
        "Files on disk": megabytes(card.disk_bytes),
        "Memory, float32": megabytes(card.float32_bytes),
        "Memory, float16": megabytes(card.half_bytes),
    }
    st.table(sizes, border="horizontal", hide_header=True)
    st.caption("Memory is computed: parameters times 4 or 2 bytes (bfloat16 as float16). Activations come on top.")


def _quality(card: ModelCard, measured: Evaluation | None, beside: Original | None, key: str) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Measured of ours**")
        _measured(card, measured)
        if measured and measured.reliability:
            figure = figures.reliability_curve(measured.reliability, colour=_colour(card))
            chart(figure, key=f"{key}_reliability", alt="Share of fakes over the probability that was given")
            st.caption(
                "On the dotted line, of the tokens given 0.7 seven in ten are fakes. Above it, it is too careful."
            )
    with right:
        st.markdown(f"**Published of {beside.name}**" if beside else "**Published**")
        _published(beside)
    if measured and measured.groups:
        figure = figures.rates_with_intervals(measured.groups, colour=_colour(card), title="Right answers by kind")
        chart(figure, key=f"{key}_groups", alt="Share of right answers by kind of question, with 95 % intervals")
        st.caption(measured.test)


def _measured(card: ModelCard, measured: Evaluation | None) -> None:
    if measured is None and card.spec.role in BESIDE:
        st.markdown("It is measured together with the discriminator that was trained beside it: see that card.")
        return
    if measured is None:
        st.markdown("Not measured yet. The operator measures it with:")
        command = f"python -m lecture_core.training.evaluate {card.spec.id} --corpus FILE"
        st.code(f"{command} --out assets/runs/evaluation_{card.spec.id}.json", language=None, wrap_lines=True)
        return
    table = held_out_table(measured)
    if not table.empty:
        st.table(table.map(lambda value: "–" if pd.isna(value) else f"{value:.3f}"), border="horizontal")
    if measured.revision != card.revision:
        st.warning(f"Measured on revision {measured.revision}; the weights here are {card.revision}.")
    results.caption(measured.provenance)


def _published(beside: Original | None) -> None:
    if beside is None:
        st.markdown("No number of a full-size model of this kind stands in our tables.")
        return
    st.table({score.label: score.value for score in beside.scores}, border="horizontal", hide_header=True)
    st.markdown(beside.why)
    metas = {score.table.id: score.table for score in beside.scores}
    links = [f"[{escape_markdown(meta.citation)}](tables?tables_table={i})" for i, meta in metas.items()]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        results.badge("published")
        st.markdown(f":small[{'; '.join(links)}]", width="content")  # a caption would make the links too pale to read


def _learning(card: ModelCard, curve: LearningCurve, key: str) -> None:
    st.markdown(f"**How it learned:** {count(curve.tokens[-1])} tokens, padding counted")
    left, right = st.columns(2, gap="large")
    with left:
        figure = figures.loss_over_tokens(curve, colour=_colour(card))
        chart(figure, key=f"{key}_loss", alt=f"Loss on {curve.material} over the tokens trained on")
    with right:
        if curve.rates:
            figure = figures.rates_over_tokens(curve, colour=_colour(card))
            chart(figure, key=f"{key}_rates", alt="Rates on held-out text over the tokens trained on")
    commands = ", then ".join(card.training_commands) or "its training command"
    source = f"assets/runs/{curve.run}.csv, written by {commands}"
    results.caption(Provenance(kind="recorded", source=source))


def _text(card: ModelCard) -> None:
    for column, title in zip(st.columns(2, gap="large"), ("Data and licence", "What it is bad at"), strict=True):
        with column:
            st.markdown(f"**{title}**\n\n{card.section(title) or 'Its card does not say.'}")
    with st.expander("The whole card, as it lies beside the weights", icon=":material/description:"):
        st.markdown(re.sub(r"^##? ", "##### ", card.text, flags=re.MULTILINE) or "This model has no card yet.")


def _colour(card: ModelCard) -> str:
    return FAMILY_COLOURS[_FAMILIES.get(card.spec.role, "encoder")]
