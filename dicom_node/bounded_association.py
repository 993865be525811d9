"""An association of pynetdicom that reads nothing of its peer's without a limit.

pynetdicom (3.0.4) reads a protocol data unit of whatever length the peer states into memory
(``AssociationSocket.recv``), waits for its end without a time-out, joins P-DATA to messages of whatever size
(``DIMSEServiceProvider``), queues as many of them as are sent, starts a thread for each N-EVENT-REPORT, and counts
connections that never ask for an association against the limit of associations. Its issues 517, 629 and 765 are about
the memory of large C-STORE messages; ``STORE_RECV_CHUNKED_DATASET``, which came of the first, is a switch of the whole
process, writes to the folder for temporary files and has no limit either. No setting bounds the rest.

This is the only module that knows pynetdicom's internals. What it relies on is held by
``tests/dicom_node/test_bounded_association.py``, which fails when a release changes it.
"""

import contextlib
import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

import structlog
from pydicom.uid import UID
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage
from pynetdicom.dsutils import create_file_meta, encode_file_meta
from pynetdicom.dul import DULServiceProvider
from pynetdicom.events import Event
from pynetdicom.pdu_primitives import P_DATA

from dicom_node.incoming_folder import IncomingFile
from dicom_node.pdu_limits import ASSOCIATE_RQ, HEADER, PduLimits, RefusedPdu, check_content

_log = structlog.get_logger()

# Command Fields (PS3.7 annex E): C-STORE, C-ECHO and C-CANCEL requests; C-STORE and C-ECHO responses.
_REQUESTS = frozenset((0x0001, 0x0030, 0x0FFF))
_RESPONSES = frozenset((0x8001, 0x8030))
_COMMAND_FIELD = 0x0100
_LONGEST_COMMAND_SET = 1 << 16
_MOST_QUEUED_MESSAGES = 64
_PIECE = 1 << 16
_UNREQUESTED_WAIT_S = 0.1
_PROVIDER_ABORT = "Evt19"
_CONNECTION_CLOSED = "Evt17"
_LIMIT_EXCEEDED = (0x02, 0x03, 0x02)  # transient, by the provider, local limit exceeded (PS3.8 table 9-21)


class IncomingFiles(Protocol):
    """Where data sets go while they are received."""

    def begin(self) -> IncomingFile:
        """Begin to receive a file."""
        ...


class Refused(Protocol):
    """Is told why a message was cut short."""

    def __call__(self, association: Association, sop_instance_uid: str, reason: str, /) -> None:
        """Take the reason; ``sop_instance_uid`` is empty when the message has none."""
        ...


@dataclass(frozen=True)
class AssociationBounds:
    """What is read of a peer at most.

    Parameters
    ----------
    data_set
        Bytes of one data set.
    associations
        Served at the same time.
    half_open
        Connections at the same time that have not asked for an association yet; of more, the oldest is closed.
    request_s
        A connection that has not asked for an association after this long is closed (ARTIM, PS3.8 section 9.1.5).
    network_s
        A protocol data unit that has not come to its end after this long ends the association.
    """

    pdu: PduLimits = field(default_factory=PduLimits)
    data_set: int = 2 << 30
    associations: int = 10
    half_open: int = 64
    request_s: float = 30.0
    network_s: float = 60.0


