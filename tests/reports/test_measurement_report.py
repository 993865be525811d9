import datetime
import io
import time
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pydicom
import pytest

from dicom_node.ct_volume import read_ct_volume
from reports.derived_object import ReportContext, encoded
from reports.lesion_groups import SegmentedSeries
from reports.measurement_report import build_measurement_report
from reports.report_numbers import NumberKey, read_numbers
from reports.response_groups import response_tracking_uid
from reports.segmentation import build_segmentation
from reports.source_images import read_source_images
from tests.reports.small_ct import axis_on_slice, lesion_on, time_point_of, write_small_ct
from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.biomarkers import Biomarker, Biomarkers
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.terminology import Code
from tumorresp.quantify.lesion import quantify

CONTEXT = ReportContext("digest", datetime.datetime(2024, 1, 5, 10, 11, 12))  # noqa: DTZ001  as DICOM dates
RECIST = Assessment(
    "recist-1.1",
    "tp-2",
    Category.PR,
    Category.NON_CR_NON_PD,
    NewLesionStatus.NO,
    Category.PR,
    "mm",
    Decimal("20.123457"),
    Decimal("30.000001"),
    Decimal("25.1"),
    Decimal("-32.92184557261448"),
    Decimal("-19.82686454183267"),
    Decimal("-4.976543"),
    ("The sum fell from 30.0 mm to 20.1 mm.", "r" * 3000),
    (("pr_fraction", "0.7"),),
    "0",
)
VOLUMETRIC = replace(
    RECIST,
    criterion="volume-recist",
    unit="mm3",
    target=Category.NE,
    overall=Category.NE,
    target_sum=None,
    change_from_baseline_percent=None,
    change_from_nadir_percent=None,
    change_from_nadir=None,
)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write_small_ct(tmp_path_factory.mktemp("ct"), (6, 30, 40))


@pytest.fixture(scope="module")
def volume(paths):
    return read_ct_volume(paths)


@pytest.fixture(scope="module")
def time_point(volume):
    """A measured lesion with all numbers, one that vanished, one that cannot be judged."""
    voxels = np.zeros(volume.geometry.shape, bool)
    voxels[2:4, 8:14, 10:20] = True
    long_axis = axis_on_slice(volume, 3, (10.0, 9.5), (12.3, 20.1))
    short_axis = axis_on_slice(volume, 3, (8.0, 14.0), (14.2, 13.0))
    measured = lesion_on(
        volume,
        voxels,
        "T01",
        sop_instance_uid=volume.planes[3].sop_instance_uid,
        long_axis=long_axis,
        short_axis=short_axis,
        state=LesionState.MEASURED,
        reader="READER^ONE",
        findings=(Finding("x", Severity.WARNING, "The stated length differs."),),
    )
    numbers = Biomarkers(
        measured.measurement.measurement_uid,
        1 / 3 * 1e4,
        3210.0987654321987,
        axis_on_slice(volume, 2, (9.0, 9.0), (12.0, 20.0)),
        axis_on_slice(volume, 2, (8.0, 14.0), (14.0, 13.0)),
        2,
        volume.planes[2].sop_instance_uid,
        17.000000000000004,
        -12.345678901234567,
        np.pi,
        0.7071067811865476,
        0.3333333333333333,
        radiomics=(
            Biomarker("original_glcm_JointEntropy", 4.1e-21, "1", Code("TU9B", "IBSI", "Joint Entropy of GLCM")),
            Biomarker(
                "original_shape_SurfaceVolumeRatio", 0.55, "/mm", Code("2PR5", "IBSI", "Surface to Volume Ratio")
            ),
            Biomarker("original_shape_Sphericity", 0.70710678, "1", Code("QCFX", "IBSI", "Sphericity")),
            Biomarker("original_firstorder_Kurtosis", 3.0, "1"),
            Biomarker("original_ngtdm_Contrast", None, "1", Code("65HE", "IBSI", "Contrast of NGTDM"), "too small"),
        ),
    )
    nothing = np.zeros(volume.geometry.shape, bool)
    gone = lesion_on(volume, nothing, "T02", state=LesionState.ABSENT, nodal=True)
    unseen = lesion_on(volume, nothing, "NT01", state=LesionState.NOT_EVALUABLE, series_instance_uid="2.25.77")
    unseen = replace(unseen, lesion=replace(unseen.lesion, role=LesionRole.NON_TARGET), mask=None)
    lesions = (replace(measured, biomarkers=numbers), replace(gone, mask=None), unseen)
    return replace(time_point_of(*lesions, order=2), assessments=(RECIST, VOLUMETRIC))


