"""DICOM structured reports: TID 1500 in all its dialects, AIM's conversion to SR, and the trees of vendors.

TID 1500 (PS3.16): every Measurement Group (125007, DCM) is one lesion; long and short axis are NUM items with
coordinates below them, or lengths of the group's image region (TID 1410). Elsewhere every NUM that names an axis, a
length or a diameter and has coordinates below it counts, grouped by the container that holds it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydicom.dataset import Dataset

from dicom_node.measurements.aim_report import aim_annotations, aim_measurements
from dicom_node.measurements.axis_concepts import axis_kind
from dicom_node.measurements.document_facts import dicom_document, has_modality, whole_document
from dicom_node.measurements.pixel_origin import PixelOrigin, shift_to_centres
from dicom_node.measurements.sr_content import ContentItem, read_content
from dicom_node.measurements.sr_lines import MarkedAxes, group_axes, group_image, why_without_axes
from dicom_node.measurements.sr_observers import document_observer, observer_of
from dicom_node.parser_errors import PARSER_ERRORS
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import LesionRole, LesionState, MarkedMeasurement
from tumorresp.domain.terminology import (
    ABSENT,
    COMMENT,
    FINDING,
    FINDING_SITE,
    FINDING_SITE_SRT,
    LESION_ROLE,
    LESION_STATE,
    MEASUREMENT_GROUP,
    NON_TARGET_CR,
    NON_TARGET_PD,
    NON_TARGET_SD,
    PRESENT,
    ROLE_NEW,
    ROLE_NON_TARGET,
    ROLE_TARGET,
    STATE_EQUIVOCAL,
    STATE_NOT_EVALUABLE,
    STATE_TOO_SMALL,
    STATE_UNEQUIVOCAL_PROGRESSION,
    TARGET_CR,
    TARGET_PD,
    TARGET_PR,
    TARGET_SD,
    TRACKING_IDENTIFIER,
    TRACKING_UNIQUE_IDENTIFIER,
    Code,
)

_Meaning = TypeVar("_Meaning", LesionRole, LesionState)

_FINDING_CATEGORY = Code("276214006", "SCT", "Finding category")
_ANATOMICAL_STRUCTURE = Code("91723000", "SCT", "Anatomical structure")
_TOOL_NAMES = frozenset({"cornerstone3dtools", "cornerstonetools", "dcmjs"})
_FREE_TEXT = frozenset({"CORNERSTONEFREETEXT", "CS3DTEXT"})
# Writers put a response code on a single lesion at will: kept as text, never taken as a state.
_RESPONSES = (TARGET_CR, TARGET_PR, TARGET_PD, TARGET_SD, NON_TARGET_CR, NON_TARGET_SD, NON_TARGET_PD)
_ROLES = (
    (ROLE_TARGET, LesionRole.TARGET),
    (ROLE_NON_TARGET, LesionRole.NON_TARGET),
    (ROLE_NEW, LesionRole.NEW),
)
_STATES = (
    (ABSENT, LesionState.ABSENT),
    (PRESENT, LesionState.PRESENT),
    (STATE_TOO_SMALL, LesionState.TOO_SMALL),
    (STATE_NOT_EVALUABLE, LesionState.NOT_EVALUABLE),
    (STATE_UNEQUIVOCAL_PROGRESSION, LesionState.UNEQUIVOCAL_PROGRESSION),
    (STATE_EQUIVOCAL, LesionState.EQUIVOCAL),
)


class StructuredReportReader:
    """Reads measurements from DICOM SR files."""

    def __init__(self, pixel_origin: PixelOrigin = "dicom") -> None:
        self._shift = shift_to_centres(pixel_origin)

    def can_read(self, path: Path) -> bool:
        """Return whether the file is a DICOM SR."""
        return has_modality(path, "SR")

    def read(self, path: Path) -> tuple[MarkedMeasurement, ...]:
        """Read every measurement and every statement of a report, in its order.

        Returns
        -------
        tuple of MarkedMeasurement
            Empty for a report that measures no lesion: dose, key images, masks alone.

        Raises
        ------
        NotDicom
            If the file is cut off.
        InvalidInput
            If its tree makes no sense.
        """
        document = whole_document(path)
        try:
            root = read_content(document, path.name)
            return tuple(self._measurements(document, root))
        except InvalidInput as error:
            raise type(error)(error.message, where=error.where or path.name, remedy=error.remedy) from None
        except PARSER_ERRORS as error:
            raise InvalidInput(
                f"the structured report's content cannot be understood ({type(error).__name__}).", where=path.name
            ) from error

    def _measurements(self, document: Dataset, root: ContentItem) -> Iterator[MarkedMeasurement]:
        if aim_annotations(root):
            yield from aim_measurements(root, _document_facts(document, root, "dicom-sr", ()), self._shift)
            return
        groups = [item for item in root.walk() if item.is_named(MEASUREMENT_GROUP)]
        in_template = bool(groups)
        if not groups:
            groups = list(_vendor_groups(root))
        base = _document_facts(document, root, "dicom-sr-tid1500" if in_template else "dicom-sr", groups)
        for number, group in enumerate(groups, start=1):
            numbers = list(group.below("NUM")) if in_template else [i for i in _within(group) if i.value_type == "NUM"]
            axes = group_axes(group, numbers, self._shift)
            if axes.is_empty and in_template:
                axes = replace(axes, passed_over=why_without_axes(group, numbers))
            marked = _measurement(base, group, number, axes)
            if marked is not None:
                yield marked


def _measurement(
    base: MarkedMeasurement, group: ContentItem, number: int, axes: MarkedAxes
) -> MarkedMeasurement | None:
    """Return what a group says, or None when it neither measures a lesion nor states something of one."""
    state = _meaning_of(_coded(group, LESION_STATE), _STATES)
    if axes.is_empty and not axes.passed_over and state is None:
        return None
    category = _coded(group, _FINDING_CATEGORY)
    if category is not None and category.same_concept(_ANATOMICAL_STRUCTURE):
        return None
    tracking_identifier = _text_of(group, TRACKING_IDENTIFIER)
    is_tool = tracking_identifier.lower().split(":")[0].split("@")[0] in _TOOL_NAMES
    observer = observer_of(group.walk())
    own = base if observer is None else replace(base, reader=observer.person, device=observer.device)
    return replace(
        axes.placed_in(own, group_image(group)),
        measurement_uid=derived_uid("measurement", base.source.document_uid, str(number)),
        label=_label(group) or ("" if is_tool else tracking_identifier),
        tracking_identifier=tracking_identifier,
        tracking_uid=_text_of(group, TRACKING_UNIQUE_IDENTIFIER),
        tracking_uid_is_stable=not is_tool,
        finding_type=_coded(group, FINDING),
        site=_coded(group, FINDING_SITE, FINDING_SITE_SRT),
        role=_meaning_of(_coded(group, LESION_ROLE), _ROLES),
        state=state or LesionState.MEASURED,
        passed_over="" if state else axes.passed_over,
        comment="; ".join(text for text in (_text_of(group, COMMENT), _response_text(group)) if text),
    )


def _document_facts(
    document: Dataset, root: ContentItem, kind: str, groups: Sequence[ContentItem]
) -> MarkedMeasurement:
    observer = document_observer(root, str(document.get("SOPClassUID") or ""), groups)
    return replace(dicom_document(document, kind), reader=observer.person, device=observer.device)


def _vendor_groups(root: ContentItem) -> Iterator[ContentItem]:
    """Give the containers that directly or through plain items hold axes with coordinates."""

    def is_axis(item: ContentItem) -> bool:
        return item.value_type == "NUM" and axis_kind(item.name) is not None and any(item.below("SCOORD", "SCOORD3D"))

    for item in root.walk():
        if item.value_type == "CONTAINER" and any(is_axis(child) for child in _within(item)):
            yield item


def _within(container: ContentItem) -> Iterator[ContentItem]:
    """Give the items below a container that are not in a container of their own."""
    for child in container.children:
        if child.value_type != "CONTAINER":
            yield child
            yield from _within(child)


def _text_of(group: ContentItem, concept: Code) -> str:
    return next((child.text() for child in group.children if child.is_named(concept) and child.text()), "")


def _coded(group: ContentItem, *concepts: Code) -> Code | None:
    for child in group.children:
        if child.value_type == "CODE" and child.is_named(*concepts):
            code = child.code()
            if code is not None and code.value not in _FREE_TEXT:
                return code
    return None


def _label(group: ContentItem) -> str:
    """Return what a person called the lesion: the comment or a free-text finding."""
    comment = _text_of(group, COMMENT)
    if comment:
        return comment
    for child in group.children:
        code = child.code() if child.value_type == "CODE" and child.is_named(FINDING) else None
        if code is not None and code.value in _FREE_TEXT:
            return code.meaning
        if child.value_type == "TEXT" and child.is_named(FINDING):
            return child.text()
    return ""


def _response_text(group: ContentItem) -> str:
    codes = [child.code() for child in group.children if child.value_type == "CODE"]
    return "; ".join(
        code.meaning for code in codes if code is not None and any(code.same_concept(known) for known in _RESPONSES)
    )


def _meaning_of(code: Code | None, known: Sequence[tuple[Code, _Meaning]]) -> _Meaning | None:
    return next((meaning for concept, meaning in known if concept.same_concept(code)), None)
