"""Which reader takes a file, files that are broken, our own reports, and the page that tells users of it all."""

import datetime
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dicom_node.ct_volume import read_ct_volume
from dicom_node.measurements.csv_table import COLUMNS
from dicom_node.measurements.pixel_origin import shift_to_centres
from dicom_node.measurements.reading import read_measurements, readers
from reports.derived_object import ReportContext
from reports.lesion_groups import SegmentedSeries
from reports.measurement_report import build_measurement_report
from reports.segmentation import build_segmentation
from reports.source_images import read_source_images
from tests.dicom_node.measurements.sr_files import group, image, number, report, scoord, write
from tests.reports.small_ct import axis_on_slice, lesion_on, time_point_of, write_small_ct
from tumorresp.domain.errors import InvalidInput, NotDicom, UnknownFormat
from tumorresp.domain.measurement import LesionState
from tumorresp.domain.placement import place

PAGE = Path(__file__).resolve().parents[3] / "docs" / "measurement-formats.md"


def valid_report(tmp_path: Path, name: str = "report.dcm") -> Path:
    return write(tmp_path / name, report(group(number("long", "21", scoord([1, 2, 31, 2], image())))))


def test_every_real_document_is_taken_by_one_reader(real_data: Path):
    documents = [
        *real_data.glob("sr_samples/**/*sr*.dcm"),
        *real_data.glob("ncip_aim/*/*[AB].*"),
        *real_data.glob("sts/*/RTSTRUCT.dcm"),
    ]
    assert len(documents) > 30
    for path in documents:
        assert sum(reader.can_read(path) for reader in readers()) == 1, path.name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.dcm", b""),
        ("text.dcm", b"no DICOM at all"),
        ("zeros.dcm", bytes(4096)),
        ("preamble.dcm", bytes(128) + b"DICM"),
        ("noise.dcm", bytes(128) + b"DICM" + bytes(range(256)) * 8),
        ("page.xml", b"<html><body>ImageNotation</body></html>"),
        ("picture.png", b"\x89PNG\r\n"),
    ],
)
def test_what_no_reader_knows(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnknownFormat, match=re.escape(name)):
        read_measurements(tmp_path / name)


def test_a_report_cut_off_anywhere_is_refused(tmp_path: Path):
    whole = valid_report(tmp_path).read_bytes()
    cut = tmp_path / "cut.dcm"
    for length in range(len(whole) - 1, 700, -37):
        cut.write_bytes(whole[:length])
        with pytest.raises(NotDicom, match=r"cut\.dcm"):
            read_measurements(cut)


def test_real_documents_cut_off(real_data: Path, tmp_path: Path):
    for name in (
        "sr_samples/dcmjs/structured_report.dcm",
        "sts/STS_002/RTSTRUCT.dcm",
        "ncip_aim/0022/0022BaselineA.xml",
    ):
        whole = (real_data / name).read_bytes()
        path = tmp_path / f"cut{Path(name).suffix}"
        path.write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(InvalidInput, match="cut"):
            read_measurements(path)


def test_no_error_or_warning_names_the_patient(tmp_path: Path):
    whole = valid_report(tmp_path)
    document = report(group(number("long", "21", scoord([1, 2, 3], image()))))
    bad = write(tmp_path / "bad.dcm", document)
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(whole.read_bytes()[:-20])
    for path in (bad, cut):
        with warnings.catch_warnings(record=True) as noticed:
            warnings.simplefilter("always")
            with pytest.raises(InvalidInput) as caught:
                read_measurements(path)
        assert "anary" not in str(caught.value).lower()
        assert not [w for w in noticed if "anary" in str(w.message).lower()]


def test_a_document_without_an_identity(tmp_path: Path):
    document = report(group(number("long", "21", scoord([1, 2, 31, 2], image()))))
    path = write(tmp_path / "report.dcm", document)
    document.SOPInstanceUID, document.preamble = "", bytes(128)
    document.save_as(path)
    with pytest.raises(InvalidInput, match=r"0008,0018"):
        read_measurements(path)


