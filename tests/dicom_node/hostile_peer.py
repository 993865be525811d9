"""A peer that says what it likes, byte by byte: protocol data units that no library would send."""

import contextlib
import socket
import struct
import time
from collections.abc import Iterable, Iterator

from pydicom.dataset import Dataset
from pynetdicom.dsutils import encode

CT, VERIFICATION = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.1"
IMPLICIT, EXPLICIT, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
MIB = 1 << 20


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def context(identifier: int, abstract: bytes, *transfer: bytes) -> bytes:
    syntaxes = b"".join((item(0x30, abstract), *(item(0x40, syntax) for syntax in transfer)))
    return item(0x20, bytes((identifier, 0, 0, 0)) + syntaxes)


def context_of(identifier: int, abstract: str, *transfer: str) -> bytes:
    return context(identifier, abstract.encode(), *(syntax.encode() for syntax in transfer))


def association_request(
    *contexts: bytes, called: bytes = b"TUMORRESP", calling: bytes = b"HOSTILE", user: bytes | None = None
) -> bytes:
    """Return an A-ASSOCIATE-RQ; without contexts, one for verification and one for CT."""
    wanted = contexts or (context_of(1, VERIFICATION, IMPLICIT), context_of(3, CT, IMPLICIT))
    information = item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3") if user is None else user
    body = struct.pack(">HH", 1, 0) + called.ljust(16) + calling.ljust(16) + bytes(32)
    body += item(0x10, b"1.2.840.10008.3.1.1.1") + b"".join(wanted) + item(0x50, information)
    return struct.pack(">BxL", 1, len(body)) + body


def p_data(*values: tuple[int, int, bytes]) -> bytes:
    """Return a P-DATA of values: context, control header (1 command, 2 last), content."""
    body = b"".join(struct.pack(">LBB", len(content) + 2, cx, control) + content for cx, control, content in values)
    return struct.pack(">BxL", 4, len(body)) + body


def command(field: int, sop_class: str, sop_instance: str = "", *, data_set: bool = True, **more: object) -> bytes:
    """Return an encoded command set."""
    dataset = Dataset()
    dataset.AffectedSOPClassUID = sop_class
    dataset.CommandField = field
    dataset.MessageID = 1
    dataset.CommandDataSetType = 1 if data_set else 0x0101
    if sop_instance:
        dataset.Priority = 0
        dataset.AffectedSOPInstanceUID = sop_instance
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    return bytes(encode(dataset, True, True))


def store_command(sop_instance: str = "1.2.3", sop_class: str = CT) -> bytes:
    return command(0x0001, sop_class, sop_instance)


def echo_command() -> bytes:
    return command(0x0030, VERIFICATION, data_set=False)


def nested_bytes(depth: int, syntax: str, *, undefined: bool, private: bool) -> bytes:
    """Return a sequence with so many within one another, in bytes: no library writes that deep."""
    tag = b"\x99\x00\x01\x10" if private else b"\x40\x00\x30\xa7"
    vr = b"" if syntax == IMPLICIT else b"SQ\0\0"
    content = b""
    for _ in range(depth):
        if undefined:
            content = b"\xfe\xff\x00\xe0" + b"\xff" * 4 + content + b"\xfe\xff\x0d\xe0\0\0\0\0"
            content = tag + vr + b"\xff" * 4 + content + b"\xfe\xff\xdd\xe0\0\0\0\0"
        else:
            content = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(content)) + content
            content = tag + vr + struct.pack("<L", len(content)) + content
    return content


class Peer:
    """A TCP connection to a listener."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)

    def send(self, pieces: bytes | Iterable[bytes]) -> int:
        """Send until everything is sent or the listener closes; return how many bytes went out."""
        sent = 0
        with contextlib.suppress(OSError):
            for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                self.socket.sendall(piece)
                sent += len(piece)
        return sent

    def read_pdu(self) -> tuple[int, bytes]:
        """Return type and content of the next protocol data unit; type 0 at the end of the connection."""
        try:
            head = self._exactly(6)
            kind, length = struct.unpack(">BxL", head)
            return kind, self._exactly(length)
        except (OSError, EOFError):
            return 0, b""

    def associate(self, *contexts: bytes) -> None:
        self.send(association_request(*contexts))
        kind, _ = self.read_pdu()
        assert kind == 2, f"no association: {kind}"

    def status(self) -> int:
        """Return the status of the next response."""
        kind, content = self.read_pdu()
        assert kind == 4, f"no answer: {kind}"
        at = content.index(struct.pack("<HHL", 0, 0x0900, 2))
        return int.from_bytes(content[at + 8 : at + 10], "little")

    def closed_within(self, seconds: float) -> bool:
        """Tell whether the listener closes the connection (or aborts) so soon."""
        self.socket.settimeout(seconds)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if not self.socket.recv(65536):
                    return True
            except TimeoutError:
                return False
            except OSError:
                return True
        return False

    def close(self) -> None:
        self.socket.close()

    def _exactly(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            piece = self.socket.recv(count - len(content))
            if not piece:
                raise EOFError
            content += piece
        return content


@contextlib.contextmanager
def peer(port: int) -> Iterator[Peer]:
    connection = Peer(port)
    try:
        yield connection
    finally:
        connection.close()


def echo_seconds(port: int) -> float:
    """Return how long a C-ECHO with its association takes."""
    begin = time.perf_counter()
    with peer(port) as connection:
        connection.associate()
        connection.send(p_data((1, 3, echo_command())))
        assert connection.status() == 0
        connection.send(struct.pack(">BxLL", 5, 4, 0))
        assert connection.read_pdu()[0] == 6
    return time.perf_counter() - begin
