"""Healthy anatomy of the phantom, painted organ by organ in CT numbers of a portal-venous scan.

The anatomy's frame is LPS mm with its origin in the middle of the body, where the lungs' bases meet the liver. What
hangs on the diaphragm moves with ``breath_mm`` (positive = up).
"""

from dataclasses import replace

import numpy as np

from tumorresp.phantom.canvas import Box, Canvas, Floats, ellipsoid_distance
from tumorresp.phantom.vessels import TreeShape, paint_vessels, vessel_tree

INFINITE = float("inf")
_SKIN_HALF_MM = (166.0, 116.0)
_WALL_HALF_MM = (152.0, 102.0)
_CAVITY_HALF_MM = (132.0, 84.0)
_RIB_PITCH_MM = 26.0

_RIGHT_LUNG = ((-72.0, -2.0, 30.0), (57.0, 79.0, 160.0))
_LEFT_LUNG = ((75.0, 2.0, 30.0), (54.0, 77.0, 160.0))
_RIGHT_HILUM_TREES = (
    TreeShape((-30, 10, 50), (-1, 0.1, 0.2), 27, 5.0, 7),
    TreeShape((-30, 14, 42), (-0.7, 0.7, -0.6), 27, 5.0, 7),
    TreeShape((-32, 2, 44), (-0.7, -0.8, -0.5), 27, 4.5, 7),
    TreeShape((-30, 4, 58), (-0.6, -0.6, 0.9), 26, 4.5, 7),
    TreeShape((-30, 16, 58), (-0.6, 0.7, 0.8), 26, 4.5, 7),
)
_LUNG_TREES = _RIGHT_HILUM_TREES + tuple(
    replace(tree, root_mm=(-x + 2, y, z), direction=(-dx, dy, dz))
    for tree in _RIGHT_HILUM_TREES
    for x, y, z in [tree.root_mm]
    for dx, dy, dz in [tree.direction]
)
_LIVER_TREES = (
    TreeShape((-22, -6, -45), (-1, 0.1, 0.4), 30, 6.0, 6),
    TreeShape((-22, -8, -42), (-0.3, -1, 0.5), 26, 4.5, 5),
    TreeShape((-20, 14, 0), (-1, -0.3, -0.7), 34, 5.0, 6),
)


def paint_anatomy(canvas: Canvas, seed: int, breath_mm: float) -> None:
    """Paint table, body wall, chest, abdomen and skeleton; the same seed gives the same vessels in every scan."""
    _paint_wall(canvas)
    lungs = _paint_lungs(canvas, breath_mm)
    random = np.random.default_rng([seed, 1])
    for tree in _LUNG_TREES:
        paint_vessels(canvas, vessel_tree(tree, random), 45.0, lungs)
    _paint_mediastinum(canvas, breath_mm)
    _paint_abdomen(canvas, seed, breath_mm)
    liver = _paint_liver(canvas, breath_mm)
    random = np.random.default_rng([seed, 2])
    for tree in _LIVER_TREES:
        segments = vessel_tree(tree, random)
        segments[:, [2, 5]] += breath_mm
        paint_vessels(canvas, segments, 155.0, liver)
    _paint_great_vessels(canvas)
    _paint_spine(canvas)
    _paint_ribs(canvas)


def paint_table(canvas: Canvas, top_mm: float) -> None:
    """Paint the curved couch; its place is given in the scanner's frame, so the canvas must be unmoved."""
    _, rows, columns = canvas.whole
    x, y, _ = canvas.coordinates((slice(0, 1), rows, columns))
    surface = y - np.float32(top_mm) + x * x * np.float32(1 / 900)
    shell = np.maximum(np.maximum(-surface, surface - 14), np.abs(x) - 170)
    skin = np.maximum(np.abs(surface - 1), np.abs(x) - 170) - 1
    # It is the same in every slice: paint the first and copy it.
    for distance, hu in ((shell, -880.0), (skin, -250.0)):
        canvas.paint((slice(0, 1), rows, columns), canvas.occupancy(distance), hu)
    canvas.hu[1:] = canvas.hu[0]


def _tube(coordinates: tuple[Floats, Floats, Floats], half_mm: tuple[float, float]) -> Floats:
    """Return about the distance (mm), near the surface, from an upright superelliptic cylinder of power 2.5."""
    x, y, _ = coordinates
    total = np.full(x.shape, -1, np.float32)
    # In place: whole scans pass through here.
    for values, half in ((x, half_mm[0]), (y, half_mm[1])):
        share = np.abs(values)
        share *= np.float32(1 / half)
        root = np.sqrt(share)
        share *= share
        share *= root
        total += share
    total *= np.float32(half_mm[1] / 2.5)
    return total


