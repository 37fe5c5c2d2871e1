"""Where a vision-language model's answer rests: its probability with each cell of the picture covered."""

import plotly.graph_objects as go

from lecture_core.engine.pictures import CoveredAnswers
from lecture_core.figures.template import FAMILY_COLOURS, base_layout

COLUMNS = "ABCDEFGH"
_SCALE = [[0.0, FAMILY_COLOURS["encoder"]], [0.5, "#FFFFFF"], [1.0, FAMILY_COLOURS["decoder"]]]
_HOVER = "%{x}%{y} covered: %{customdata[0]:.1%}<br>first word: %{customdata[1]}<extra></extra>"


def cell_name(cell: int, grid: int) -> str:
    """Return a cell's name: A1 is at the top left, columns are letters."""
    row, column = divmod(cell, grid)
    return f"{COLUMNS[column]}{row + 1}"


def _percent(probability: float) -> str:
    """A whole number of per cent that reads as 0 only where it is."""
    return "<1" if 0 < probability < 0.005 else f"{100 * probability:.0f}"


def when_covered(found: CoveredAnswers, *, height: int = 380) -> go.Figure:
    """Draw the change of the answer's probability by the cell that is covered, and the probability itself.

    Args:
        height: in pixels.
    """
    grid = found.grid
    rows = [range(r * grid, (r + 1) * grid) for r in range(grid)]
    changes = [[found.covered[cell] - found.probability for cell in row] for row in rows]
    figure = go.Figure(layout=base_layout(height=height, title="Probability of the answer with that cell covered"))
    figure.add_trace(
        go.Heatmap(
            x=list(COLUMNS[:grid]),
            y=[str(r + 1) for r in range(grid)],
            z=changes,
            zmin=-1,
            zmax=1,
            colorscale=_SCALE,
            showscale=False,
            xgap=2,
            ygap=2,
            customdata=[[(found.covered[cell], found.first_words[cell]) for cell in row] for row in rows],
            hovertemplate=_HOVER,
        )
    )
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            figure.add_annotation(
                x=column,
                y=row,
                text=_percent(found.covered[cell]),
                showarrow=False,
                font={"color": "#FFFFFF" if abs(changes[row][column]) > 0.6 else "#0B1219", "size": 14},
            )
    figure.update_layout(plot_bgcolor=FAMILY_COLOURS["published"])
    figure.update_xaxes(side="top", showgrid=False, showline=False, ticks="", type="category", constrain="domain")
    figure.update_yaxes(autorange="reversed", showgrid=False, showline=False, ticks="", type="category")
    figure.update_yaxes(scaleanchor="x", constrain="domain")
    return figure
