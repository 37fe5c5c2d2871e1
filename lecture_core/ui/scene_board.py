"""The picture under the hand: cells are covered with the mouse or a finger, shapes dragged from cell to cell."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from lecture_core import scenes
from lecture_core.figures.pictures import cell_name
from lecture_core.scenes import Scene
from lecture_core.ui import components

COVER, MOVE = HANDS = ("Cover", "Move shapes")


def hand(stem: str) -> str:
    """Ask what the hand does on the picture; return one of `HANDS`."""
    label = "Your hand on the picture"
    return st.segmented_control(label, HANDS, default=COVER, key=f"{stem}_hand", bind="query-params") or COVER


def board(
    key: str,
    scene: Scene,
    covered: Sequence[int],
    grid: int,
    *,
    moving: bool,
    on_cover: Callable[[list[int]], None],
    on_move: Callable[[Scene], None],
) -> None:
    """Show the scene, covered cells hatched, and report what the hand did to it; callbacks run before the page does.

    Args:
        covered: cells of a `grid` by `grid` division, row by row from the top left.
        moving: whether the hand drags shapes instead of covering.
        on_cover: called with all cells that are then covered.
        on_move: called with the scene after a shape was dragged; a shape in its way has changed places with it.
    """

    def cover() -> None:
        came = st.session_state[key].get("covered") or ()
        on_cover([cell for cell in range(grid * grid) if cell in came])

    def move() -> None:
        start, end = st.session_state[key].get("moved") or (-1, -1)
        after = dragged(scene, start, end)
        if after is not None:
            on_move(after)

    division = scenes.CELLS if moving else grid
    data = {
        **_pixels(scenes.render(scene)),
        "photo": False,
        "grid": grid,
        "cells": scenes.CELLS,
        "covered": list(covered),
        "names": [cell_name(cell, division) for cell in range(division**2)],
        "moving": moving,
        "shapes": {str(s.row * scenes.CELLS + s.column): s.words for s in scene.shapes},
        "alt": f"Scene: {scene.description()}",
    }
    components.scene_board(key=key, data=data, on_covered_change=cover, on_moved_change=move)


def photo_board(
    key: str, pixels: np.ndarray, covered: Sequence[int], grid: int, *, alt: str, on_cover: Callable[[list[int]], None]
) -> None:
    """Show any picture, covered cells hatched; as `board`, without shapes to move.

    Args:
        pixels: (H, W, 3) uint8.
        alt: what it shows, in words.
    """

    def cover() -> None:
        came = st.session_state[key].get("covered") or ()
        on_cover([cell for cell in range(grid * grid) if cell in came])

    data: dict[str, Any] = {
        **_pixels(pixels),
        "photo": True,
        "grid": grid,
        "cells": grid,
        "covered": list(covered),
        "names": [cell_name(cell, grid) for cell in range(grid**2)],
        "moving": False,
        "shapes": {},
        "alt": alt,
    }
    components.scene_board(key=key, data=data, on_covered_change=cover)


def _pixels(pixels: np.ndarray) -> dict[str, str | int]:
    height, width = pixels.shape[:2]
    return {"picture": base64.b64encode(pixels.tobytes()).decode(), "width": width, "height": height}


def dragged(scene: Scene, start: int, end: int) -> Scene | None:
    """Return the scene after the shape of one cell was dragged to another; None where there is no shape or cell.

    Args:
        start: cell of the scene's own division, row by row from the top left.
    """
    places = [shape.row * scenes.CELLS + shape.column for shape in scene.shapes]
    if start not in places or end not in range(scenes.CELLS**2):
        return None
    (row, column), (to_row, to_column) = divmod(start, scenes.CELLS), divmod(end, scenes.CELLS)
    return scenes.moved(scene, places.index(start), to_column - column, to_row - row)
