"""Peers that state, send or withhold what they like, replayed against the running service.

Of each the same is asked: memory grows by 256 MiB at most, nothing stays on the disk, and C-ECHO is answered within a
second afterwards.
"""

import json
import os
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dicom_node.ct_files import ct_image
from tests.dicom_node.hostile_peer import (
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    MIB,
    VERIFICATION,
    Peer,
    association_request,
    command,
    context,
    context_of,
    echo_command,
    echo_seconds,
    item,
    nested_bytes,
    p_data,
    peer,
    store_command,
)
from tests.dicom_node.test_data_set_limits import in_file_bytes
from tests.real_servers import free_port

pytestmark = [pytest.mark.timeout(120), pytest.mark.xdist_group("hostile-peers")]

GROWTH_MIB = 256
ARTIM_S = 1.5
INSTANCE_MIB = 300


@dataclass(frozen=True)
class RunningService:
    """`tumorresp serve` in a process of its own."""

    pid: int
    port: int
    api: str
    folder: Path
    log: Path

    def peak_mib(self) -> float:
        """Return the most memory that it ever held."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", "ascii")

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def files(self) -> list[Path]:
        return [path for path in (self.folder / "incoming").rglob("*") if path.is_file()]

    def quarantined(self) -> list[dict[str, str]]:
        with urllib.request.urlopen(f"{self.api}/api/status", timeout=10) as response:
            found: list[dict[str, str]] = json.load(response)["quarantined"]
        return found


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("service")
    port, api = free_port(), free_port()
    settings = {
        "DATA_DIR": folder,
        "LISTEN_PORT": port,
        "API_PORT": api,
        "LISTEN_HOST": "127.0.0.1",
        "QUIET_SECONDS": 600,
        "SEGMENTER": "geodesic-contour",
        "ARTIM_TIMEOUT_S": ARTIM_S,
        "MAXIMUM_INSTANCE_MIB": INSTANCE_MIB,
    }
    environment = {**os.environ, **{f"TUMORRESP_{name}": str(value) for name, value in settings.items()}}
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tumorresp.service.cli", "serve"], env=environment, stdout=output, stderr=output
        )
    running = RunningService(process.pid, port, f"http://127.0.0.1:{api}", folder, log)
    try:
        deadline = time.monotonic() + 100
        while not (folder / "api-address").exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        echo_seconds(port)
        yield running
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def echoes_at_once(service: RunningService) -> bool:
    """Tell whether C-ECHO is answered within a second; asked three times, since a test machine may be busy."""
    return any(echo_seconds(service.port) < 1.0 for _ in range(3))


@pytest.fixture(autouse=True)
def unharmed(service: RunningService) -> Iterator[None]:
    """Hold the service to its limits around each test."""
    service.forget_peak()
    before, files = service.peak_mib(), len(service.files())
    yield
    assert echoes_at_once(service)
    assert service.peak_mib() - before < GROWTH_MIB
    deadline = time.monotonic() + 5
    while len(service.files()) > files and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(service.files()) == files


def said(service: RunningService, words: str) -> bool:
    return words in service.log.read_text("utf-8", "replace")


# ---------------------------------------------------------------- protocol data units

STATED = (1 << 32) - 1
ENDLESS = [bytes(MIB)] * 400


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6, 7, 8, 0x47])
def test_a_first_unit_of_four_gibibytes(service, kind):
    with peer(service.port) as connection:
        connection.send(struct.pack(">BxL", kind, STATED))
        assert connection.send(ENDLESS) < 64 * MIB
        assert connection.closed_within(2)


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("stated", [16 * MIB + 1, STATED])
def test_a_later_unit_that_is_too_long(service, kind, stated):
    with peer(service.port) as connection:
        connection.associate()
        connection.send(struct.pack(">BxL", kind, stated))
        assert connection.send(ENDLESS) < 64 * MIB
        assert connection.closed_within(2)


@pytest.mark.parametrize("size", [100_000, 3 * MIB, 16 * MIB - 6])
def test_units_up_to_the_hard_limit_are_read(service, size):
    """Longer ones than were agreed on, too; the message is answered, though it is none that can be kept."""
    with peer(service.port) as connection:
        connection.associate()
        connection.send(p_data((3, 3, store_command())))
        connection.send(p_data((3, 2, bytes(size))))
        assert connection.status() in (0xC000, 0xC001, 0xC006)


UNITS = {
    "a million empty values": struct.pack(">BxL", 4, 6 * MIB) + b"\0\0\0\2\1\0" * MIB,
    "values of no length": struct.pack(">BxL", 4, 4 * MIB) + bytes(4 * MIB),
    "a value that is longer than its unit": struct.pack(">BxLL", 4, 10, STATED) + b"\1\1" + bytes(4),
    "a value without a control header": struct.pack(">BxLL", 4, 5, 1) + b"\1",
    "no command set": p_data((1, 3, b"")),
    "a command set of rubbish": p_data((1, 3, b"\xff" * 1000)),
    "a command set nested without end": p_data(
        (1, 3, b"\0\0\0\x10\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 4000)
    ),
    "a data set without a command": p_data((3, 2, bytes(1000))),
    "a context that was never asked for": p_data((99, 3, echo_command())),
    "a search": p_data((1, 3, command(0x0020, CT))),
    "an event report": p_data((1, 3, command(0x0100, CT, "1.2.3", data_set=False, EventTypeID=1))),
    "an echo with a data set": p_data((1, 3, command(0x0030, VERIFICATION))),
    "a command in the middle of a message": p_data((3, 3, store_command()), (3, 0, bytes(10)), (3, 3, store_command())),
    "a second association request": association_request(),
}


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS.keys())
def test_units_that_make_no_sense_end_the_association(service, unit):
    with peer(service.port) as connection:
        connection.associate()
        connection.send(unit)
        assert connection.closed_within(2)


REQUESTS = {
    "four-byte items without end": item(0x10, b"1.2") + bytes(4) * 200_000,
    "more than 128 contexts": b"".join(context_of(1, CT, IMPLICIT) for _ in range(129)),
    "a context of thousands of syntaxes": context(1, CT.encode(), *([b""] * 10_000)),
    "a UID of 65 characters": context(1, b"1." + b"2" * 63, IMPLICIT.encode()),
    "a transfer syntax of 60000 characters": context(1, CT.encode(), b"1" * 60_000),
    "an item that is longer than the request": struct.pack(">BxH", 0x20, 60_000) + bytes(10),
    "half an item": b"\x20\0\0",
    "a context without syntaxes": item(0x20, bytes(4)),
    "a context without a transfer syntax": context(1, CT.encode()),
    "a context with an empty transfer syntax": context(1, CT.encode(), b""),
}


@pytest.mark.parametrize("contexts", REQUESTS.values(), ids=REQUESTS.keys())
def test_association_requests_that_are_not_decoded(service, contexts):
    body = struct.pack(">HH", 1, 0) + b"TUMORRESP".ljust(16) + b"HOSTILE".ljust(16) + bytes(32) + contexts
    with peer(service.port) as connection:
        connection.send(struct.pack(">BxL", 1, len(body)) + body)
        assert connection.closed_within(1)


@pytest.mark.parametrize("field", ["called", "calling"])
@pytest.mark.parametrize("title", [b"\xff" * 16, b"A\\B", b"A\x1b[31m", b"\0" * 16, b" " * 16])
def test_ae_titles_that_are_none(service, field, title):
    """What is no AE title gets no association, or is taken as empty; its bytes reach no log."""
    with peer(service.port) as connection:
        connection.send(association_request(**{field: title}))
        assert connection.read_pdu()[0] in (0, 3, 7)
    assert b"\x1b" not in service.log.read_bytes()


def test_a_first_unit_that_is_no_association_request(service):
    for beginning in (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        p_data((1, 3, b"x")),
        b"\0" * 99,
    ):
        with peer(service.port) as connection:
            connection.send(beginning)
            assert connection.closed_within(2)


# ---------------------------------------------------------------- messages


def test_a_command_set_without_an_end(service):
    with peer(service.port) as connection:
        connection.associate()
        sent = connection.send([p_data((1, 1, bytes(60_000)))] * 1000)
        assert sent < 30 * MIB
    assert said(service, "a command set of more than")


def test_a_data_set_without_an_end_is_cut_off_and_shown(service):
    """The longest part of it lies on the disk; nothing of it is left afterwards."""
    with peer(service.port) as connection:
        connection.associate()
        connection.send(p_data((3, 3, store_command("1.2.826.0.1.99"))))
        sent = connection.send([p_data((3, 0, bytes(MIB - 6)))] * (INSTANCE_MIB + 200))
        assert sent < (INSTANCE_MIB + 64) * MIB
        assert connection.closed_within(5)
    found = [entry for entry in service.quarantined() if "1.2.826.0.1.99" in entry["path"]]
    assert [entry["code"] for entry in found] == ["exceeds-limit"]


def test_a_data_set_that_breaks_off(service):
    with peer(service.port) as connection:
        connection.associate()
        connection.send(p_data((3, 3, store_command())))
        assert connection.send([p_data((3, 0, bytes(MIB - 6)))] * 50) > 49 * MIB


def test_messages_that_do_not_wait_for_their_answers(service):
    with peer(service.port) as connection:
        connection.associate()
        reader = threading.Thread(target=connection.closed_within, args=(10,))
        reader.start()
        connection.send([p_data((3, 3, store_command()), (3, 2, bytes(100)))] * 20_000)
        reader.join()
    assert said(service, "messages without waiting for an answer")


# ---------------------------------------------------------------- data sets


def store(service: RunningService, content: bytes, syntax: str = EXPLICIT, uid: str = "1.2.3") -> int:
    with peer(service.port) as connection:
        connection.associate(context_of(3, CT, syntax))
        connection.send(p_data((3, 3, store_command(uid))))
        pieces = [content[at : at + MIB - 6] for at in range(0, len(content), MIB - 6)]
        connection.send(p_data((3, 2 if at == len(pieces) - 1 else 0, piece)) for at, piece in enumerate(pieces))
        return connection.status()


def bomb(mebibytes: int) -> bytes:
    """Return a CT image whose pixels are so many mebibytes of zeros, deflated."""
    image = bytes(in_file_bytes(ct_image(0, PixelData=None), EXPLICIT))
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    begin = packer.compress(image + b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<L", mebibytes * MIB))
    begin += packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + zeros * mebibytes + packer.flush()


def test_a_deflated_data_set_of_a_gibibyte(service):
    content = bomb(1024)
    assert len(content) < 2 * MIB
    begin = time.perf_counter()
    assert store(service, content, DEFLATED, ct_image(0).SOPInstanceUID) == 0xC006
    assert time.perf_counter() - begin < 5
    assert any(entry["code"] == "exceeds-limit" and "inflates" in entry["message"] for entry in service.quarantined())


NESTED = {
    "stated lengths": (EXPLICIT, False, False),
    "undefined lengths": (EXPLICIT, True, False),
    "implicit": (IMPLICIT, True, False),
    "private": (EXPLICIT, False, True),
    "private and implicit": (IMPLICIT, True, True),
}


@pytest.mark.parametrize("form", NESTED.values(), ids=NESTED.keys())
@pytest.mark.parametrize("depth", [65, 300, 5000])
def test_nesting_is_refused_and_shown(service, form, depth):
    syntax, undefined, private = form
    uid = f"1.2.826.0.2.{depth}"
    image = bytes(in_file_bytes(ct_image(0, SOPInstanceUID=uid, PixelData=None), syntax))
    assert (
        store(service, image + nested_bytes(depth, syntax, undefined=undefined, private=private), syntax, uid) == 0xC006
    )
    shown = [entry for entry in service.quarantined() if uid in entry["path"]]
    assert shown
    assert all("too deep" in entry["message"] for entry in shown)


def test_millions_of_elements(service):
    """A reader would make an object of each."""
    begin = time.perf_counter()
    assert store(service, b"\x09\x00\x10\x10\0\0\0\0" * (5 * MIB), IMPLICIT) == 0xC006
    assert time.perf_counter() - begin < 30


@pytest.mark.parametrize("length", [1 << 30, STATED - 1])
def test_an_element_that_states_gibibytes(service, length):
    image = bytes(in_file_bytes(ct_image(0, PixelData=None), EXPLICIT))
    content = image + b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<L", length) + bytes(1000)
    assert store(service, content, EXPLICIT, ct_image(0).SOPInstanceUID) == 0xC001


def test_a_large_data_set_is_stored_without_being_held_in_memory(service):
    uid = "1.2.826.0.3.1"
    image = bytes(in_file_bytes(ct_image(0, SOPInstanceUID=uid, PixelData=None), EXPLICIT))
    size = (INSTANCE_MIB - 1) * MIB
    content = image + b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<L", size) + bytes(size)
    before = set(service.files())
    assert store(service, content, EXPLICIT, uid) == 0
    (stored,) = set(service.files()) - before
    assert stored.stat().st_size > size
    stored.unlink()


# ---------------------------------------------------------------- connections

SILENT: dict[str, Callable[[Peer], object]] = {
    "nothing": lambda connection: None,
    "half a header": lambda connection: connection.send(b"\1\0\0"),
    "a header": lambda connection: connection.send(struct.pack(">BxL", 1, 200)),
    "half a request": lambda connection: connection.send(association_request()[:100]),
}


@pytest.mark.parametrize("begin", SILENT.values(), ids=SILENT.keys())
def test_silent_connections_do_not_count_and_are_closed(service, begin):
    silent = [Peer(service.port) for _ in range(40)]
    for connection in silent:
        begin(connection)
    time.sleep(0.2)
    assert echoes_at_once(service)
    assert all(connection.closed_within(ARTIM_S + 2) for connection in silent)


def test_a_flood_of_connections_is_bounded(service):
    silent = [Peer(service.port) for _ in range(300)]
    assert echoes_at_once(service)
    assert service.threads() < 250
    for connection in silent:
        connection.close()


def test_a_request_that_comes_byte_by_byte_is_not_waited_for(service):
    with peer(service.port) as connection:
        begin = time.monotonic()
        request = association_request()
        for at in range(len(request)):
            if connection.send(request[at : at + 1]) == 0:
                break
            time.sleep(0.1)
        assert time.monotonic() - begin < ARTIM_S + 3


# ---------------------------------------------------------------- services


REFUSED_SERVICES = {
    "worklist": ("1.2.840.10008.5.1.4.31", IMPLICIT),
    "study root find": ("1.2.840.10008.5.1.4.1.2.2.1", IMPLICIT),
    "study root move": ("1.2.840.10008.5.1.4.1.2.2.2", IMPLICIT),
    "storage commitment": ("1.2.840.10008.1.20.1", IMPLICIT),
    "a performed procedure step": ("1.2.840.10008.3.1.2.3.3", IMPLICIT),
    "printing": ("1.2.840.10008.5.1.1.9", IMPLICIT),
    "protocol approval find": ("1.2.840.10008.5.1.4.1.1.200.4", IMPLICIT),
    "media storage": ("1.2.840.10008.1.3.10", IMPLICIT),
    "no UID": ("what ever", IMPLICIT),
    "CT in a private syntax": (CT, "1.2.840.113619.5.2"),
    "CT in an unknown private syntax": (CT, "1.2.3.4"),
    "CT by reference": (CT, "1.2.840.10008.1.2.4.95"),
    "CT as XML": (CT, "1.2.840.10008.1.2.6.2"),
}
OFFERED_SERVICES = {
    "CT": (CT, EXPLICIT),
    "CT, first in a private syntax": (CT, "1.2.3.4", EXPLICIT),
    "private storage": ("1.3.12.2.1107.5.9.1", IMPLICIT),
    "labelmaps": ("1.2.840.10008.5.1.4.1.1.66.7", EXPLICIT),
    "storage of the future": ("1.2.840.10008.5.1.4.1.1.999.9", EXPLICIT),
    "JPEG 2000": (CT, "1.2.840.10008.1.2.4.90"),
}


@pytest.mark.parametrize(
    ("offer", "accepted"),
    [*((offer, False) for offer in REFUSED_SERVICES.values()), *((offer, True) for offer in OFFERED_SERVICES.values())],
    ids=[*REFUSED_SERVICES, *OFFERED_SERVICES],
)
def test_services_are_accepted_one_by_one(service, offer, accepted):
    """A context that is refused does not take the others of its association along."""
    with peer(service.port) as connection:
        connection.send(association_request(context_of(1, *offer), context_of(3, VERIFICATION, IMPLICIT)))
        kind, content = connection.read_pdu()
        assert kind == 2
        results = {
            content[at + 4]: content[at + 6] for at in range(len(content) - 7) if content[at : at + 2] == b"\x21\0"
        }
        assert results[3] == 0
        assert (results[1] == 0) is accepted
