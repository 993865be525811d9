"""Pictures of lesions: the slice, the mask's outline, and the axes as the reader drew them."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from skimage import measure

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.evaluation import LesionEvaluation
from tumorresp.domain.measurement import Axis

Picture = NDArray[np.uint8]
"""(row, column, 3) RGB."""

Canvas = ImageDraw.ImageDraw
ToPicture = Callable[[float, float], tuple[float, float]]
"""From (row, column) of the slice to (x, y) of the picture."""

SOFT_TISSUE_WINDOW = (40.0, 400.0)
LUNG_WINDOW = (-600.0, 1500.0)
MASK_COLOUR = (255, 176, 0)
LONG_AXIS_COLOUR = (0, 200, 255)
SHORT_AXIS_COLOUR = (255, 110, 180)
_OVERSAMPLING = 2


def window_grey(hu: NDArray[np.floating] | NDArray[np.integer], centre: float, width: float) -> NDArray[np.uint8]:
    """Map CT numbers to grey 0..255 by a linear window (PS3.3 C.11.2.1.2, without the half-unit terms)."""
    scaled = (np.asarray(hu, np.float32) - (centre - width / 2)) / width
    return (np.clip(scaled, 0, 1) * 255 + 0.5).astype(np.uint8)


def choose_window(hu: NDArray[np.floating] | NDArray[np.integer]) -> tuple[float, float]:
    """Return (centre, width) of the lung window when most of the picture is aerated lung, else of soft tissue."""
    aerated = (hu > -980) & (hu < -500)
    return LUNG_WINDOW if np.mean(aerated) > 0.4 else SOFT_TISSUE_WINDOW


def key_slice_of(volume: CtVolume, lesion: LesionEvaluation) -> int | None:
    """Return the slice that the lesion is shown on: the measured one, or None without axes in this volume."""
    if lesion.mask is not None and lesion.mask.geometry == volume.geometry:
        return lesion.mask.key_slice
    axis = lesion.measurement.long_axis
    if axis is None:
        return None
    slice_index = round(float(volume.geometry.lps_to_index(axis.midpoint_lps_mm)[0]))
    return slice_index if 0 <= slice_index < volume.geometry.shape[0] else None


def lesion_picture(
    volume: CtVolume, lesion: LesionEvaluation, *, size: int = 320, field_of_view_mm: float | None = None
) -> Picture | None:
    """Return a square picture around a lesion on its key slice, or None where there is nothing to show.

    Parameters
    ----------
    size
        Edge in pixels.
    field_of_view_mm
        Edge in mm; default 2.4 times the long axis, at least 60 mm.
    """
    axis = lesion.measurement.long_axis
    slice_index = key_slice_of(volume, lesion)
    if axis is None or slice_index is None:
        return None
    edge_mm = field_of_view_mm or max(60.0, 2.4 * axis.length_mm)
    centre = volume.geometry.lps_to_index(axis.midpoint_lps_mm)[1:]
    return _draw(volume, slice_index, [lesion], centre, edge_mm, size, line_width=1.6)


def slice_picture(
    volume: CtVolume, slice_index: int, lesions: Sequence[LesionEvaluation], *, size: int = 512
) -> Picture:
    """Return a whole slice with the outlines, axes and names of the lesions on it."""
    _, rows, columns = volume.geometry.shape
    _, row_mm, column_mm = volume.geometry.spacing_mm
    edge_mm = max(rows * row_mm, columns * column_mm)
    centre = np.array([(rows - 1) / 2, (columns - 1) / 2])
    return _draw(volume, slice_index, lesions, centre, edge_mm, size, line_width=1.2, names=True)


def _draw(
    volume: CtVolume,
    slice_index: int,
    lesions: Sequence[LesionEvaluation],
    centre: NDArray[np.float64],
    edge_mm: float,
    size: int,
    *,
    line_width: float,
    names: bool = False,
) -> Picture:
    _, row_mm, column_mm = volume.geometry.spacing_mm
    fine = size * _OVERSAMPLING
    per_pixel = edge_mm / fine
    steps = np.array([per_pixel / row_mm, per_pixel / column_mm])
    corner = centre - steps * (fine - 1) / 2

    def to_picture(row: float, column: float) -> tuple[float, float]:
        return (column - corner[1]) / steps[1], (row - corner[0]) / steps[0]

    plane = np.asarray(volume.hu[slice_index], np.float32)
    shown = ndimage.affine_transform(plane, steps, corner, (fine, fine), order=1, mode="constant", cval=-1024)
    image = Image.fromarray(window_grey(shown, *choose_window(shown))).convert("RGB")
    canvas = ImageDraw.Draw(image)
    width = max(1, round(line_width * _OVERSAMPLING))
    for lesion in lesions:
        _draw_outline(canvas, volume, slice_index, lesion, to_picture, width)
        _draw_axes(canvas, volume, slice_index, lesion, to_picture, width)
        if names:
            _draw_name(canvas, volume, lesion, to_picture, fine)
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS), np.uint8).copy()


def _draw_outline(
    canvas: Canvas, volume: CtVolume, slice_index: int, lesion: LesionEvaluation, to_picture: ToPicture, width: int
) -> None:
    mask = lesion.mask
    if mask is None or mask.is_empty or mask.geometry != volume.geometry:
        return
    layer = slice_index - mask.start[0]
    if not 0 <= layer < mask.voxels.shape[0]:
        return
    padded = np.pad(mask.voxels[layer], 1).astype(np.float32)
    for contour in measure.find_contours(padded, 0.5):
        points = [to_picture(r - 1 + mask.start[1], c - 1 + mask.start[2]) for r, c in contour]
        canvas.line(points, fill=MASK_COLOUR, width=width, joint="curve")


def _draw_axes(
    canvas: Canvas, volume: CtVolume, slice_index: int, lesion: LesionEvaluation, to_picture: ToPicture, width: int
) -> None:
    for axis, colour in (
        (lesion.measurement.long_axis, LONG_AXIS_COLOUR),
        (lesion.measurement.short_axis, SHORT_AXIS_COLOUR),
    ):
        if axis is None:
            continue
        ends = _axis_on_slice(volume, slice_index, axis)
        if ends is not None:
            canvas.line([to_picture(*end) for end in ends], fill=colour, width=width)


def _axis_on_slice(volume: CtVolume, slice_index: int, axis: Axis) -> list[tuple[float, float]] | None:
    """Return the (row, column) ends of an axis that lies within a slice of the shown one."""
    ends = volume.geometry.lps_to_index([axis.start_lps_mm, axis.end_lps_mm])
    if np.abs(ends[:, 0] - slice_index).max() > 1.0:
        return None
    return [(float(end[1]), float(end[2])) for end in ends]


def _draw_name(canvas: Canvas, volume: CtVolume, lesion: LesionEvaluation, to_picture: ToPicture, fine: int) -> None:
    axis = lesion.measurement.long_axis
    if axis is None:
        return
    ends = volume.geometry.lps_to_index([axis.start_lps_mm, axis.end_lps_mm])
    right = ends[np.argmax(ends[:, 2])]
    x, y = to_picture(float(right[1]), float(right[2]))
    font = ImageFont.load_default(size=math.ceil(fine / 45))
    position = (x + fine / 80, y - fine / 40)
    canvas.text(position, lesion.lesion.lesion_id, fill=MASK_COLOUR, font=font, stroke_width=2, stroke_fill=(0, 0, 0))