def built(paths, volume, time_point, sop_class="comprehensive"):
    images = read_source_images(paths)
    segmentation = build_segmentation(volume, images, time_point, CONTEXT)
    report = build_measurement_report(
        [SegmentedSeries(volume, images, segmentation)],
        next(iter(images.values())),
        time_point,
        56,
        CONTEXT,
        sop_class=sop_class,
    )
    return pydicom.dcmread(io.BytesIO(encoded(report))), segmentation


@pytest.fixture(scope="module")
def report(paths, volume, time_point):
    return built(paths, volume, time_point)[0]


def children(item, meaning="", value_type=""):
    return [
        child
        for child in item.get("ContentSequence", ())
        if (not meaning or child.ConceptNameCodeSequence[0].CodeMeaning == meaning)
        and (not value_type or child.ValueType == value_type)
    ]


def groups(report):
    (measurements,) = children(report, "Imaging Measurements")
    return children(measurements, "Measurement Group")


def answers(group):
    found = {}
    for item in children(group, value_type="CODE"):
        found.setdefault(code_of(item.ConceptNameCodeSequence[0]), []).append(code_of(item.ConceptCodeSequence[0]))
    return found


def code_of(code):
    return str(code.get("CodeValue") or code.get("LongCodeValue"))


def test_every_number_is_that_of_the_store(report, time_point):
    first = time_point.lesions[0]
    uid, measured, numbers = first.lesion.tracking_uid, first.measurement, first.biomarkers
    recist = response_tracking_uid("P1", "recist-1.1")
    volumetric = response_tracking_uid("P1", "volume-recist")
    assert read_numbers(report) == {
        NumberKey(uid, "118565006", "126030"): numbers.voxel_volume_mm3,
        NumberKey(uid, "RNU0"): numbers.mesh_volume_mm3,
        NumberKey(uid, "L0JK"): numbers.maximum_3d_diameter_mm,
        NumberKey(uid, "QCFX"): numbers.sphericity,
        NumberKey(uid, "surface-share"): numbers.surface_voxel_share,
        NumberKey(uid, "112031", "373098007"): numbers.mean_hu,
        NumberKey(uid, "112031", "386136009"): numbers.sd_hu,
        NumberKey(uid, "103339001", "mask-axis"): numbers.long_axis.length_mm,
        NumberKey(uid, "103340004", "mask-axis"): numbers.short_axis.length_mm,
        NumberKey(uid, "TU9B"): 4.1e-21,
        NumberKey(uid, "2PR5"): 0.55,
        NumberKey(uid, "103339001", "126081"): measured.long_axis.length_mm,
        NumberKey(uid, "103340004", "126081"): measured.short_axis.length_mm,
        NumberKey(recist, "sum-of-diameters"): 20.123457,
        NumberKey(recist, "baseline-sum"): 30.000001,
        NumberKey(recist, "nadir-sum"): 25.1,
        NumberKey(recist, "diff-nadir"): -4.976543,
        NumberKey(recist, "change-baseline"): -32.92184557261448,
        NumberKey(recist, "change-nadir"): -19.82686454183267,
        NumberKey(volumetric, "baseline-sum"): 30.000001,
        NumberKey(volumetric, "nadir-sum"): 25.1,
    }


def test_decimals_are_valid_and_near_beside_the_exact_values(report):
    for group in groups(report):
        for item in children(group, value_type="NUM"):
            value = item.MeasuredValueSequence[0]
            assert len(str(value.NumericValue)) <= 16
            if item.RelationshipType == "CONTAINS":
                assert float(value.NumericValue) == pytest.approx(value.FloatingPointValue, rel=1e-9)


def test_title_and_procedure_are_what_viewers_and_the_template_want(report):
    assert report.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.33"
    assert report.ConceptNameCodeSequence[0].CodeValue == "126000"
    (procedure,) = children(report, "Procedure reported")
    assert code_of(procedure.ConceptCodeSequence[0]) == "25045-6"
    assert [code_of(item.ConceptCodeSequence[0]) for item in children(report, "Observer Type")] == ["121006", "121007"]
    (person,) = children(report, "Person Observer Name")
    assert person.PersonName == "READER^ONE"


