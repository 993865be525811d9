"""The sender against real destinations, and what it says when they refuse."""

import logging
import socket
import threading
from pathlib import Path

import pydicom
import pytest
import structlog
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt

from dicom_node.instance_header import read_header
from dicom_node.sender import Destination, echo, send
from dicom_node.storage_scp import StorageScp
from tests.dicom_node.ct_files import PATIENT_ID, PATIENT_NAME, ct_image, uid, with_meta, write
from tests.real_servers import OrthancServer, StoreScp, free_port, run_tool, running_storescp
from tumorresp.domain.errors import DeliveryFailed, NotDicom

SEG, LABELMAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"


def to(server, **changes) -> Destination:
    port = server.dicom_port if isinstance(server, OrthancServer) else server.port
    fields = {"name": "archive", "ae_title": getattr(server, "ae_title", "PACS"), "host": "127.0.0.1", "port": port}
    return Destination(**(fields | changes))


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return write(tmp_path / "sent", *(ct_image(z) for z in (0, 5, 10)))


@pytest.mark.real_server
def test_echo_to_real_servers(orthanc: OrthancServer, storescp: StoreScp):
    echo(to(orthanc))
    echo(to(storescp))


@pytest.mark.real_server
def test_orthanc_takes_everything_and_gives_it_back(real_data: Path, orthanc: OrthancServer):
    orthanc.clear()
    paths = [
        *sorted((real_data / "sts" / "STS_002" / "CT").glob("*.dcm"))[:3],
        real_data / "sts" / "STS_002" / "RTSTRUCT.dcm",
        real_data / "sr_samples" / "ohif" / "ohif_srt.dcm",
        real_data / "sr_samples" / "dcmqi" / "liver.dcm",
    ]
    results = send(paths, to(orthanc))
    assert [result.path for result in results] == paths
    assert [(result.status, result.warning) for result in results] == [(0, "")] * len(paths)
    for path, result in zip(paths, results, strict=True):
        returned = pydicom.dcmread(pydicom.filebase.DicomBytesIO(orthanc.dicom_file(result.sop_instance_uid)))
        assert returned == pydicom.dcmread(path)
        assert returned.file_meta.TransferSyntaxUID == pydicom.dcmread(path).file_meta.TransferSyntaxUID


@pytest.mark.real_server
@pytest.mark.parametrize("tool", ["dcmcjpls", "dcmcrle"])
def test_compressed_images_stay_compressed(real_data, tmp_path, storescp: StoreScp, tool):
    source = real_data / "cancerdata" / "cancerdata_phantom_pat_4" / "DCM_IMG_00000.dcm"
    run_tool(tool, source, tmp_path / "compressed.dcm", check=True)
    send([tmp_path / "compressed.dcm"], to(storescp))
    (received,) = storescp.folder.iterdir()
    assert read_header(received).sha256 == read_header(tmp_path / "compressed.dcm").sha256
    assert read_header(received).transfer_syntax_uid == read_header(tmp_path / "compressed.dcm").transfer_syntax_uid


@pytest.mark.real_server
@pytest.mark.parametrize(("option", "syntax"), [("+xi", ImplicitVRLittleEndian), ("+xe", ExplicitVRLittleEndian)])
def test_a_destination_that_knows_one_syntax_gets_that(tmp_path, images, option, syntax):
    with running_storescp(tmp_path / "picky", option) as picky:
        send(images, to(picky))
        for path in picky.folder.iterdir():
            assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == syntax
        sent = {read_header(path).sha256 for path in images}
        assert {read_header(path).sha256 for path in picky.folder.iterdir()} == sent


@pytest.mark.real_server
def test_what_a_destination_does_not_know_is_said_and_the_rest_is_sent(real_data, tmp_path, images):
    run_tool(
        "dcmcjpls", real_data / "cancerdata" / "cancerdata_phantom_pat_4" / "DCM_IMG_00000.dcm", tmp_path / "c.dcm"
    )
    with running_storescp(tmp_path / "picky", "+xi") as picky:
        with pytest.raises(DeliveryFailed, match=r"1 of 4 objects were not taken.*0122") as caught:
            send([images[0], tmp_path / "c.dcm", *images[1:]], to(picky))
        assert read_header(tmp_path / "c.dcm").sop_instance_uid in caught.value.where
        assert picky.sop_instance_uids() == sorted(read_header(path).sop_instance_uid for path in images)