class BoundedDul(DULServiceProvider):
    """Reads protocol data units within limits and until a deadline."""

    pdu_limits: PduLimits
    request_s: float
    network_s: float
    refused: bool

    @classmethod
    def bind(cls, association: Association, bounds: AssociationBounds) -> None:
        """Make the provider of an association a bounded one. Pynetdicom makes providers itself, without a factory."""
        provider = association.dul
        provider.__class__ = cls
        provider.pdu_limits, provider.refused = bounds.pdu, False
        provider.request_s, provider.network_s = bounds.request_s, bounds.network_s

    def refuse(self, reason: str) -> None:
        """Abort the association; whatever the peer still sends is not read."""
        _log.warning("association aborted", calling_ae=_peer(self.assoc), reason=reason)
        self.refused = True
        self.assoc.dimse.discard()
        self.event_queue.put(_PROVIDER_ABORT)

    @property
    def _is_unrequested(self) -> bool:
        """Whether the peer has not asked for an association yet; data may be there before the state is entered."""
        return bool(self.assoc.is_acceptor) and self.state_machine.current_state in ("Sta1", "Sta2")

    def _is_transport_event(self) -> bool:
        # Until a peer has asked for something nothing can be sent: wait instead of looking a thousand times a second.
        connection = self.socket and self.socket.socket
        if self._is_unrequested and connection is not None and self.event_queue.empty():
            with contextlib.suppress(OSError, ValueError):  # closed: what follows sees that, too
                select.select([connection], [], [], _UNREQUESTED_WAIT_S)
        return bool(super()._is_transport_event())

    def _read_pdu_data(self) -> None:
        connection = self.socket.socket
        if self.refused:
            self.socket.close()
            return
        try:
            content = self._received(connection)
            pdu, event = self._decode_pdu(content)
            if content[0] == ASSOCIATE_RQ:
                pdu.to_primitive()  # what it cannot be made of would end the thread without an answer
        except (OSError, EOFError) as error:
            if not isinstance(error, EOFError):
                _log.warning("connection lost", calling_ae=_peer(self.assoc), reason=type(error).__name__)
            self.assoc.dimse.discard()
            self.event_queue.put(_CONNECTION_CLOSED)
        except RefusedPdu as error:
            self.refuse(str(error))
        except Exception as error:  # noqa: BLE001  whatever a decoder makes of what a peer sent
            self.refuse(f"a protocol data unit cannot be decoded ({type(error).__name__})")
        else:
            self.event_queue.put(event)
            self._recv_pdu.put(pdu)

    def _received(self, connection: socket.socket) -> bytearray:
        """Return one protocol data unit.

        Raises
        ------
        RefusedPdu
            If it states too much.
        EOFError
            If the peer closed the connection.
        TimeoutError, OSError
            If it did not come in time, or the connection broke.
        """
        waiting = self._is_unrequested
        deadline = time.monotonic() + (self.request_s if waiting else self.network_s)
        try:
            content = bytearray()
            _receive(connection, content, HEADER.size, deadline)
            kind, length = HEADER.unpack(content)
            self.pdu_limits.check_header(kind, length)
            if waiting and kind != ASSOCIATE_RQ:
                raise RefusedPdu("the peer did not begin with an association request")
            _receive(connection, content, HEADER.size + length, deadline)
        finally:
            connection.settimeout(self.network_s)
        check_content(content)
        return content


def _receive(connection: socket.socket, content: bytearray, size: int, deadline: float) -> None:
    """Read until the content has a size; memory grows with what has come, not with what was stated."""
    while len(content) < size:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        connection.settimeout(remaining)
        piece = connection.recv(min(size - len(content), _PIECE))
        if not piece:
            raise EOFError
        content += piece