def test_where_pixels_begin():
    assert (shift_to_centres("dicom"), shift_to_centres("centre")) == (0.5, 0.0)


@pytest.mark.parametrize("sop_class", ["comprehensive", "enhanced", "comprehensive-3d"])
def test_our_own_report_says_what_the_reader_measured(tmp_path: Path, sop_class: str):
    """The reader's lines come back; masks' axes, volumes and responses do not pose as measurements."""
    paths = write_small_ct(tmp_path / "ct", (6, 30, 40))
    volume = read_ct_volume(paths)
    voxels = np.zeros(volume.geometry.shape, bool)
    voxels[2:4, 8:14, 10:20] = True
    long_axis = axis_on_slice(volume, 3, (10.0, 9.5), (12.3, 20.1))
    short_axis = axis_on_slice(volume, 3, (8.0, 14.0), (14.2, 13.0))
    measured = lesion_on(
        volume,
        voxels,
        sop_instance_uid=volume.planes[3].sop_instance_uid,
        long_axis=long_axis,
        short_axis=short_axis,
        state=LesionState.MEASURED,
        reader="READER^ONE",
    )
    gone = replace(lesion_on(volume, ~voxels & False, "T02", state=LesionState.ABSENT), mask=None)
    time_point = time_point_of(measured, gone)
    context = ReportContext("digest", datetime.datetime(2024, 1, 5, 10, 11, 12))  # noqa: DTZ001  as DICOM dates
    images = read_source_images(paths)
    segmentation = build_segmentation(volume, images, time_point, context)
    document = build_measurement_report(
        [SegmentedSeries(volume, images, segmentation)],
        next(iter(images.values())),
        time_point,
        0,
        context,
        sop_class=sop_class,
    )
    document.save_as(tmp_path / "own.dcm", enforce_file_format=True)
    found = {item.tracking_identifier: item for item in read_measurements(tmp_path / "own.dcm")}
    assert set(found) == {"T01", "T02"}
    assert found["T02"].state is LesionState.ABSENT
    placed = place(found["T01"], {plane.sop_instance_uid: [plane] for plane in volume.planes})
    assert placed.tracking_uid == measured.lesion.tracking_uid
    assert placed.role is measured.lesion.role
    assert placed.sop_instance_uid == volume.planes[3].sop_instance_uid
    for axis, truth in ((placed.long_axis, long_axis), (placed.short_axis, short_axis)):
        assert axis.start_lps_mm == pytest.approx(truth.start_lps_mm, abs=1e-3)
        assert axis.end_lps_mm == pytest.approx(truth.end_lps_mm, abs=1e-3)


@pytest.mark.parametrize("language", ["csv", "json"])
def test_the_pages_examples_can_be_read(tmp_path: Path, language: str):
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert blocks
    for number_, block in enumerate(blocks):
        path = tmp_path / f"example{number_}.{language}"
        path.write_text(block, "utf-8")
        assert read_measurements(path)


def test_the_page_names_every_column():
    text = PAGE.read_text("utf-8")
    first_and_last = {"x1_mm", "z2_mm"}
    for column in COLUMNS:
        part = column.partition("_")[2]
        if part in ("y1_mm", "z1_mm", "x2_mm", "y2_mm") or (column.startswith("short") and part not in first_and_last):
            continue
        assert f"`{column}`" in text or part in first_and_last, column


def test_the_page_names_every_flag():
    root = PAGE.parents[1]
    sources = [
        *(root / "dicom_node" / "measurements").glob("*.py"),
        root / "tumorresp/domain/placement.py",
        root / "tumorresp/domain/axis_checks.py",
    ]
    flags = {flag for path in sources for flag in re.findall(r'Finding\(\s*"([a-z-]+)"', path.read_text("utf-8"))}
    assert len(flags) > 10
    assert flags - {"identity-repeated"} <= set(re.findall(r"`([a-z-]+)`", PAGE.read_text("utf-8")))
