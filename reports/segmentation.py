"""A DICOM SEG of one CT series at one time point: a segment a lesion (PS3.3 A.51, C.8.20)."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import Segmentation, SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from reports.derived_object import MANUFACTURER, MODEL, SERIAL_NUMBER, ReportContext, concept, settle
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.evaluation import LesionEvaluation, TimePointEvaluation
from tumorresp.domain.segmentation import LesionMask, SegmenterIdentity
from tumorresp.domain.terminology import LYMPH_NODE, MORPHOLOGICALLY_ABNORMAL, NEOPLASM
from tumorresp.domain.version import SOFTWARE_VERSION

KIND = "SEG"
_LONG_STRING = 64
# Okabe and Ito's colours, told apart by colour-blind readers too.
_COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))


def segmented_lesions(time_point: TimePointEvaluation, volume: CtVolume) -> tuple[LesionEvaluation, ...]:
    """Return the lesions with a mask on a series, in segment order: segment 1 is the first.

    Lesions that lie on interpolated slices alone are left out: there is no image that a frame could be drawn on.
    """
    return tuple(
        item
        for item in time_point.lesions
        if item.mask is not None
        and item.measurement.series_instance_uid == volume.series_instance_uid
        and _has_image(item.mask, volume)
    )


def _has_image(mask: LesionMask, volume: CtVolume) -> bool:
    layers = np.flatnonzero(mask.voxels.any(axis=(1, 2)))
    return any(volume.planes[mask.start[0] + int(layer)].sop_instance_uid for layer in layers)


def build_segmentation(
    volume: CtVolume,
    images: Mapping[str, Dataset],
    time_point: TimePointEvaluation,
    context: ReportContext,
    *,
    kind: str = "binary",
) -> Segmentation:
    """Build the SEG of a series.

    Parameters
    ----------
    volume
        The series' volume, on whose grid the masks lie.
    images
        Its instances by SOP Instance UID, without pixels.
    kind
        ``binary``: a frame a segment and slice, segments may overlap; ``labelmap``: one frame a slice, where segments
        overlap the later lesion wins.

    Raises
    ------
    InvalidInput
        If no lesion has a mask on this series.
    """
    lesions = segmented_lesions(time_point, volume)
    if not lesions:
        raise InvalidInput("there is no mask on this series, so no SEG can be made.", where=volume.series_instance_uid)
    sources, slices = _source_frames(volume, images, lesions)
    pixels = _pixels([item.mask for item in lesions if item.mask is not None], slices, may_overlap=kind == "binary")
    segmentation = Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type="LABELMAP" if kind == "labelmap" else "BINARY",
        segment_descriptions=[_description(number, item) for number, item in enumerate(lesions, start=1)],
        series_instance_uid=context.series_uid(KIND, volume.series_instance_uid),
        series_number=9001,
        sop_instance_uid=context.instance_uid(KIND, volume.series_instance_uid),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions=SOFTWARE_VERSION,
        device_serial_number=SERIAL_NUMBER,
        content_label="TUMOUR_LESIONS",
        content_description=context.described(f"Lesion masks, {time_point.time_point.name}"),
        content_creator_name="TUMORRESP^",
        omit_empty_frames=True,
        series_description=context.described(f"Lesions {time_point.time_point.name}"),
    )
    settle(segmentation, context)
    return segmentation


def _source_frames(
    volume: CtVolume, images: Mapping[str, Dataset], lesions: Sequence[LesionEvaluation]
) -> tuple[list[Dataset], list[int | None]]:
    """Return the source images and, a frame of theirs each, the slice index; None for frames without lesions.

    Slices that were interpolated have no image, and their part of a mask has no frame.
    """
    masks = [item.mask for item in lesions if item.mask is not None]
    first = min(mask.start[0] for mask in masks)
    last = max(mask.start[0] + mask.voxels.shape[0] for mask in masks) - 1
    multi_frame = [image for image in images.values() if "NumberOfFrames" in image and int(image.NumberOfFrames) > 1]
    if multi_frame:
        # A SEG can be derived from one multi-frame image only: the one that shows most of the lesions' slices.
        reached = [plane.sop_instance_uid for plane in volume.planes[first : last + 1]]
        image = max(multi_frame, key=lambda one: reached.count(str(one.SOPInstanceUID)))
        order: list[int | None] = [None] * int(image.NumberOfFrames)
        for index, plane in enumerate(volume.planes):
            if plane.frame_number is not None and plane.sop_instance_uid == str(image.SOPInstanceUID):
                order[plane.frame_number - 1] = index
        return [image], order
    used = [k for k in range(first, last + 1) if volume.planes[k].sop_instance_uid in images]
    return [images[volume.planes[k].sop_instance_uid] for k in used], list(used)


def _pixels(
    masks: Sequence[LesionMask], slices: Sequence[int | None], *, may_overlap: bool
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return masks in the order of the source frames.

    Returns
    -------
    ndarray
        (frame, row, column) of segment numbers; where masks overlap and may, (frame, row, column, segment) of 0 and 1,
        which takes as many times the memory as there are lesions.
    """
    _, rows, columns = masks[0].geometry.shape
    labels = np.zeros((len(slices), rows, columns), np.uint8 if len(masks) < 256 else np.uint16)
    overlap = False
    for number, mask in enumerate(masks, start=1):
        for frame, window, layer in _layers(mask, slices):
            overlap = overlap or bool(labels[frame][window][layer].any())
            labels[frame][window][layer] = number
    if not overlap or not may_overlap:
        return labels
    apart = np.zeros((*labels.shape, len(masks)), np.uint8)
    for number, mask in enumerate(masks):
        for frame, window, layer in _layers(mask, slices):
            apart[frame, :, :, number][window] = layer
    return apart