class BoundedDimse(DIMSEServiceProvider):
    """Joins P-DATA to messages: commands within a limit, data sets of C-STORE into files.

    Parameters
    ----------
    commands
        Command Fields that are taken.
    files
        None: no message has a data set.
    limit
        Bytes of a data set.
    """

    def __init__(
        self,
        association: Association,
        commands: frozenset[int],
        refused: Refused,
        files: IncomingFiles | None = None,
        limit: int = 0,
    ) -> None:
        super().__init__(association)
        self._commands = commands
        self._refused = refused
        self._files = files
        self._limit = limit
        self._command = bytearray()
        self.message: DIMSEMessage | None = None

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take the values of a P-DATA one by one; the association is aborted at the first that is refused."""
        for context_id, value in primitive.presentation_data_value_list:
            try:
                self._take(context_id, value)
            except RefusedPdu as error:
                self._abort(str(error))
                return
            except Exception as error:  # noqa: BLE001  whatever a decoder makes of what a peer sent
                self._abort(f"a message cannot be decoded ({type(error).__name__})")
                return

    def _take(self, context_id: int, value: bytes) -> None:
        if context_id not in self.assoc._accepted_cx:  # noqa: SLF001  the public list would be made anew each time
            raise RefusedPdu("a message in a presentation context that was not accepted")
        is_command, is_last = value[0] & 1, value[0] & 2
        if not is_command:
            self._take_data(context_id, value)
            return
        if self.message is not None:
            raise RefusedPdu("a command in the middle of a message")
        self._command += value[1:]
        if len(self._command) > _LONGEST_COMMAND_SET:
            raise RefusedPdu(f"a command set of more than {_LONGEST_COMMAND_SET} bytes")
        if is_last:
            command, self._command = bytes(self._command), bytearray()
            self._take_command(context_id, command)

    def _take_command(self, context_id: int, command: bytes) -> None:
        if command_field(command) not in self._commands:
            raise RefusedPdu("a service that is not offered")
        if self.msg_queue.qsize() >= _MOST_QUEUED_MESSAGES:
            raise RefusedPdu(f"more than {_MOST_QUEUED_MESSAGES} messages without waiting for an answer")
        super().receive_primitive(_p_data(context_id, b"\x03" + command))
        if isinstance(self.message, C_STORE_RQ) and self._files is not None:
            self._open_file(self.message, context_id, self._files)
        elif self.message is not None:
            raise RefusedPdu("a data set with a message that has none")

    def _open_file(self, message: DIMSEMessage, context_id: int, files: IncomingFiles) -> None:
        file = _MessageFile(files.begin())
        meta = create_file_meta(
            sop_class_uid=UID(str(message.command_set.get("AffectedSOPClassUID") or "")),
            sop_instance_uid=UID(str(message.command_set.get("AffectedSOPInstanceUID") or "")),
            transfer_syntax=self.assoc._accepted_cx[context_id].transfer_syntax[0],  # noqa: SLF001  as above
        )
        file.incoming.write(bytes(128) + b"DICM" + encode_file_meta(meta))
        # Where pynetdicom's own chunked mode has its temporary file.
        message._data_set_file, message._data_set_path = file, file.incoming.path  # noqa: SLF001

    def _take_data(self, context_id: int, value: bytes) -> None:
        message = self.message
        if message is None or message.context_id != context_id:
            raise RefusedPdu("a data set without a command")
        file = cast("_MessageFile", message._data_set_file)  # noqa: SLF001  a message with a data set is a C-STORE
        if file.size + len(value) - 1 > self._limit:
            raise RefusedPdu(f"a data set of more than {self._limit} bytes")
        super().receive_primitive(_p_data(context_id, value))

    def _abort(self, reason: str) -> None:
        uid = "" if self.message is None else str(self.message.command_set.get("AffectedSOPInstanceUID") or "")
        self.dul.refuse(reason)
        self._refused(self.assoc, uid, reason)

    def discard(self) -> None:
        """Delete the files of messages that nobody will answer any more."""
        if self.message is not None:
            _close_file(self.message._data_set_file)  # noqa: SLF001  as above
        self.message, self._command = None, bytearray()
        with contextlib.suppress(queue.Empty):
            while True:
                _, request = self.msg_queue.get(block=False)
                _close_file(getattr(request, "_dataset_file", None))


class _MessageFile:
    """An incoming file as pynetdicom's chunked mode wants it: with ``name``, and a ``file`` to flush."""

    def __init__(self, incoming: IncomingFile) -> None:
        self.incoming = incoming
        self.name = incoming.name
        self.file = self
        self.size = 0

    def write(self, content: bytes) -> None:
        self.size += len(content)
        self.incoming.write(content)

    def flush(self) -> None:
        """Nothing: it is flushed when it is whole."""

    def close(self) -> None:
        self.incoming.close()


