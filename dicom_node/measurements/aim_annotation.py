"""One AIM annotation, whatever file it came in, as a marked measurement (AIM Foundation model 3.0 and 4.2).

AIM counts pixels as DICOM SR does, from the corner of the first pixel: AIM's own conversion to SR keeps the numbers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dicom_node.measurements.axis_concepts import REGION_WITHOUT_SIZE, AxisKind
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import (
    LesionRole,
    LesionState,
    MarkedAxis,
    MarkedMeasurement,
    MarkedOutline,
    OutlineShape,
    PixelPoint,
    UnnamedLine,
)
from tumorresp.domain.terminology import Code

# ePAD keeps "modality / series description / image / series" before the reader's own comment.
_PROGRAMMED_COMMENT = re.compile(r"^[A-Z]{2} / .* / .*$")
_LESION_TYPE = re.compile(r"(baseline )?(non[- ]?target|target|new|resolved)( lesion)?", re.IGNORECASE)
_ROLES = {
    "target": LesionRole.TARGET,
    "nontarget": LesionRole.NON_TARGET,
    "new": LesionRole.NEW,
}
_LONG_KINDS = (AxisKind.LONG, AxisKind.SINGLE)
_SHORT_KINDS = (AxisKind.SHORT,)


@dataclass(frozen=True)
class AimLine:
    """A markup of two points on an image, (x, y) as written: column and row from the corner of the first pixel."""

    markup_uid: str
    start: tuple[float, float]
    end: tuple[float, float]
    sop_instance_uid: str
    frame_number: int | None


@dataclass(frozen=True)
class AimOutline:
    """A closed markup on an image, (x, y) as in `AimLine`."""

    shape: OutlineShape
    points: tuple[tuple[float, float], ...]
    sop_instance_uid: str
    frame_number: int | None


@dataclass(frozen=True)
class AimLength:
    """A calculated length; ``markup_uids`` name the lines that it was calculated from, where the file says so."""

    kind: AxisKind
    value: float | None
    unit: str
    markup_uids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AimAnnotation:
    """What an annotation says that matters here.

    Parameters
    ----------
    uid
        Of the annotation; new at every save.
    tracking_uid
        Kept by the writer over time points (AIM 4.2); empty for others.
    type_meaning
        Meaning of the annotation's type code, kept as text only: writers use response codes for it at will.
    observations
        Meanings of the observation characteristics, among them ePAD's lesion type.
    """

    uid: str
    name: str
    comment: str
    type_meaning: str
    tracking_uid: str
    site: Code | None
    observations: tuple[str, ...]
    lines: tuple[AimLine, ...]
    lengths: tuple[AimLength, ...]
    outlines: tuple[AimOutline, ...] = ()


def marked_measurement(annotation: AimAnnotation, base: MarkedMeasurement, shift: float) -> MarkedMeasurement | None:
    """Return the measurement that an annotation is.

    None when it has neither a line nor an outline nor says that a lesion is gone. An outline without a length, diameter
    or radius beside it is passed over, and says so.

    Parameters
    ----------
    base
        What the file says of patient, study, reader and time.
    shift
        Subtracted from the pixel coordinates, so that integers are pixel centres.
    """
    role, is_resolved = _lesion_type(annotation.observations)
    if annotation.lines:
        measured = _with_lines(base, annotation, shift)
    elif annotation.outlines:
        measured = _with_outlines(base, annotation, shift)
    elif is_resolved:
        measured = base
    else:
        return None
    return replace(
        base if is_resolved else measured,
        measurement_uid=derived_uid("measurement", annotation.uid, "1"),
        label=annotation.name.partition("~")[0].strip(),
        tracking_identifier=annotation.name.partition("~")[0].strip(),
        tracking_uid=annotation.tracking_uid,
        tracking_uid_is_stable=bool(annotation.tracking_uid),
        site=annotation.site,
        role=role,
        state=LesionState.ABSENT if is_resolved else LesionState.MEASURED,
        comment=_comment(annotation),
    )


def _with_lines(base: MarkedMeasurement, annotation: AimAnnotation, shift: float) -> MarkedMeasurement:
    """Give the axes: as calculations that name their line say; the others by their length, in mm."""
    lines, lengths = annotation.lines, annotation.lengths
    long_line, short_line = _named(lines, lengths, AxisKind.LONG), _named(lines, lengths, AxisKind.SHORT)
    if short_line is long_line:
        short_line = None
    rest = [line for line in lines if line not in (long_line, short_line)]
    if long_line is None and len(rest) <= 1:
        long_line, short_line = (rest.pop(), short_line) if rest else (short_line, None)
    if long_line is not None and short_line is not None:
        rest = []
    findings = []
    if len(lines) > 2:
        words = f"The annotation has {len(lines)} lines; the two that its calculations name, or the longest, were used."
        findings.append(Finding("lines-passed-over", Severity.WARNING, words, decides=bool(rest)))
    if long_line is not None and short_line is not None and long_line.sop_instance_uid != short_line.sop_instance_uid:
        words = "The annotation's lines lie on different images; the short axis was left out."
        findings.append(Finding("axes-on-different-images", Severity.WARNING, words, decides=True))
        short_line = None
    image = long_line or (rest or lines)[0]
    return replace(
        base,
        sop_instance_uid=image.sop_instance_uid,
        frame_number=image.frame_number,
        long_axis=_axis(long_line, lengths, _LONG_KINDS, shift) if long_line else None,
        short_axis=_axis(short_line, lengths, _SHORT_KINDS, shift) if short_line else None,
        unnamed_lines=tuple(
            UnnamedLine(
                _axis(line, lengths, _LONG_KINDS, shift),
                _axis(line, lengths, _SHORT_KINDS, shift),
                line.sop_instance_uid,
                line.frame_number,
            )
            for line in rest
        ),
        second_is_short=bool(rest),
        findings=tuple(findings),
    )


def _with_outlines(base: MarkedMeasurement, annotation: AimAnnotation, shift: float) -> MarkedMeasurement:
    first = annotation.outlines[0]
    base = replace(base, sop_instance_uid=first.sop_instance_uid, frame_number=first.frame_number)
    if not annotation.lengths:
        return replace(base, passed_over=REGION_WITHOUT_SIZE)
    outlines = tuple(
        MarkedOutline(
            outline.shape,
            tuple(PixelPoint(x - shift, y - shift) for x, y in outline.points),
            sop_instance_uid=outline.sop_instance_uid,
            frame_number=outline.frame_number,
            stated_long=_stated_diameter(annotation.lengths, (*_LONG_KINDS, AxisKind.RADIUS)),
            stated_short=_stated_diameter(annotation.lengths, _SHORT_KINDS),
        )
        for outline in annotation.outlines
    )
    words = "The annotation gives lengths without lines; the axes were derived from its outline."
    return replace(base, outlines=outlines, findings=(Finding("axes-derived", Severity.INFO, words),))


def _stated_diameter(lengths: Sequence[AimLength], kinds: Sequence[AxisKind]) -> tuple[float | None, str]:
    """Return the first length of some kinds, (number, unit); a radius counts twice."""
    for length in lengths:
        if length.kind in kinds:
            twice = length.kind is AxisKind.RADIUS and length.value is not None
            return 2 * length.value if twice and length.value is not None else length.value, length.unit
    return None, ""


def _named(lines: Sequence[AimLine], lengths: Sequence[AimLength], kind: AxisKind) -> AimLine | None:
    uids = {uid for length in lengths if length.kind is kind for uid in length.markup_uids}
    found = [line for line in lines if line.markup_uid in uids]
    return found[0] if len(found) == 1 else None


def _axis(line: AimLine, lengths: Sequence[AimLength], kinds: Sequence[AxisKind], shift: float) -> MarkedAxis:
    stated = _stated(line, lengths, kinds)
    return MarkedAxis(
        pixels=(
            PixelPoint(line.start[0] - shift, line.start[1] - shift),
            PixelPoint(line.end[0] - shift, line.end[1] - shift),
        ),
        stated_length=stated.value if stated else None,
        stated_unit=stated.unit if stated else "",
    )


def _stated(line: AimLine, lengths: Sequence[AimLength], kinds: Sequence[AxisKind]) -> AimLength | None:
    """Return the length that was calculated from a line: that names it, or else one of some kinds that names none."""
    linked = [length for length in lengths if line.markup_uid and line.markup_uid in length.markup_uids]
    if linked:
        return linked[0]
    return next((length for length in lengths if length.kind in kinds and not length.markup_uids), None)


def _lesion_type(observations: Sequence[str]) -> tuple[LesionRole | None, bool]:
    """Return the role, and whether the lesion is said to be gone."""
    role, is_resolved = None, False
    for text in observations:
        match = _LESION_TYPE.fullmatch(text.strip())
        if match is None:
            continue
        word = re.sub("[- ]", "", match.group(2).lower())
        is_resolved = is_resolved or word == "resolved"
        role = role or _ROLES.get(word)
    return role, is_resolved


def _comment(annotation: AimAnnotation) -> str:
    programmed, separator, own = annotation.comment.partition("~~")
    if not separator:
        own = "" if _PROGRAMMED_COMMENT.match(programmed) else programmed
    return "; ".join(text for text in (own.strip(), annotation.type_meaning) if text)
