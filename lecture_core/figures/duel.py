"""Charts of the duel: the discriminator's ROC with the student's point, and loss over the generator's strength."""

from collections.abc import Sequence

import plotly.graph_objects as go

from lecture_core.duel import Strength
from lecture_core.figures.template import FAMILY_COLOURS, base_layout, log_axis
from lecture_core.quantities import power
from lecture_core.tables import PublishedTable

_PURPLE, _GREY = FAMILY_COLOURS["electra"], FAMILY_COLOURS["published"]

_ROOM = 1.25


def roc_curve(points: Sequence[tuple[float, float]], student: tuple[float, float], *, height: int = 340) -> go.Figure:
    """Draw hit rate over false alarm rate: a line for the discriminator, a diamond for the student."""
    figure = go.Figure(layout=base_layout(height=height))
    x, y = zip(*points, strict=True)
    figure.add_trace(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": _GREY}, hoverinfo="skip")
    )
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": _PURPLE, "width": 3},
            hovertemplate="%{x:.0%} false alarms, %{y:.0%} found<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[student[0]],
            y=[student[1]],
            mode="markers+text",
            text=["you"],
            textposition="middle right",
            marker={"size": 14, "symbol": "diamond", "color": "#888888", "line": {"width": 2, "color": "#333333"}},
            hovertemplate="you: %{x:.0%} false alarms, %{y:.0%} found<extra></extra>",
        )
    )
    figure.update_xaxes(title="false alarms (share of original tokens)", range=[-0.02, 1.02], tickformat=".0%")
    figure.update_yaxes(title="fakes found", range=[-0.02, 1.05], tickformat=".0%")
    return figure


def generator_strength(rows: Sequence[Strength], *, height: int = 320) -> go.Figure:
    """Draw the discriminator's loss over the temperature, beside the loss of knowing only the share of fakes."""
    figure = go.Figure(layout=base_layout(height=height))
    x = [row.temperature for row in rows]
    lines = (
        ("knowing only the share of fakes", [row.uninformed for row in rows], _GREY, "dot"),
        ("discriminator", [row.loss for row in rows], _PURPLE, "solid"),
    )
    for name, y, colour, dash in lines:
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                mode="lines+markers+text",
                text=[""] * (len(x) - 1) + [name],
                textposition="top left",
                line={"color": colour, "dash": dash, "width": 3},
                customdata=[(row.replaced, row.tokens) for row in rows],
                hovertemplate="%{y:.2f} nats; %{customdata[0]:.0%} of %{customdata[1]} tokens replaced<extra></extra>",
            )
        )
    figure.update_xaxes(title="sampling temperature of the generator")
    top = max(max(row.loss, row.uninformed) for row in rows)
    figure.update_yaxes(title="loss (nats a token)", range=[0, _ROOM * top])  # room for the names above the lines
    return figure


def efficiency(table: PublishedTable, *, height: int = 340) -> go.Figure:
    """Draw published GLUE scores over training compute: ELECTRA's rows in one line, BERT's as points."""
    figure = go.Figure(layout=base_layout(height=height))
    frame = table.frame.sort_values("train_flops")
    for prefix, colour, symbol in (("ELECTRA", _PURPLE, "circle"), ("BERT", FAMILY_COLOURS["encoder"], "square")):
        rows = frame[frame["model"].str.startswith(prefix)]
        figure.add_trace(
            go.Scatter(
                x=rows["train_flops"],
                y=rows["glue_dev"],
                text=[name if "%" not in name else "" for name in rows["model"]],
                customdata=rows["model"],
                mode="lines+markers+text" if prefix == "ELECTRA" else "markers+text",
                textposition="top left" if prefix == "ELECTRA" else "bottom center",
                marker={"size": 10, "color": colour, "symbol": symbol},
                hovertemplate="%{customdata}: %{y:.1f} after %{x:.2g} FLOPs<extra></extra>",
            )
        )
    figure.update_xaxes(title="training compute (FLOPs)", **log_axis(1e16, 4e20, power))
    figure.update_yaxes(title="GLUE dev, average", range=[72, 88])
    return figure