def test_mask_and_reader_groups_share_the_tracking_uid(report, time_point):
    first = time_point.lesions[0].lesion
    on_mask, by_reader = groups(report)[:2]
    assert [g.ContentTemplateSequence[0].TemplateIdentifier for g in (on_mask, by_reader)] == ["1411", "1501"]
    for group in (on_mask, by_reader):
        (uid,) = children(group, "Tracking Unique Identifier")
        assert first.tracking_uid == uid.UID
        (name,) = children(group, "Tracking Identifier")
        assert name.TextValue == "T01"


def test_the_mask_group_refers_to_the_segment_and_its_algorithm(paths, volume, time_point):
    report, segmentation = built(paths, volume, time_point)
    group = groups(report)[0]
    (segment,) = children(group, "Referenced Segment")
    reference = segment.ReferencedSOPSequence[0]
    assert reference.ReferencedSOPInstanceUID == segmentation.SOPInstanceUID
    number = reference.ReferencedSegmentNumber
    assert segmentation.SegmentSequence[number - 1].TrackingUID == time_point.lesions[0].lesion.tracking_uid
    parameters = [item.TextValue for item in children(group, "Algorithm Parameters")]
    assert f"weights_sha256={'ab' * 32}" in parameters


def test_lines_lie_half_a_pixel_from_our_positions(report, volume):
    group = groups(report)[1]
    (axis,) = children(group, "Long Axis")
    (line,) = children(axis, value_type="SCOORD")
    assert line.GraphicType == "POLYLINE"
    np.testing.assert_allclose(line.GraphicData, [10.0, 10.5, 20.6, 12.8], atol=1e-4)
    (image,) = children(line)
    assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == volume.planes[3].sop_instance_uid


def test_lines_in_the_patient_on_request(paths, volume, time_point):
    report, _ = built(paths, volume, time_point, "comprehensive-3d")
    assert report.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.34"
    (axis,) = children(groups(report)[1], "Long Axis")
    (line,) = children(axis, value_type="SCOORD3D")
    expected = time_point.lesions[0].measurement.long_axis
    np.testing.assert_allclose(
        np.reshape(line.GraphicData, (2, 3)), [expected.start_lps_mm, expected.end_lps_mm], atol=1e-4
    )
    assert line.ReferencedFrameOfReferenceUID == "2.25.103"
    assert read_numbers(report) == read_numbers(built(paths, volume, time_point)[0])


def test_an_oblique_line_keeps_its_number_and_its_image(paths, volume, time_point):
    first = time_point.lesions[0]
    oblique = replace(axis_on_slice(volume, 3, (10, 10), (12, 20)), end_lps_mm=(-20.0, 20.0, 252.0))
    measurement = replace(first.measurement, long_axis=oblique, short_axis=None, sop_instance_uid="")
    changed = replace(time_point, lesions=(replace(first, measurement=measurement),))
    report, _ = built(paths, volume, changed)
    (axis,) = children(groups(report)[1], "Long Axis")
    assert children(axis, value_type="SCOORD") == []
    (image,) = children(axis, value_type="IMAGE")
    nearest = round(float(volume.geometry.lps_to_index(oblique.midpoint_lps_mm)[0]))
    assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == volume.planes[nearest].sop_instance_uid
    assert read_numbers(report)[NumberKey(first.lesion.tracking_uid, "103339001", "126081")] == oblique.length_mm


def test_statements_without_a_line_say_role_and_state(report):
    gone, unseen = groups(report)[2:4]
    assert answers(gone)["lesion-role"] == ["target"]
    assert answers(gone)["lesion-state"] == ["2667000"]
    assert answers(gone)["363698007"] == ["59441001"]
    assert answers(unseen)["lesion-role"] == ["non-target"]
    assert answers(unseen)["lesion-state"] == ["not-evaluable"]
    assert children(gone, value_type="IMAGE")
    assert not children(unseen, value_type="IMAGE")


def test_responses_have_dicom_codes_for_diameters_only(report):
    recist, volumetric = groups(report)[4:6]
    assert answers(recist) == {
        "370129005": ["126081"],
        "112048": ["112042", "112046"],
        "resp-target": ["pr"],
        "resp-non-target": ["non-cr-non-pd"],
        "new-lesions": ["2667000"],
        "resp-overall": ["pr"],
    }
    assert "112048" not in answers(volumetric)
    assert answers(volumetric)["resp-target"] == ["ne"]
    assert answers(volumetric)["370129005"] == ["volume-recist"]


