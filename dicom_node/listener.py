"""The DICOM listener: C-ECHO and C-STORE; an instance is answered only when it is safely stored and indexed.

Statuses of a C-STORE (PS3.4 table B.2-1), each with a reason in Error Comment (0000,0902):

====== =============================================================================================
0000   Stored and indexed, now or earlier with the same content.
A700   Out of resources: disk or database cannot take more. Nothing was stored; send again later.
A900   The data set is of another SOP Class or SOP Instance than the message says.
C000   A UID that identifies the instance is missing or no UID.
C001   The data set is cut off or no DICOM.
C004   The SOP Instance UID is held with other content.
C006   Nested too deep, or inflates to too much.
0110   A fault in this program; nothing was stored.
====== =============================================================================================

What is of no use is stored all the same. Nothing of a peer's is read without a limit: `bounded_association`; which
classes are taken: `storage_negotiation`.
"""

import contextlib
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self

import structlog
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.sop_class import Verification
from pynetdicom.transport import ThreadedAssociationServer

from dicom_node.bounded_association import Admission, AssociationBounds
from dicom_node.bounded_messages import received_file
from dicom_node.incoming_folder import IncomingFile, IncomingFolder
from dicom_node.inflating import InflateLimits
from dicom_node.instance_header import InstanceHeader, header_of
from dicom_node.no_delay import SEND_WITHOUT_DELAY
from dicom_node.part10 import read_encoded
from dicom_node.pdu_limits import PduLimits
from dicom_node.storage_negotiation import STORAGE_NEGOTIATION
from tumorresp.domain.disk_failures import disk_failure, is_of_the_disk
from tumorresp.domain.errors import ConflictingInstance, ExceedsLimit, InvalidInput, OutsideFailure, TumorRespError

_log = structlog.get_logger()

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
MISMATCH = 0xA900
_ERROR_COMMENT_LENGTH = 64
_GRACE_S = 10.0
# pynetdicom counts connections that have not asked for an association, too; `Admission` counts instead.
_NO_LIMIT = 1 << 30
_BACKLOG = 128


@dataclass(frozen=True)
class ListenerSettings:
    """How the listener is reached and whom it serves.

    Parameters
    ----------
    folder
        Where received files go.
    port
        0 takes a free port; `Listener.port` says which.
    calling_ae_titles
        AE titles that may call; empty: all.
    check_called_ae_title
        Whether callers must use our own AE title.
    maximum_associations
        Served at the same time; further ones are rejected as temporarily congested.
    maximum_pdu_size
        Bytes that peers are told; larger ones than the usual 16 KiB make receiving a fifth faster.
    hard_pdu_size
        Bytes from which on a protocol data unit ends the association; between the two it is read all the same.
    maximum_data_set_size
        Bytes of one instance; a longer one ends the association.
    inflate_limits
        How large a deflated data set may become.
    artim_timeout_s
        A connection that has not asked for an association after this long is closed.
    network_timeout_s
        An association without any message for this long is dropped.
    """

    folder: Path
    ae_title: str = "TUMORRESP"
    host: str = "127.0.0.1"
    port: int = 11112
    calling_ae_titles: tuple[str, ...] = ()
    check_called_ae_title: bool = False
    maximum_associations: int = 10
    maximum_pdu_size: int = 1 << 20
    hard_pdu_size: int = 16 << 20
    maximum_data_set_size: int = 2 << 30
    inflate_limits: InflateLimits = field(default_factory=InflateLimits)
    artim_timeout_s: float = 30.0
    network_timeout_s: float = 60.0


@dataclass(frozen=True)
class ReceivedInstance:
    """An instance whose file is on disk, fsynced, and waits to be indexed."""

    path: Path
    header: InstanceHeader
    calling_ae: str


class IndexOutcome(StrEnum):
    """What became of a received instance."""

    NEW = "new"
    SAME = "same"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class RefusedInstance:
    """An instance that was not accepted and not kept; ``sop_instance_uid`` is what the message says."""

    sop_instance_uid: str
    calling_ae: str
    error: InvalidInput


