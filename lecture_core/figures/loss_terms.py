"""What a split and the best one lose above the floor, as two bars. HTML and not Plotly: it follows a slider at once."""

from lecture_core.figures.template import FAMILY_COLOURS
from lecture_core.scaling_report import Split, loss_terms

NAMES = ("A/N<sup>α</sup>", "B/D<sup>β</sup>")
COLOURS = ("#E69F00", "#56B4E9")
_WIDEST = 82  # per cent of the width left of the longer bar's total
_NARROW = 22  # per cent below which a part has no room for its words
_INK = "#1B2733"  # dark on both colours, in either theme
_ROW = (
    '<div style="display:flex;align-items:center;gap:.5rem;margin:.3rem 0;font-size:.9rem;line-height:1.9rem">'
    '<span style="width:2.6rem;flex:none">{name}</span><div style="flex:1;display:flex;min-width:0">{parts}'
    '<span style="padding-left:.4rem">{total:.3f}</span></div></div>'
)
_PART = (
    '<span title="{spoken}" style="width:{width:.2f}%;background:{colour};color:{ink};overflow:hidden;'
    'white-space:nowrap;text-align:center">{words}</span>'
)


def loss_above_floor(split: Split) -> str:
    """Return two bars as HTML, the best split's and the given one's: lost by too few parameters, by too few tokens."""
    rows = {"best": loss_terms(split.best.parameters, split.best.tokens, split.law), "yours": split.terms}
    amounts = {name: (terms.from_parameters, terms.from_tokens) for name, terms in rows.items()}
    longest = max(map(sum, amounts.values()))
    bars = [_ROW.format(name=name, parts=_parts(both, longest), total=sum(both)) for name, both in amounts.items()]
    grey = FAMILY_COLOURS["published"]
    title = f"<b>Loss above the floor E = {split.law.E:.3f}</b>, nats per token"
    return f'<div>{title}<div style="border-left:1px solid {grey};padding-left:.5rem">{"".join(bars)}</div></div>'


def _parts(amounts: tuple[float, float], longest: float) -> str:
    return "".join(
        _part(name, amount, _WIDEST * amount / longest, colour)
        for name, amount, colour in zip(NAMES, amounts, COLOURS, strict=True)
    )


def _part(name: str, amount: float, width: float, colour: str) -> str:
    words = f"{name} {amount:.3f}" if width >= _NARROW else ""
    spoken = f"{name.replace('<sup>', '^').replace('</sup>', '')} = {amount:.4f}"
    return _PART.format(spoken=spoken, width=width, colour=colour, ink=_INK, words=words)
