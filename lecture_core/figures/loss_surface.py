"""The loss over parameters and tokens as a landscape in space; a browser draws it with WebGL or not at all.

Lecture: Chinchilla. `scaling.loss_plane` shows the same numbers as contours, which need nothing.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lecture_core.figures.scaling import YOURS, plane
from lecture_core.figures.template import base_layout, log_axis
from lecture_core.quantities import count
from lecture_core.scaling_laws import frontier, predict_loss
from lecture_core.scaling_models import ModelPoint
from lecture_core.scaling_report import Split

_GRID_POINTS = 48


def loss_surface(split: Split, models: Sequence[ModelPoint], *, height: int = 480) -> go.Figure:
    """Draw the loss as a surface in space over parameters and tokens, with the valley of best splits; needs WebGL."""
    x, y = plane(split, models)
    n, d = np.geomspace(*x, _GRID_POINTS), np.geomspace(*y, _GRID_POINTS)
    loss = np.asarray(predict_loss(n[None, :], d[:, None], split.law))
    chart = go.Figure(layout=base_layout(height=height, title="The loss as a landscape"))
    chart.add_trace(
        go.Surface(
            x=n, y=d, z=loss, colorscale="Blues_r", showscale=False, opacity=0.9,
            hovertemplate="N = %{x:.3s}, D = %{y:.3s}<br>loss %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    best_n, best_d, best_loss = frontier(np.geomspace(6 * x[0] * y[0], 6 * x[1] * y[1], 61), split.law)
    inside = (x[0] <= best_n) & (best_n <= x[1]) & (y[0] <= best_d) & (best_d <= y[1])
    valley = {"x": best_n[inside], "y": best_d[inside], "z": best_loss[inside] + 0.01}
    chart.add_trace(go.Scatter3d(**valley, mode="lines", line={"color": YOURS, "width": 6}, hoverinfo="skip"))
    chart.update_layout(
        scene={
            "xaxis": {"title": {"text": "parameters N"}, **log_axis(*x, count)},
            "yaxis": {"title": {"text": "tokens D"}, **log_axis(*y, count)},
            "zaxis": {"title": {"text": "loss"}},
            "camera": {"eye": {"x": 1.5, "y": 1.5, "z": 0.9}},
        }
    )
    return chart