def _close_file(file: object) -> None:
    if isinstance(file, _MessageFile):
        file.close()


def received_file(event: Event) -> IncomingFile | None:
    """Return the file of a C-STORE request's data set."""
    file = cast("_MessageFile | None", event.request._dataset_file)  # noqa: SLF001  `dataset_path` is a path only
    return None if file is None else file.incoming


def command_field(command: bytes) -> int | None:
    """Return Command Field (0000,0100) of an encoded command set (implicit VR little endian); None without one."""
    position = 0
    while position + 8 <= len(command):
        group, element, length = struct.unpack_from("<HHL", command, position)
        if group == 0 and element == _COMMAND_FIELD and length == 2 and position + 10 <= len(command):
            return int.from_bytes(command[position + 8 : position + 10], "little")
        position += 8 + length
    return None


def _p_data(context_id: int, value: bytes) -> P_DATA:
    primitive = P_DATA()
    primitive.presentation_data_value_list.append((context_id, value))
    return primitive


class Admission:
    """Bounds the associations of one server, and how many there are.

    A connection counts against the limit from its association request on, not from its opening.
    """

    def __init__(self, bounds: AssociationBounds, files: IncomingFiles, refused: Refused) -> None:
        self._bounds = bounds
        self._files = files
        self._refused = refused
        self._lock = threading.Lock()
        self._half_open: list[Association] = []
        self._admitted: set[Association] = set()

    @property
    def handlers(self) -> list[tuple[evt.NotificationEvent, Callable[[Event], None]]]:
        """Event handlers of the server."""
        return [(evt.EVT_CONN_OPEN, self._on_connection), (evt.EVT_REQUESTED, self._on_request)]

    def close_half_open(self) -> None:
        """Close all connections that have not asked for an association."""
        with self._lock:
            for association in self._half_open:
                _close(association)
            self._half_open.clear()

    def _on_connection(self, event: Event) -> None:
        association, bounds = event.assoc, self._bounds
        BoundedDul.bind(association, bounds)
        association.dimse = BoundedDimse(association, _REQUESTS, self._refused, self._files, bounds.data_set)
        with self._lock:
            self._half_open = [item for item in self._half_open if _is_waiting(item)]
            while len(self._half_open) >= bounds.half_open:
                _close(self._half_open.pop(0))
            self._half_open.append(association)

    def _on_request(self, event: Event) -> None:
        association = event.assoc
        with self._lock:
            self._half_open = [item for item in self._half_open if item is not association]
            self._admitted = {item for item in self._admitted if item.is_alive()}
            if len(self._admitted) < self._bounds.associations:
                self._admitted.add(association)
                return
        _log.warning("association rejected", calling_ae=_peer(association), reason="local limit exceeded")
        association.acse.send_reject(*_LIMIT_EXCEEDED)
        association.kill()


def bound_requestor(event: Event) -> None:
    """Bound an association of our own with a peer (handler of ``EVT_CONN_OPEN``)."""
    association = event.assoc
    BoundedDul.bind(association, AssociationBounds(network_s=association.network_timeout or 60.0))
    association.dimse = BoundedDimse(association, _RESPONSES, lambda *_: None)


def _is_waiting(association: Association) -> bool:
    begun = association.ident is not None
    return association.requestor.primitive is None and (association.is_alive() or not begun)


def _close(association: Association) -> None:
    """End a connection that waits for its association request, and the threads that wait for it."""
    connection = association.dul.socket and association.dul.socket.socket
    if connection is not None:
        with contextlib.suppress(OSError):  # closed by the peer
            connection.shutdown(socket.SHUT_RDWR)
    association.dul.to_user_queue.put(None)


def _peer(association: Association) -> str:
    primitive = association.requestor.primitive
    return str(primitive.calling_ae_title).strip() if primitive is not None else ""
