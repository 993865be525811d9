"""Doubts about a reader's axes: a stated length that differs, lines that do not cross or are not perpendicular."""

import math

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import Axis, MarkedAxis

_TO_MM = {"mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "cm": 10.0, "centimeter": 10.0, "": 1.0}
_PERPENDICULAR_TOLERANCE_DEGREES = 15.0
_CROSSING_TOLERANCE_MM = 2.0
# Far below any tolerance, above the noise of double arithmetic: equality is within.
_NOISE_MM = 1e-9


def stated_length(
    marked: MarkedAxis, axis: Axis, name: str, *, tolerance_mm: float, tolerance_relative: float
) -> tuple[float | None, tuple[Finding, ...]]:
    """Compare a stated length with the one that the end points give.

    Parameters
    ----------
    name
        ``long`` or ``short``, for the finding's words.
    tolerance_mm, tolerance_relative
        A difference beyond either one is flagged; the latter is a share of the recomputed length.

    Returns
    -------
    float or None
        The stated length in mm where it differs beyond tolerance, else None.
    tuple of Finding
        ``stated-length-differs``, or ``uncalibrated`` for a length in no unit of length, which is not compared.
    """
    if marked.stated_length is None:
        return None, ()
    factor = _TO_MM.get(marked.stated_unit.strip().lower())
    if factor is None:
        words = (
            f"The stated {name} axis ({marked.stated_length:.2f}, unit “{marked.stated_unit}”) is uncalibrated; "
            f"{axis.size_mm} mm was computed from its end points."
        )
        return None, (Finding("uncalibrated", Severity.WARNING, words),)
    stated = marked.stated_length * factor
    difference = abs(stated - axis.distance_mm)
    if difference <= min(tolerance_mm, tolerance_relative * axis.distance_mm) + _NOISE_MM:
        return None, ()
    words = (
        f"The stated {name} axis is {stated:.2f} mm; its end points and the image's spacing give "
        f"{axis.size_mm} mm, which is used."
    )
    return stated, (Finding("stated-length-differs", Severity.WARNING, words, decides=True),)


def crossing(long_axis: Axis, short_axis: Axis, label: str) -> tuple[Finding, ...]:
    """Note axes that are not perpendicular (more than 15 degrees off) or do not cross (more than 2 mm apart)."""
    findings = []
    long_line, short_line = _line(long_axis), _line(short_axis)
    cosine = abs(float(np.dot(long_line, short_line))) / (long_axis.distance_mm * short_axis.distance_mm)
    angle = math.degrees(math.acos(min(1.0, cosine)))
    if 90 - angle > _PERPENDICULAR_TOLERANCE_DEGREES:
        words = f"The axes meet at {angle:.0f} degrees; the short axis should be perpendicular to the long one."
        findings.append(Finding("axes-not-perpendicular", Severity.WARNING, words, label))
    if segment_distance_mm(long_axis, short_axis) > _CROSSING_TOLERANCE_MM:
        words = "The axes do not cross: they may belong to different lesions."
        findings.append(Finding("axes-do-not-cross", Severity.WARNING, words, label))
    return tuple(findings)


def _line(axis: Axis) -> NDArray[np.float64]:
    return np.subtract(axis.end_lps_mm, axis.start_lps_mm)


def segment_distance_mm(one: Axis, other: Axis) -> float:
    """Return the least distance of two segments in space (Ericson, Real-Time Collision Detection, 5.1.9)."""
    p, q = np.asarray(one.start_lps_mm), np.asarray(other.start_lps_mm)
    d1, d2, r = _line(one), _line(other), p - q
    a, e, f = d1 @ d1, d2 @ d2, d2 @ r
    b, c = d1 @ d2, d1 @ r
    denominator = a * e - b * b
    s = float(np.clip((b * f - c * e) / denominator, 0, 1)) if denominator > 1e-12 * a * e else 0.0
    t = (b * s + f) / e
    if not 0 <= t <= 1:
        t = float(np.clip(t, 0, 1))
        s = float(np.clip((b * t - c) / a, 0, 1))
    return float(np.linalg.norm(p + s * d1 - q - t * d2))