def test_the_storage_scp_keeps_and_counts(tmp_path, images):
    with StorageScp(tmp_path / "pacs") as pacs:
        echo(to(pacs))
        send(images, to(pacs))
        send(images[:1], to(pacs))
        assert pacs.counts == {uid("one", 0): 2, uid("one", 5): 1, uid("one", 10): 1}
        for path in images:
            header = read_header(path)
            assert read_header(pacs.path_of(header.sop_instance_uid)).sha256 == header.sha256


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0xA700, "Refused: Out of Resources"),
        (0xA900, "Data Set Does Not Match SOP Class"),
        (0xC123, "Cannot Understand|Failure|unknown"),
        (0x0124, "Refused: Not Authorised"),
    ],
)
def test_refusals_in_words(tmp_path, images, status, words):
    with StorageScp(tmp_path / "pacs", answers={CTImageStorage: status}) as pacs:
        with pytest.raises(DeliveryFailed, match=f"({words}).*{status:04X}") as caught:
            send(images, to(pacs))
        assert "3 of 3" in str(caught.value)
        assert pacs.counts == {}


@pytest.mark.parametrize("status", [0xB000, 0xB006, 0xB007])
def test_stored_with_a_warning_is_stored(tmp_path, images, status):
    with (
        StorageScp(tmp_path / "pacs", answers={CTImageStorage: status}) as pacs,
        structlog.testing.capture_logs() as logs,
    ):
        results = send(images, to(pacs))
    assert [result.status for result in results] == [status] * 3
    assert all(f"({status:04X})" in result.warning for result in results)
    assert len(logs) == 3


def test_one_class_that_is_refused_does_not_keep_the_others_back(tmp_path, images):
    segmentation = with_meta(ct_image(50, SOPClassUID=SEG))
    labelmap = with_meta(ct_image(60, SOPClassUID=LABELMAP))
    paths = [*write(tmp_path / "seg", segmentation, labelmap), *images]
    with StorageScp(tmp_path / "pacs", answers={SEG: 0xA900}) as pacs:
        with pytest.raises(DeliveryFailed, match="1 of 5"):
            send(paths, to(pacs))
        assert len(pacs.counts) == 4


def test_more_classes_than_one_association_can_carry(tmp_path):
    made = [with_meta(ct_image(z, SOPClassUID=f"1.2.3.4.{z + 1}")) for z in range(100)]
    with StorageScp(tmp_path / "pacs") as pacs:
        results = send(write(tmp_path / "many", *made), to(pacs))
        assert len(results) == len(pacs.counts) == 100


def test_nobody_listens(images):
    with pytest.raises(DeliveryFailed, match="does not answer") as caught:
        send(images, Destination("archive", "PACS", "127.0.0.1", free_port()))
    assert "archive" in str(caught.value)


def test_something_else_listens(images):
    """A server that takes the connection and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        destination = Destination(
            "archive", "PACS", "127.0.0.1", server.getsockname()[1], association_timeout_s=0.5, connection_timeout_s=0.5
        )
        with pytest.raises(DeliveryFailed, match="does not answer"):
            echo(destination)


def test_a_rejected_association_says_why(tmp_path, images):
    entity = AE("PACS")
    entity.require_called_aet = True
    entity.add_supported_context(CTImageStorage)
    server = entity.start_server(("127.0.0.1", 0), block=False)
    try:
        destination = Destination("archive", "WRONG", "127.0.0.1", server.server_address[1])
        with pytest.raises(DeliveryFailed, match="rejected, called ae title not recogni"):
            send(images, destination)
    finally:
        entity.shutdown()


def test_a_destination_that_dies_on_the_way(images):
    """The first object is taken, the second never answered: nothing is reported as delivered."""
    taken = threading.Event()

    def store(event):
        if taken.is_set():
            event.assoc.abort()
        taken.set()
        return 0x0000

    entity = AE("PACS")
    entity.add_supported_context(CTImageStorage)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    try:
        with pytest.raises(DeliveryFailed, match="association was lost"):
            send(images, Destination("archive", "PACS", "127.0.0.1", server.server_address[1], response_timeout_s=5))
    finally:
        entity.shutdown()


def test_a_file_that_is_no_dicom_is_not_sent(tmp_path, images):
    (tmp_path / "cut.dcm").write_bytes(images[0].read_bytes()[:-9])
    with StorageScp(tmp_path / "pacs") as pacs:
        with pytest.raises(NotDicom, match=r"cut\.dcm"):
            send([*images, tmp_path / "cut.dcm"], to(pacs))
        assert pacs.counts == {}


def test_no_name_of_a_patient_in_logs_and_errors(tmp_path, images, caplog):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        with StorageScp(tmp_path / "pacs", answers={CTImageStorage: 0xB000}) as pacs:
            send(images, to(pacs))
        refusing = StorageScp(tmp_path / "pacs", answers={CTImageStorage: 0xC000})
        with refusing, pytest.raises(DeliveryFailed) as caught:
            send(images, to(refusing))
    said = f"{logs} {caplog.text} {caught.value}".lower()
    for secret in (PATIENT_ID, *PATIENT_NAME.split("^")):
        assert secret.lower() not in said
