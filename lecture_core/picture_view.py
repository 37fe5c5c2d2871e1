"""Pictures on their way in and out: a visitor's file checked and decoded, a picture scaled for the eye.

Pure: numpy and Pillow. Nothing is written to disk.
"""

import warnings
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, UnidentifiedImageError

from lecture_core.errors import InvalidInputError

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES, MAX_PIXELS, KEPT_SIDE = 5_000_000, 40_000_000, 512
_SMALL = 64  # pixels; up to here each pixel stays a square
_LINE, _FRAME = (150, 150, 150), (0, 114, 178)


def decode(data: bytes) -> np.ndarray:
    """Read a PNG, JPEG or WebP file and scale it to at most 512 pixels a side; (H, W, 3) uint8.

    Raises:
        InvalidInputError: another format, a damaged file, more than 5 MB or more than 40 million pixels.
    """
    if len(data) > MAX_BYTES:
        raise _too_large(f"at most {MAX_BYTES / 1e6:.0f} MB", f"{len(data) / 1e6:.1f} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is checked below
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise _too_large(f"at most {MAX_PIXELS:,} pixels", f"{image.width:,} by {image.height:,}")
                image.thumbnail((KEPT_SIDE, KEPT_SIDE))
                return np.asarray(_on_white(image), dtype=np.uint8)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as exc:
        raise InvalidInputError(
            expected=f"a whole {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file",
            got="a file that cannot be read",
            remedy="open it in another program and save it anew as PNG or JPEG, or choose another picture",
        ) from exc


def _on_white(image: Image.Image) -> Image.Image:
    """Without transparency, as most programs show it."""
    layer = image.convert("RGBA")
    ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, layer).convert("RGB")


def _too_large(expected: str, got: str) -> InvalidInputError:
    return InvalidInputError(expected=expected, got=got, remedy="save the picture smaller, as PNG or JPEG")


def reduced(picture: np.ndarray, *, side: int) -> np.ndarray:
    """Return the picture with its longer side at most `side` pixels, smoothed; (H, W, 3) uint8."""
    image = Image.fromarray(picture)
    image.thumbnail((side, side))
    return np.asarray(image, dtype=np.uint8)


def enlarged(picture: np.ndarray, *, side: int = 384, grid: int = 0, chosen: int | None = None) -> np.ndarray:
    """Scale a picture for the eye, a small one without smoothing, with thin grid lines and one cell framed.

    Args:
        side: width of the result, in pixels; the height keeps the proportions.
        grid: cells a side; 0 for no lines.
        chosen: a cell to frame, counted row by row from the top left.
    """
    height, width = picture.shape[:2]
    size = side, max(1, round(side * height / width))
    smooth = Image.Resampling.NEAREST if width <= _SMALL else Image.Resampling.LANCZOS
    image = Image.fromarray(picture).resize(size, smooth)
    draw = ImageDraw.Draw(image)
    for i in range(1, grid):
        across, down = (i * length // grid for length in size)
        draw.line((across, 0, across, size[1]), fill=_LINE)
        draw.line((0, down, size[0], down), fill=_LINE)
    if chosen is not None:
        draw.rectangle(_box(chosen, grid, size), outline=_FRAME, width=4)
    return np.asarray(image)


def _box(cell: int, grid: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    row, column = divmod(cell, grid)
    width, height = size
    return column * width // grid, row * height // grid, (column + 1) * width // grid, (row + 1) * height // grid