class InstanceSink(Protocol):
    """Takes what the listener receives. Called from several threads."""

    def index(self, received: ReceivedInstance) -> IndexOutcome:
        """Index an instance in one transaction; the peer is told Success only after this has returned.

        A conflict is recorded here, too: the file stays where it is, the instance held before stays valid.

        Raises
        ------
        OutsideFailure
            If it could not be indexed; the peer keeps its copy.
        """
        ...

    def refuse(self, refused: RefusedInstance) -> None:
        """Keep the reason of a refusal where people see it: data that cannot be understood, or do not match."""
        ...


class Listener:
    """A storage SCP; use it as a context manager, or `start` and `stop` it.

    Parameters
    ----------
    sink
        Indexes what was received.
    turned_away
        Is told of each instance that disk or database could not take.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        sink: InstanceSink,
        turned_away: Callable[[OutsideFailure], None] = lambda _failure: None,
    ) -> None:
        self._settings = settings
        self._turned_away = turned_away
        self._sink = sink
        self._incoming = IncomingFolder(settings.folder)
        self._admission = Admission(_bounds(settings), self._incoming, self._report_cut_short)
        self._server: ThreadedAssociationServer | None = None
        self._application_entity = _application_entity(settings)

    @property
    def port(self) -> int:
        """TCP port that is listened on."""
        return int(self._server.server_address[1]) if self._server is not None else self._settings.port

    def start(self) -> None:
        """Begin to listen, in threads of its own.

        Raises
        ------
        OutsideFailure
            If the port is taken, or the folder cannot be made.
        """
        self._incoming.prepare()
        handlers = [
            SEND_WITHOUT_DELAY,
            *STORAGE_NEGOTIATION,
            *self._admission.handlers,
            (evt.EVT_REJECTED, _log_rejection),
            (evt.EVT_C_STORE, self._answer_store),
        ]
        settings = self._settings
        try:
            self._server = self._application_entity.start_server(
                (settings.host, settings.port), block=False, evt_handlers=handlers
            )
        except OSError as error:
            raise OutsideFailure(
                f"cannot listen on TCP port {settings.port}: {error.strerror}.",
                where="listen_port",
                remedy="Name another port, or stop the program that uses it.",
            ) from error
        # pynetdicom's five connections that wait to be accepted are too few for a burst: the others wait a second.
        self._server.socket.listen(_BACKLOG)
        _log.info("listening", ae_title=settings.ae_title, port=self.port)

    def stop(self) -> None:
        """Accept no more associations, let running ones end for a few seconds, then abort them."""
        if self._server is None:
            return
        self._server.shutdown()
        self._admission.close_half_open()
        deadline = time.monotonic() + _GRACE_S
        while self._application_entity.active_associations and time.monotonic() < deadline:
            time.sleep(0.05)
        self._application_entity.shutdown()
        self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answer_store(self, event: Event) -> Dataset:
        """Receive one instance and return the C-STORE response's status."""
        uid, calling_ae = str(event.request.AffectedSOPInstanceUID), _calling_ae(event)
        try:
            with _disk_failures_named():
                return self._receive(event, uid, calling_ae)
        except TumorRespError as error:
            _log.warning("instance refused", sop_instance_uid=uid, calling_ae=calling_ae, reason=error.code)
            if isinstance(error, OutsideFailure):
                self._turned_away(error)
            if isinstance(error, InvalidInput):
                self._report(RefusedInstance(uid, calling_ae, error))
            return _status(error.dimse_status, error.message)
        except Exception as error:  # noqa: BLE001  a fault must be answered, and never stop the next instance
            # Neither its text nor its variables: both may quote the data set.
            place = traceback.extract_tb(error.__traceback__)[-1]
            _log.error("fault", sop_instance_uid=uid, fault=type(error).__name__, at=f"{place.name}:{place.lineno}")
            return _status(PROCESSING_FAILURE, "Fault in the receiving program")

    def _receive(self, event: Event, uid: str, calling_ae: str) -> Dataset:
        file = received_file(event)
        if file is None:
            raise InvalidInput("the message has no data set.", where=uid)
        try:
            return self._stored(event, file, uid, calling_ae)
        finally:
            file.close()

    def _stored(self, event: Event, file: IncomingFile, uid: str, calling_ae: str) -> Dataset:
        file.finish()
        header = header_of(read_encoded(file.path), where=uid, limits=self._settings.inflate_limits)
        mismatch = _mismatch(event, header)
        if mismatch:
            self._report(RefusedInstance(uid, calling_ae, InvalidInput(mismatch, where=uid)))
            _log.warning("instance refused", sop_instance_uid=uid, calling_ae=calling_ae, reason="mismatch")
            return _status(MISMATCH, mismatch)
        path = self._incoming.keep(header, file)
        outcome = self._sink.index(ReceivedInstance(path, header, calling_ae))
        _log.debug("instance received", sop_instance_uid=uid, calling_ae=calling_ae, outcome=outcome.value)
        if outcome is IndexOutcome.CONFLICT:
            error = ConflictingInstance(
                "this SOP Instance UID is held with other content.",
                where=uid,
                remedy="Give changed instances UIDs of their own (PS3.3 C.12.4.1), or delete the held one.",
            )
            _log.warning("instance refused", sop_instance_uid=uid, calling_ae=calling_ae, reason=error.code)
            return _status(error.dimse_status, error.message)
        return _status(SUCCESS)

    def _report_cut_short(self, association: Association, uid: str, reason: str) -> None:
        """Keep why a message was not received to its end."""
        if uid:
            error = ExceedsLimit(f"the association was aborted: {reason}.", where=uid)
            self._report(RefusedInstance(uid, str(association.requestor.ae_title).strip(), error))

    def _report(self, refused: RefusedInstance) -> None:
        """Hand a refusal to the sink; the peer gets its answer even when that fails."""
        try:
            self._sink.refuse(refused)
        except OutsideFailure as error:
            _log.warning("refusal not recorded", sop_instance_uid=refused.sop_instance_uid, reason=error.code)