def test_reasons_parameters_and_remarks_are_whole(report):
    recist = groups(report)[4]
    assert [item.TextValue for item in children(recist, "Reason")] == list(RECIST.reasons)
    assert [item.TextValue for item in children(recist, "Rule Parameter")] == ["pr_fraction = 0.7"]
    assert [item.TextValue for item in children(groups(report)[1], "Remark")] == ["The stated length differs."]


@pytest.mark.parametrize(
    ("category", "code"),
    [("CR", "112041"), ("PR", "112042"), ("PD", "112043"), ("SD", "112044"), ("NE", None), ("BASELINE", None)],
)
def test_target_responses_of_recist(paths, volume, time_point, category, code):
    assessment = replace(RECIST, target=Category(category), non_target=Category.NOT_APPLICABLE)
    report, _ = built(paths, volume, replace(time_point, assessments=(assessment,)))
    assert answers(groups(report)[-1]).get("112048") == ([code] if code else None)


def test_the_time_point_is_told_in_every_group(report, time_point):
    for group in groups(report):
        (name,) = children(group, "Time Point")
        assert name.TextValue == "Follow-up 1"
        (offset,) = children(group, "Longitudinal Temporal Offset from Event")
        assert offset.MeasuredValueSequence[0].NumericValue == 56
        assert offset.RelationshipType == "HAS OBS CONTEXT"
    baseline = replace(time_point, time_point=replace(time_point.time_point, order=1))
    assert baseline.time_point.name == "Baseline"


def test_private_codes_are_declared_and_short_enough(report):
    (scheme,) = report.CodingSchemeIdentificationSequence
    assert scheme.CodingSchemeDesignator == "99TUMORRESP"
    assert scheme.CodingSchemeResponsibleOrganization == "tumorresp"


def test_evidence_holds_what_is_referred_to(paths, volume, time_point):
    report, segmentation = built(paths, volume, time_point)
    evidence = {
        item.ReferencedSOPInstanceUID
        for study in report.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    images = {volume.planes[index].sop_instance_uid for index in (0, 3)}  # absent T02 was seen on the first slice
    assert evidence == images | {segmentation.SOPInstanceUID}


def test_a_time_point_of_statements_alone_has_a_report(paths, time_point):
    unseen = replace(time_point, lesions=time_point.lesions[2:])
    image = next(iter(read_source_images(paths).values()))
    report = build_measurement_report([], image, unseen, 0, CONTEXT)
    assert [answers(group).get("lesion-state") for group in groups(report)] == [["not-evaluable"], None, None]


@pytest.mark.parametrize("sop_class", ["comprehensive", "comprehensive-3d", "enhanced"])
def test_a_rerun_gives_the_same_bytes(paths, volume, time_point, sop_class):
    first = encoded(built(paths, volume, time_point, sop_class)[0])
    time.sleep(1.05)
    assert encoded(built(paths, volume, time_point, sop_class)[0]) == first


def test_every_coded_feature_of_a_real_mask_is_in_the_report(tmp_path):
    noise = np.random.default_rng(7).normal(40, 25, (30, 40)).astype("<i2").tobytes()
    paths = write_small_ct(tmp_path, (6, 30, 40), PixelData=noise)
    volume = read_ct_volume(paths)
    voxels = np.zeros(volume.geometry.shape, bool)
    voxels[1:5, 8:20, 10:26] = True
    item = lesion_on(volume, voxels)
    item = replace(item, biomarkers=quantify(volume, item.mask, with_radiomics=True))
    report, _ = built(paths, volume, time_point_of(item))
    numbers = read_numbers(report)
    coded = [feature for feature in item.biomarkers.radiomics if feature.code and feature.value is not None]
    assert len(coded) > 80
    for feature in coded:
        value = numbers[NumberKey(item.lesion.tracking_uid, feature.code.value)]
        tolerance = 1e-6 if feature.code.value in ("RNU0", "QCFX", "L0JK") else 0  # measured by ourselves, too
        assert value == pytest.approx(feature.value, rel=tolerance, abs=0)


def test_two_numbers_of_one_meaning_are_refused(report):
    twice = pydicom.dcmread(io.BytesIO(encoded(report)))
    group = groups(twice)[0]
    group.ContentSequence.append(children(group, "Sphericity")[0])
    with pytest.raises(InvalidInput, match="mean the same"):
        read_numbers(twice)
