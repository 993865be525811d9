"""An association of pynetdicom that reads nothing of its peer's without a limit.

pynetdicom (3.0.4) reads a protocol data unit of whatever length the peer states into memory
(``AssociationSocket.recv``), waits for its end without a time-out, joins P-DATA to messages of whatever size
(``DIMSEServiceProvider``), queues as many of them as are sent, starts a thread for each N-EVENT-REPORT, and counts
connections that never ask for an association against the limit of associations. Its issues 517, 629 and 765 are about
the memory of large C-STORE messages; ``STORE_RECV_CHUNKED_DATASET``, which came of the first, is a switch of the whole
process, writes to the folder for temporary files and has no limit either. No setting bounds the rest.

This module and `bounded_messages` are the only ones that know pynetdicom's internals. What they rely on is held by
``tests/dicom_node/test_bounded_association.py``, which fails when a release changes it.
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.events import Event
from pynetdicom.fsm import StateMachine

from dicom_node.bounded_messages import REQUESTS, RESPONSES, BoundedDimse, IncomingFiles, Refused
from dicom_node.pdu_limits import ASSOCIATE_RQ, HEADER, PduLimits, RefusedPdu, check_content

_log = structlog.get_logger()

_PIECE = 1 << 16
_UNREQUESTED_WAIT_S = 0.1
_PROVIDER_ABORT = "Evt19"
_CONNECTION_CLOSED = "Evt17"
_LIMIT_EXCEEDED = (0x02, 0x03, 0x02)  # transient, by the provider, local limit exceeded (PS3.8 table 9-21)


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


class _BoundedStateMachine(StateMachine):
    """Ends the connection, and not its thread alone, when an event does not fit the state that the peer brought."""

    def do_action(self, event: str) -> None:
        try:
            super().do_action(event)
        except Exception as error:  # noqa: BLE001  the thread's end would leave the connection to itself
            _log.warning("connection closed", calling_ae=_peer(self.dul.assoc), reason=type(error).__name__)
            self.dul.end()


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
        provider.state_machine.__class__ = _BoundedStateMachine
        provider.pdu_limits, provider.refused = bounds.pdu, False
        provider.request_s, provider.network_s = bounds.request_s, bounds.network_s

    def refuse(self, reason: str) -> None:
        """Abort the association; whatever the peer still sends is not read."""
        _log.warning("association aborted", calling_ae=_peer(self.assoc), reason=reason)
        self.refused = True
        self.assoc.dimse.discard()
        self.event_queue.put(_PROVIDER_ABORT)

    def end(self) -> None:
        """Close the connection without another word."""
        self.assoc.dimse.discard()
        self.socket.close()
        self.kill_dul()

    @property
    def _is_unrequested(self) -> bool:
        """Whether the peer has not asked for an association yet; data may be there before the state is entered."""
        return bool(self.assoc.is_acceptor) and self.state_machine.current_state in ("Sta1", "Sta2")

    def _is_transport_event(self) -> bool:
        if self.assoc.is_acceptor and self.assoc.ident is not None and not self.assoc.is_alive():
            self.end()  # nobody would answer any more
            return False
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
                # What it cannot be made of, or not be negotiated, would end a thread without an answer.
                contexts = pdu.to_primitive().presentation_context_definition_list
                if not all(context.abstract_syntax and context.transfer_syntax for context in contexts):
                    raise RefusedPdu("a presentation context without syntaxes")
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
        association.dimse = BoundedDimse(association, REQUESTS, self._refused, self._files, bounds.data_set)
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
    association.dimse = BoundedDimse(association, RESPONSES, lambda *_: None)


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