def _dome(x: Floats, y: Floats, breath_mm: float) -> Floats:
    """Height (mm) of the diaphragm: a dome on either side."""
    right = (x + 70) ** 2 + (y + 5) ** 2
    left = (x - 76) ** 2 + (y + 5) ** 2
    return np.asarray(breath_mm + 12 - np.float32(0.011) * np.minimum(right, left + 600), np.float32)


def _paint_wall(canvas: Canvas) -> None:
    box = canvas.box((-168, -118, -200), (168, 118, 200)) or canvas.whole
    coordinates = canvas.coordinates(box)
    skin = _tube(coordinates, _SKIN_HALF_MM)
    canvas.paint(box, canvas.occupancy(skin), 20.0)
    canvas.paint(box, canvas.occupancy(skin + 2), -105.0)
    canvas.paint(box, canvas.occupancy(_tube(coordinates, _WALL_HALF_MM)), 58.0)
    canvas.paint(box, canvas.occupancy(_tube(coordinates, _CAVITY_HALF_MM)), -95.0)
    # Fat planes between the muscles of the back.
    for x in (-62.0, 62.0):
        canvas.paint_ellipsoid((x, 88, 0), (30, 1.6, 300), -70.0)
    for x in (-26.0, 26.0):
        canvas.paint_ellipsoid((x, 88, 0), (22, 12, 400), 60.0)


def _paint_lungs(canvas: Canvas, breath_mm: float) -> Floats:
    """Paint both lungs and return their share of every voxel of the grid."""
    lungs = np.zeros(canvas.geometry.shape, np.float32)
    for centre, half in (_RIGHT_LUNG, _LEFT_LUNG):
        box = canvas.box(np.subtract(centre, half), np.add(centre, half))
        if box is None:
            continue
        coordinates = canvas.coordinates(box)
        x, y, z = coordinates
        lung = ellipsoid_distance(coordinates, centre, half)
        lung = np.maximum(lung, _tube(coordinates, _CAVITY_HALF_MM) + 2)
        lung = np.maximum(lung, _dome(x, y, breath_mm) - z)
        share = canvas.occupancy(lung)
        # Lung is denser towards the back, where a lying patient's blood is.
        canvas.paint(box, share, -865 + np.float32(0.45) * y)
        lungs[box] = share
    return lungs


def _paint_mediastinum(canvas: Canvas, breath_mm: float) -> None:
    lift = breath_mm / 2
    canvas.paint_ellipsoid((16, -26, 50 + lift), (54, 46, 48), -60.0)
    canvas.paint_ellipsoid((18, -24, 48 + lift), (50, 42, 44), 60.0)
    canvas.paint_ellipsoid((34, -18, 48 + lift), (24, 22, 32), 148.0)
    canvas.paint_ellipsoid((-6, -34, 50 + lift), (17, 22, 28), 142.0)
    canvas.paint_ellipsoid((6, 4, 62 + lift), (26, 14, 18), 140.0)
    for side in (-26.0, 26.0):
        canvas.paint_ellipsoid((side, 12, 58), (11, 9, 12), 120.0)
        canvas.paint_ellipsoid((side * 0.8, 20, 56), (6, 6, 40), -990.0)
    canvas.paint_ellipsoid((4, 24, 0), (9, 7, 400), 42.0)
    canvas.paint_ellipsoid((4, 23, 45), (3.5, 2, 60), -400.0)


def _paint_liver(canvas: Canvas, breath_mm: float) -> Floats:
    """Paint the liver and return its share of every voxel of the grid."""
    liver = np.zeros(canvas.geometry.shape, np.float32)
    box = canvas.box((-132, -92, -120), (60, 75, 40))
    if box is None:
        return liver
    coordinates = canvas.coordinates(box)
    x, y, z = coordinates
    right = ellipsoid_distance(coordinates, (-74, 0, -28 + breath_mm), (66, 78, 78))
    left = ellipsoid_distance(coordinates, (-12, -42, -14 + breath_mm), (62, 34, 34))
    body = np.minimum(right, left)
    body = np.maximum(body, z - _dome(x, y, breath_mm) + 3)
    body = np.maximum(body, _tube(coordinates, _CAVITY_HALF_MM) + 3)
    share = canvas.occupancy(body)
    canvas.paint(box, share, 102.0)
    liver[box] = share
    canvas.paint_ellipsoid((-52, -48, -62 + breath_mm), (13, 20, 17), 8.0)
    return liver


