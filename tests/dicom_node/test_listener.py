"""The listener against real senders: what is answered, what lies on disk, what the index was told."""

import errno
import logging
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
import structlog
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode

from dicom_node.instance_header import read_header
from dicom_node.listener import (
    IndexOutcome,
    Listener,
    ListenerSettings,
    ReceivedInstance,
    RefusedInstance,
)
from tests.dicom_node.ct_files import PATIENT_ID, PATIENT_NAME, ct_image, uid, write
from tests.real_servers import OrthancServer, free_port, run_tool
from tumorresp.domain.errors import OutOfResources, OutsideFailure

SUCCESS = 0x0000


class Index:
    """Remembers what it is given, as the store does."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.outcomes: list[IndexOutcome] = []
        self.received: list[ReceivedInstance] = []
        self.refused: list[RefusedInstance] = []
        self.failure: Exception | None = None
        self.lock = threading.Lock()

    def index(self, received: ReceivedInstance) -> IndexOutcome:
        with self.lock:
            if self.failure is not None:
                raise self.failure
            assert received.path.is_file()  # on disk before it is indexed
            header = received.header
            known = header.sop_instance_uid in self.held
            same = self.held.setdefault(header.sop_instance_uid, header.sha256) == header.sha256
            outcome = IndexOutcome.CONFLICT if not same else IndexOutcome.SAME if known else IndexOutcome.NEW
            self.outcomes.append(outcome)
            self.received.append(received)
            return outcome

    def refuse(self, refused: RefusedInstance) -> None:
        self.refused.append(refused)


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
def listener(tmp_path: Path, index: Index) -> Iterator[Listener]:
    with Listener(ListenerSettings(tmp_path / "incoming", port=0), index) as running:
        yield running


def store_raw(port: int, image: Dataset, change=None, sop_class: str = "", sop_instance: str = "") -> Dataset:
    """C-STORE an image whose encoded bytes or identifiers are changed on the way, and return the answer."""
    entity = AE()
    entity.add_requested_context(sop_class or image.SOPClassUID, image.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", port)
    assert association.is_established
    content = encode(image, False, True)
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID = sop_class or image.SOPClassUID
    request.AffectedSOPInstanceUID = sop_instance or image.SOPInstanceUID
    request.DataSet = BytesIO(change(content) if change else content)
    association._reactor_checkpoint.clear()
    association.dimse.send_msg(request, association.accepted_contexts[0].context_id)
    _, answer = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    association.release()
    return answer


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------- what is stored


@pytest.mark.real_server
def test_echo(listener: Listener):
    assert run_tool("echoscu", "127.0.0.1", listener.port).returncode == 0


@pytest.mark.real_server
@pytest.mark.parametrize("sender", ["storescu", "dcmsend"])
def test_a_real_series_is_stored_as_it_was_sent(real_data, tmp_path, listener, index, sender):
    sent = sorted((real_data / "sts" / "STS_008" / "CT").glob("*.dcm"))[:12]
    assert run_tool(sender, "127.0.0.1", listener.port, *sent).returncode == 0
    assert index.outcomes == [IndexOutcome.NEW] * 12
    for path, received in zip(sent, index.received, strict=True):
        header = read_header(path)
        assert received.header.sop_instance_uid == header.sop_instance_uid
        assert received.header.sha256 == header.sha256
        assert received.calling_ae == {"storescu": "STORESCU", "dcmsend": "DCMSEND"}[sender]
        assert read_header(received.path).sha256 == header.sha256
        stored, original = pydicom.dcmread(received.path), pydicom.dcmread(path)
        assert stored.PixelData == original.PixelData
        assert stored == original
    assert files_of(tmp_path / "incoming") == sorted(received.path for received in index.received)


@pytest.mark.real_server
def test_associations_in_parallel(real_data, listener, index):
    groups = [
        sorted((real_data / "sts" / name / "CT").glob("*.dcm"))[:10] for name in ("STS_002", "STS_008", "STS_014")
    ]
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda paths: run_tool("storescu", "127.0.0.1", listener.port, *paths), groups))
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert index.outcomes == [IndexOutcome.NEW] * 30
    assert set(index.held) == {read_header(path).sop_instance_uid for paths in groups for path in paths}


@pytest.mark.real_server
def test_the_same_series_by_three_senders_at_once_is_one(real_data, tmp_path, listener, index):
    sent = sorted((real_data / "sts" / "STS_008" / "CT").glob("*.dcm"))[:6]
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: run_tool("storescu", "127.0.0.1", listener.port, *sent), range(3)))
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert sorted(index.outcomes) == [IndexOutcome.NEW] * 6 + [IndexOutcome.SAME] * 12
    assert len(files_of(tmp_path / "incoming")) == 6


@pytest.mark.real_server
@pytest.mark.parametrize(("tool", "options"), [("dcmcjpls", ["-xt"]), ("dcmcrle", ["-xr"]), ("dcmcjpeg", ["-xs"])])
def test_compressed_images_are_stored_compressed(real_data, tmp_path, listener, index, tool, options):
    source = real_data / "cancerdata" / "cancerdata_phantom_pat_4" / "DCM_IMG_00000.dcm"
    compressed = tmp_path / "compressed.dcm"
    run_tool(tool, source, compressed, check=True)
    assert run_tool("storescu", *options, "127.0.0.1", listener.port, compressed).returncode == 0
    (received,) = index.received
    syntax = pydicom.dcmread(compressed).file_meta.TransferSyntaxUID
    assert syntax.is_compressed
    assert received.header.transfer_syntax_uid == syntax
    assert (pydicom.dcmread(received.path).pixel_array == pydicom.dcmread(source).pixel_array).all()


@pytest.mark.real_server
def test_a_deflated_data_set_is_stored_as_it_came(tmp_path, listener, index):
    (plain,) = write(tmp_path / "plain", ct_image(0))
    deflated = tmp_path / "deflated.dcm"
    run_tool("dcmconv", "+td", plain, deflated, check=True)
    assert run_tool("storescu", "-xd", "127.0.0.1", listener.port, deflated).returncode == 0
    (received,) = index.received
    assert received.header.transfer_syntax_uid == DeflatedExplicitVRLittleEndian
    assert received.header.sha256 == read_header(plain).sha256


@pytest.mark.real_server
@pytest.mark.parametrize(
    "level", [("-W",), ("-S", "-k", "QueryRetrieveLevel=STUDY"), ("-P", "-k", "QueryRetrieveLevel=PATIENT")]
)
def test_a_search_is_refused_and_harms_nobody(listener, level):
    asked = run_tool("findscu", *level, "-k", "PatientID=1", "127.0.0.1", listener.port)
    assert asked.returncode != 0
    assert "No Acceptable Presentation Contexts" in asked.stderr + asked.stdout
    assert run_tool("echoscu", "127.0.0.1", listener.port).returncode == 0


@pytest.mark.real_server
def test_a_resend_is_recognised_however_it_is_encoded(real_data, tmp_path, listener, index):
    """storescu sends implicit VR on request: other bytes, the same content."""
    report = real_data / "sr_samples" / "ohif" / "ohif_srt.dcm"
    for options in ([], [], ["-xi"]):
        assert run_tool("storescu", *options, "127.0.0.1", listener.port, report).returncode == 0
    assert index.outcomes == [IndexOutcome.NEW, IndexOutcome.SAME, IndexOutcome.SAME]
    assert len(files_of(tmp_path / "incoming")) == 1


@pytest.mark.real_server
def test_orthanc_sends_what_it_holds(real_data, orthanc: OrthancServer, listener, index):
    orthanc.clear()
    paths = [
        *sorted((real_data / "sts" / "STS_002" / "CT").glob("*.dcm"))[:3],
        real_data / "sts" / "STS_002" / "RTSTRUCT.dcm",
        real_data / "sr_samples" / "dcmjs" / "sample-sr.dcm",
        real_data / "sr_samples" / "dcmqi" / "liver.dcm",
    ]
    for path in paths:
        run_tool("storescu", "-R", "-aec", orthanc.ae_title, orthanc.host, orthanc.dicom_port, path, check=True)
    orthanc.add_modality("listener", "TUMORRESP", listener.port)
    job = orthanc.send("listener", [read_header(path).sop_instance_uid for path in paths])
    assert job["FailedInstancesCount"] == 0
    assert {read_header(path).sha256 for path in paths} == set(index.held.values())


@pytest.mark.parametrize("sop_class", ["1.2.840.10008.5.1.4.1.1.66.7", "1.3.12.2.1107.5.9.1", "1.2.3.4.5.6.7"])
def test_labelmaps_and_private_classes_are_taken(listener, index, sop_class):
    answer = store_raw(listener.port, ct_image(0, SOPClassUID=sop_class))
    assert answer.Status == SUCCESS
    assert index.received[0].header.sop_class_uid == sop_class


# ---------------------------------------------------------------- what is refused


def test_the_same_uid_with_other_content_is_refused(listener, index):
    assert store_raw(listener.port, ct_image(0)).Status == SUCCESS
    answer = store_raw(listener.port, ct_image(0, StudyID="changed"))
    assert answer.Status == 0xC004
    assert answer.ErrorComment == "this SOP Instance UID is held with other content."
    assert index.outcomes == [IndexOutcome.NEW, IndexOutcome.CONFLICT]
    assert index.received[0].path.is_file()
    assert store_raw(listener.port, ct_image(0)).Status == SUCCESS


BAD_DATA_SETS = {
    "cut off in the pixels": (lambda content: content[:-7], 0xC001),
    "cut off in the header": (lambda content: content[:100], 0xC001),
    "garbage": (lambda content: b"\xff\xfe\xfd\xfc" * 40, 0xC001),
    "zeros": (lambda content: b"\0" * 64, 0xC001),
    "text": (lambda content: b"this is no data set", 0xC001),
}


@pytest.mark.parametrize("bad", BAD_DATA_SETS.values(), ids=BAD_DATA_SETS.keys())
def test_data_sets_that_cannot_be_understood(tmp_path, listener, index, bad):
    change, status = bad
    answer = store_raw(listener.port, ct_image(0), change)
    assert answer.Status == status
    assert 0 < len(answer.ErrorComment) <= 64
    assert [item.error.dimse_status for item in index.refused] == [status]
    assert index.refused[0].sop_instance_uid == uid("one", 0)
    assert files_of(tmp_path / "incoming") == []
    assert store_raw(listener.port, ct_image(5)).Status == SUCCESS  # the next one is unharmed


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_a_missing_uid(listener, index, keyword):
    answer = store_raw(listener.port, ct_image(0, **{keyword: None}))
    assert answer.Status == 0xC000
    assert keyword in answer.ErrorComment


@pytest.mark.parametrize(
    ("told", "words"),
    [({"sop_class": MRImageStorage}, "SOP Class"), ({"sop_instance": "1.2.3"}, "SOP Instance UID")],
)
def test_a_data_set_that_does_not_match_its_message(tmp_path, listener, index, told, words):
    answer = store_raw(listener.port, ct_image(0), **told)
    assert answer.Status == 0xA900
    assert words in answer.ErrorComment
    assert index.received == []
    assert len(index.refused) == 1
    assert files_of(tmp_path / "incoming") == []


@pytest.mark.parametrize("failure", [OutOfResources("the disk is full."), OutsideFailure("the index is not there.")])
def test_an_index_that_fails_makes_the_sender_keep_its_copy(listener, index, failure):
    index.failure = failure
    answer = store_raw(listener.port, ct_image(0))
    assert answer.Status == 0xA700
    assert answer.ErrorComment == failure.message
    assert index.refused == []  # the instance is not to blame
    index.failure = None
    assert store_raw(listener.port, ct_image(0)).Status == SUCCESS


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_fails(tmp_path, listener, index, monkeypatch, number):
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("dicom_node.incoming_folder.os.fsync", fail)
    answer = store_raw(listener.port, ct_image(0))
    assert answer.Status == 0xA700
    assert index.received == []
    assert files_of(tmp_path / "incoming") == []
    monkeypatch.undo()
    assert store_raw(listener.port, ct_image(0)).Status == SUCCESS


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]).returncode != 0:
        pytest.skip("cannot mount a small file system here (needs root)")
    yield folder
    subprocess.run([shutil.which("umount"), "-l", folder], check=True)


@pytest.mark.real_server
def test_a_full_disk(small_disk: Path, tmp_path: Path, index: Index):
    images = write(tmp_path / "sent", *(ct_image(z, ImageComments="x" * 10000) for z in range(40)))
    with Listener(ListenerSettings(small_disk / "incoming", port=0), index) as running:
        done = run_tool("storescu", "-v", "--no-halt", "127.0.0.1", running.port, *images)
        assert "Refused: OutOfResources" in done.stderr
        assert 0 < len(index.held) < 40
        assert len(files_of(small_disk)) == len(index.held)  # no halves
        for path in files_of(small_disk):
            read_header(path)
        assert run_tool("echoscu", "127.0.0.1", running.port).returncode == 0
        shutil.rmtree(small_disk / "incoming" / files_of(small_disk)[0].relative_to(small_disk / "incoming").parts[0])
        index.held.clear()
        assert run_tool("storescu", "127.0.0.1", running.port, images[0]).returncode == 0


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESTALE, errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_the_index_makes_the_sender_keep_its_copy(listener, index, number):
    index.failure = OSError(number, os.strerror(number), "/data/incoming/held.dcm")
    assert store_raw(listener.port, ct_image(0)).Status == 0xA700
    assert index.refused == []


def test_a_fault_in_the_index_is_answered(listener, index):
    index.failure = KeyError("a fault of our own")
    assert store_raw(listener.port, ct_image(0)).Status == 0x0110
    index.failure = None
    assert store_raw(listener.port, ct_image(0)).Status == SUCCESS


def test_a_refusal_that_cannot_be_recorded_is_answered_all_the_same(listener, index, monkeypatch):
    def fail(_: RefusedInstance) -> None:
        raise OutsideFailure("the index is not there.")

    monkeypatch.setattr(index, "refuse", fail)
    assert store_raw(listener.port, ct_image(0), lambda content: content[:-7]).Status == 0xC001


# ---------------------------------------------------------------- who is served


@pytest.mark.real_server
def test_only_known_callers(tmp_path, index):
    settings = ListenerSettings(tmp_path, port=0, calling_ae_titles=("SCANNER", "PACS"))
    with Listener(settings, index) as running, structlog.testing.capture_logs() as logs:
        assert run_tool("echoscu", "-aet", "PACS", "127.0.0.1", running.port).returncode == 0
        refused = run_tool("echoscu", "-aet", "STRANGER", "127.0.0.1", running.port)
        assert refused.returncode != 0
        assert "Calling AE Title Not Recognized" in refused.stderr + refused.stdout
    (line,) = [line for line in logs if line["event"] == "association rejected"]
    assert line["calling_ae"] == "STRANGER"


@pytest.mark.real_server
def test_the_called_title_is_checked_on_request(tmp_path, index):
    with Listener(ListenerSettings(tmp_path, port=0, check_called_ae_title=True), index) as running:
        assert run_tool("echoscu", "-aec", "TUMORRESP", "127.0.0.1", running.port).returncode == 0
        refused = run_tool("echoscu", "-aec", "OTHER", "127.0.0.1", running.port)
        assert "Called AE Title Not Recognized" in refused.stderr + refused.stdout
    with Listener(ListenerSettings(tmp_path, port=0), index) as running:
        assert run_tool("echoscu", "-aec", "OTHER", "127.0.0.1", running.port).returncode == 0


def test_surplus_associations_are_rejected_for_the_moment(tmp_path, index):
    with Listener(ListenerSettings(tmp_path, port=0, maximum_associations=1), index) as running:
        entity = AE()
        entity.add_requested_context(CTImageStorage)
        first = entity.associate("127.0.0.1", running.port)
        second = entity.associate("127.0.0.1", running.port)
        assert second.is_rejected
        assert second.acceptor.primitive.result == 0x02  # transient
        first.release()


def test_a_taken_port_is_said(tmp_path, index):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OutsideFailure, match=str(port)):
            Listener(ListenerSettings(tmp_path, port=port), index).start()


def test_it_can_be_stopped_and_started_again(tmp_path, index):
    running = Listener(ListenerSettings(tmp_path, port=free_port()), index)
    for z in (0, 5):
        running.start()
        assert store_raw(running.port, ct_image(z)).Status == SUCCESS
        running.stop()
        running.stop()
    assert len(index.held) == 2


# ---------------------------------------------------------------- what stays secret, what survives


def test_no_name_of_a_patient_in_logs_and_file_names(tmp_path, listener, index, caplog):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        store_raw(listener.port, ct_image(0))
        store_raw(listener.port, ct_image(0, StudyID="changed"))
        store_raw(listener.port, ct_image(5), lambda content: content[:-7])
        store_raw(listener.port, ct_image(5, StudyInstanceUID=None))
        index.failure = ValueError(f"a fault that quotes {PATIENT_ID}")
        store_raw(listener.port, ct_image(10))
    said = f"{logs} {caplog.text} {[str(item.error) for item in index.refused]}"
    names = " ".join(str(path) for path in files_of(tmp_path / "incoming"))
    assert len(logs) >= 5
    for secret in (PATIENT_ID, *PATIENT_NAME.split("^")):
        assert secret.lower() not in said.lower()
        assert secret.lower() not in names.lower()


def test_what_a_killed_process_left_is_cleaned_up(tmp_path, index):
    tmp_path.joinpath("old.part").write_bytes(b"half")
    os.utime(tmp_path / "old.part", (0, 0))
    tmp_path.joinpath("young.part").write_bytes(b"another process is writing")
    with Listener(ListenerSettings(tmp_path, port=0), index):
        assert [path.name for path in files_of(tmp_path)] == ["young.part"]


def test_an_answer_comes_only_after_the_file_is_synced(tmp_path, listener, index, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        "dicom_node.incoming_folder.os.fsync",
        lambda fd: (synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())), real(fd)),
    )
    indexed = []
    monkeypatch.setattr(index, "index", lambda received: (indexed.append(list(synced)), IndexOutcome.NEW)[1])
    assert store_raw(listener.port, ct_image(0)).Status == SUCCESS
    (before_index,) = indexed
    folder = tmp_path / "incoming"
    (path,) = files_of(folder)
    assert any(name.startswith(str(folder)) and name.endswith(".part") for name in before_index)
    assert {str(path.parent), str(path.parent.parent), str(folder)} <= set(before_index)
