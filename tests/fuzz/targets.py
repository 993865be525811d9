"""What is fuzzed: documents that are right, and what must take them however they are changed.

A target may raise what is in the error tree, and nothing else: no RecursionError, no MemoryError, no library's error.
"""

import atexit
import contextlib
import io
import json
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_node.instance_header import read_header, read_planes
from dicom_node.listener import Listener, ListenerSettings
from dicom_node.measurements.reading import read_measurements
from dicom_node.part10 import content_sha256, encoded_instance
from dicom_node.pdu_limits import RefusedPdu, check_content
from dicom_node.rtstruct_mask import read_rois
from tests.dicom_node.ct_files import ct_image, enhanced_ct
from tests.dicom_node.hostile_peer import (
    CT,
    EXPLICIT,
    IMPLICIT,
    VERIFICATION,
    Peer,
    association_request,
    context_of,
    echo_command,
    echo_seconds,
    p_data,
    store_command,
)
from tests.dicom_node.measurements import sr_files, test_aim, test_rtstruct, test_tables
from tests.dicom_node.test_data_set_limits import in_file_bytes
from tests.dicom_node.test_listener import Index
from tumorresp.domain.errors import TumorRespError

_ECHO_S = 5.0


@dataclass(frozen=True)
class Target:
    """Something that reads.

    Parameters
    ----------
    seeds
        Gives right documents.
    read
        Reads one; what it may raise is already caught.
    """

    name: str
    seeds: Callable[[], tuple[bytes, ...]]
    read: Callable[[bytes], None]


def _encoded(document: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    buffer = io.BytesIO()
    copy = pydicom.dcmread(_file(document))
    copy.file_meta.TransferSyntaxUID = syntax
    copy.save_as(buffer, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True, enforce_file_format=True)
    return buffer.getvalue()


def _file(document: Dataset) -> io.BytesIO:
    buffer = io.BytesIO()
    document.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    return buffer


@cache
def _image_seeds() -> tuple[bytes, ...]:
    syntaxes = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
    return tuple(_encoded(image, syntax) for image in (ct_image(0), enhanced_ct([0, 5])) for syntax in syntaxes)


@cache
def _report_seeds() -> tuple[bytes, ...]:
    line = sr_files.scoord([1, 2, 31, 2], sr_files.image(frames=[1, 2]))
    full = sr_files.report(
        sr_files.group(
            sr_files.text("tracking", "T01"),
            sr_files.uid("tracking uid", "1.2.9"),
            sr_files.number("long", "21.5", line),
            sr_files.number("short", None, sr_files.scoord3d([1, 2, 3, 4, 5, 6])),
        ),
        sr_files.group(sr_files.number("long", "2", sr_files.scoord3d([0, 0, 0, 0, 9, 0]))),
    )
    return tuple(_encoded(full, syntax) for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian))


@cache
def _structure_seeds() -> tuple[bytes, ...]:
    outline = [test_rtstruct.closed(test_rtstruct.ellipse(z, 9, 6, points=12)) for z in (0.0, 3.0)]
    document = test_rtstruct.structure_set(
        ("GTV-1", "GTV", outline), ("node", "", [outline[0], ("POINT", outline[0][1][:1])])
    )
    return tuple(_encoded(document, syntax) for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian))


@cache
def _aim_seeds() -> tuple[bytes, ...]:
    markups = test_aim.markup("2.25.1", [(10, 20), (50, 20)]) + test_aim.markup("2.25.2", [(30, 10), (30, 30)])
    calculated = test_aim.calculation("2.25.3", test_aim.LONG_AXIS, 31.5, "mm")
    calculated += test_aim.calculation("2.25.4", test_aim.SHORT_AXIS, 12, "mm")
    said = test_aim.statement("2.25.3", "2.25.1") + test_aim.statement("2.25.4", "2.25.2")
    return (
        test_aim.collection(test_aim.annotation(markups, calculated, said)).encode(),
        test_aim.collection(*(test_aim.annotation(markups, uid=f"2.25.{n}") for n in (40, 41))).encode(),
    )


@cache
def _table_seeds() -> tuple[bytes, ...]:
    return (test_tables.as_json().encode(), json.dumps(test_tables.DOCUMENT, indent=1).encode())


@cache
def _pdu_seeds() -> tuple[bytes, ...]:
    return (
        association_request(),
        p_data((1, 3, echo_command())),
        p_data((3, 3, store_command()), (3, 2, bytes(200))),
    )


def _reads_file(suffix: str, *reads: Callable[[Path], object]) -> Callable[[bytes], None]:
    def read(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = Path(folder) / f"document{suffix}"
            path.write_bytes(content)
            for one in reads:
                with contextlib.suppress(TumorRespError):
                    one(path)

    return read


def _part10(content: bytes) -> None:
    with contextlib.suppress(TumorRespError):
        content_sha256(encoded_instance(content))


def _pdu(content: bytes) -> None:
    if content:
        with contextlib.suppress(RefusedPdu):
            check_content(content)


class _Conversation:
    """A listener that is started when it is first talked to; it must answer C-ECHO after every conversation."""

    def __init__(self) -> None:
        self._listener: Listener | None = None
        self._died: list[str] = []

    def read(self, content: bytes) -> None:
        """Send a conversation.

        Raises
        ------
        AssertionError
            If a thread of the listener died of it, or the listener does not answer in time.
        """
        with contextlib.closing(Peer(self._port())) as peer:
            peer.send(content)
        assert echo_seconds(self._port()) < _ECHO_S
        died, self._died = self._died, []
        assert died == []

    def _port(self) -> int:
        if self._listener is None:
            folder = tempfile.mkdtemp(prefix="tumorresp-fuzz-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            settings = ListenerSettings(
                Path(folder), port=0, artim_timeout_s=1.0, network_timeout_s=1.0, maximum_associations=100
            )
            self._listener = Listener(settings, Index())
            self._listener.start()
            atexit.register(self._listener.stop)
            threading.excepthook = lambda failure: self._died.append(f"{failure.exc_type.__name__}")
        return self._listener.port


@cache
def _conversation_seeds() -> tuple[bytes, ...]:
    content = bytes(in_file_bytes(ct_image(0), ExplicitVRLittleEndian))
    begin = association_request(context_of(1, VERIFICATION, IMPLICIT), context_of(3, CT, EXPLICIT))
    end = bytes.fromhex("05000000000400000000")
    stored = p_data((3, 3, store_command(str(ct_image(0).SOPInstanceUID))), (3, 2, content))
    return (begin + stored + end, begin + p_data((1, 3, echo_command())) + end)


TARGETS = (
    Target("part10", _image_seeds, _part10),
    Target("header", _image_seeds, _reads_file(".dcm", read_header, read_planes)),
    Target("sr", _report_seeds, _reads_file(".dcm", read_header, read_measurements)),
    Target("rtstruct", _structure_seeds, _reads_file(".dcm", read_header, read_measurements, read_rois)),
    Target("aim", _aim_seeds, _reads_file(".xml", read_measurements)),
    Target("json", _table_seeds, _reads_file(".json", read_measurements)),
    Target("pdu", _pdu_seeds, _pdu),
    Target("conversation", _conversation_seeds, _Conversation().read),
)