def _paint_abdomen(canvas: Canvas, seed: int, breath_mm: float) -> None:
    canvas.paint_ellipsoid((62, -26, -36 + breath_mm), (44, 42, 42), 55.0)
    canvas.paint_ellipsoid((62, -26, -36 + breath_mm), (40, 38, 38), 18.0)
    canvas.paint_ellipsoid((64, -48, -34 + breath_mm), (28, 13, 26), -960.0)
    canvas.paint_ellipsoid((94, 34, -38 + breath_mm), (29, 42, 44), 112.0)
    canvas.paint_ellipsoid((20, -8, -64 + breath_mm / 2), (52, 10, 11), 88.0)
    for x, z in ((-58.0, -88.0), (60.0, -74.0)):
        canvas.paint_ellipsoid((x, 44, z + breath_mm / 2), (27, 25, 46), 168.0)
        canvas.paint_ellipsoid((x * 0.88, 40, z + breath_mm / 2), (14, 12, 28), -40.0)
        canvas.paint_ellipsoid((x * 0.9, 41, z + breath_mm / 2), (8, 7, 18), 70.0)
    random = np.random.default_rng([seed, 3])
    for _ in range(26):
        centre = np.array([random.uniform(-60, 95), random.uniform(-72, -20), random.uniform(-120, -68)])
        half = random.uniform(9, 15, size=3)
        canvas.paint_ellipsoid(centre, half, 62.0)
        canvas.paint_ellipsoid(centre, half - 2.5, random.choice([25.0, 40.0, -80.0]))


def _paint_great_vessels(canvas: Canvas) -> None:
    canvas.paint_ellipsoid((27, 34, 60), (12.5, 12.5, 100), 150.0)
    canvas.paint_ellipsoid((8, 28, -60), (10.5, 10.5, 130), 150.0)
    canvas.paint_ellipsoid((-20, 20, -60), (12, 10, 110), 128.0)


def _paint_spine(canvas: Canvas) -> None:
    box = canvas.box((-62, 35, -200), (62, 125, 200))
    if box is None:
        return
    coordinates = canvas.coordinates(box)
    x, y, z = coordinates
    body = ellipsoid_distance(coordinates, (0, 56, 0), (20, 17, INFINITE))
    level = np.mod(z, np.float32(30.0)) - 15
    vertebra = np.maximum(body, np.abs(level) - 12)
    canvas.paint(box, canvas.occupancy(body), 88.0)
    canvas.paint(box, canvas.occupancy(vertebra), 520.0)
    canvas.paint(box, canvas.occupancy(vertebra + 2.2), 185.0)
    arch = np.abs(ellipsoid_distance(coordinates, (0, 80, 0), (14, 11, INFINITE))) - 3
    canvas.paint(box, canvas.occupancy(np.maximum(arch, np.abs(level) - 13)), 420.0)
    process = np.maximum(np.sqrt((x / 4) ** 2 + ((y - 97) / 10) ** 2) * 4 - 4, np.abs(level) - 8)
    canvas.paint(box, canvas.occupancy(process), 400.0)
    wings = np.sqrt(((np.abs(x) - 32) / 20) ** 2 + ((y - 76) / 5) ** 2 + (level / 6) ** 2) * 5 - 5
    canvas.paint(box, canvas.occupancy(wings), 380.0)
    canvas.paint(box, canvas.occupancy(ellipsoid_distance(coordinates, (0, 80, 0), (10.5, 8, INFINITE))), 28.0)


def _paint_ribs(canvas: Canvas) -> None:
    """Paint ribs that fall from the spine to the front, costal cartilage and the breastbone."""
    box: Box = canvas.box((-152, -104, -200), (152, 104, 200)) or canvas.whole
    x, y, z = canvas.coordinates(box)
    middle_a, middle_b = 141.0, 93.0
    depth = _tube((x, y, z), (middle_a, middle_b))
    ring = np.flatnonzero((np.abs(depth) < 7) & (y > -86))
    xs, ys, zs, depth = (values.ravel()[ring] for values in (x, y, z, depth))
    fall = 26 * (1 - ys / middle_b) + np.float32(0.4) * np.abs(xs)
    height = np.mod(zs + fall, np.float32(_RIB_PITCH_MM)) - _RIB_PITCH_MM / 2
    rib = (np.sqrt((depth / 4.0) ** 2 + (height / 6.0) ** 2) - 1) * 4.0
    region = canvas.hu[box]
    values: Floats = region.ravel()[ring]
    front = np.clip((-ys - 50) / 20, 0, 1).astype(np.float32)
    for margin, hu in ((0.0, 480.0), (1.6, 210.0)):
        share = canvas.occupancy(np.asarray(rib + margin, np.float32))
        values = values + share * (np.float32(hu) * (1 - front) + 120 * front - values)
    region[np.unravel_index(ring, region.shape)] = values
    canvas.paint_ellipsoid((0, -92, 70), (17, 5.5, 80), 300.0)
    canvas.paint_ellipsoid((0, -92, 70), (15, 3.5, 78), 130.0)