def _application_entity(settings: ListenerSettings) -> AE:
    entity = AE(ae_title=settings.ae_title)
    entity.maximum_pdu_size = settings.maximum_pdu_size
    entity.maximum_associations = _NO_LIMIT
    entity.acse_timeout = settings.artim_timeout_s
    entity.network_timeout = settings.network_timeout_s
    entity.require_calling_aet = list(settings.calling_ae_titles)
    entity.require_called_aet = settings.check_called_ae_title
    entity.add_supported_context(Verification)
    return entity


def _bounds(settings: ListenerSettings) -> AssociationBounds:
    return AssociationBounds(
        pdu=PduLimits(data=max(settings.hard_pdu_size, settings.maximum_pdu_size)),
        data_set=settings.maximum_data_set_size,
        associations=settings.maximum_associations,
        request_s=settings.artim_timeout_s,
        network_s=settings.network_timeout_s,
    )


def _mismatch(event: Event, header: InstanceHeader) -> str:
    """Say how a data set differs from its message; empty when it does not."""
    if header.sop_class_uid != event.request.AffectedSOPClassUID:
        return "Data set is of another SOP Class than the message"
    if header.sop_instance_uid != event.request.AffectedSOPInstanceUID:
        return "Data set has another SOP Instance UID than the message"
    return ""


def _status(status: int, comment: str = "") -> Dataset:
    """Return a response with its reason, cut to what Error Comment may hold (PS3.7 annex C)."""
    response = Dataset()
    response.Status = status
    if comment:
        response.ErrorComment = comment.encode("ascii", "replace").decode()[:_ERROR_COMMENT_LENGTH].replace("\\", "/")
    return response


@contextlib.contextmanager
def _disk_failures_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not is_of_the_disk(error):
            raise
        raise disk_failure(error) from error


def _calling_ae(event: Event) -> str:
    return str(event.assoc.requestor.ae_title).strip()


def _log_rejection(event: Event) -> None:
    requestor = event.assoc.requestor
    _log.warning(
        "association rejected",
        calling_ae=str(requestor.ae_title).strip(),
        called_ae=str(requestor.primitive.called_ae_title).strip(),
        address=requestor.address,
    )