def _layers(
    mask: LesionMask, slices: Sequence[int | None]
) -> Iterator[tuple[int, tuple[slice, slice], NDArray[np.bool_]]]:
    """Yield (frame, where the mask's box lies in it, the box's layer) for each frame that the box reaches."""
    start, row, column = mask.start
    depth, height, width = mask.voxels.shape
    window = slice(row, row + height), slice(column, column + width)
    for frame, index in enumerate(slices):
        if index is not None and start <= index < start + depth:
            yield frame, window, mask.voxels[index - start]


def _description(number: int, item: LesionEvaluation) -> SegmentDescription:
    assert item.mask is not None
    lesion = item.lesion
    regions = [concept(LYMPH_NODE)] if lesion.nodal else []
    if lesion.site is not None and not (lesion.nodal and lesion.site.same_concept(LYMPH_NODE)):
        regions.append(concept(lesion.site))
    return SegmentDescription(
        segment_number=number,
        segment_label=" ".join(part for part in (lesion.lesion_id, lesion.organ) if part)[:_LONG_STRING],
        segmented_property_category=concept(MORPHOLOGICALLY_ABNORMAL),
        segmented_property_type=concept(NEOPLASM),
        algorithm_type="SEMIAUTOMATIC",
        algorithm_identification=_algorithm(item.mask.segmenter),
        tracking_uid=lesion.tracking_uid,
        tracking_id=lesion.lesion_id,
        anatomic_regions=regions[:1] or None,
        display_color=CIELabColor.from_rgb(*lesion_colour(lesion.tracking_uid)),
    )


def lesion_colour(tracking_uid: str) -> tuple[int, int, int]:
    """Return a lesion's RGB colour, the same at every time point."""
    return _COLOURS[sum(tracking_uid.encode()) % len(_COLOURS)]


def _algorithm(segmenter: SegmenterIdentity) -> AlgorithmIdentificationSequence:
    parameters = dict(segmenter.details)
    return AlgorithmIdentificationSequence(
        name=segmenter.name,
        # CID 7162: a network has weights; the others move a contour.
        family=codes.DCM.ArtificialIntelligence if segmenter.weights_sha256 else codes.DCM.DeformableModels,
        version=segmenter.version,
        source="tumorresp",
        parameters=parameters or None,
    )
