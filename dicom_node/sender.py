"""The DICOM sender: C-ECHO and C-STORE to a destination, with what it answered in words.

Instances go out in the transfer syntax that they are stored in. For uncompressed ones both uncompressed little endian
syntaxes are proposed, since implicit VR is the one that every node must accept (PS3.5 section 10.1).
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
import structlog
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_context, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import Verification
from pynetdicom.status import STORAGE_SERVICE_CLASS_STATUS

from dicom_node.bounded_association import bound_requestor
from dicom_node.instance_header import read_header
from dicom_node.no_delay import SEND_WITHOUT_DELAY
from tumorresp.domain.errors import DeliveryFailed

_log = structlog.get_logger()

_SUCCESS = 0x0000
# Coercion of Data Elements, Elements Discarded, Data Set Does Not Match SOP Class: stored all the same (PS3.4 B.2.3).
_STORED_WITH_WARNING = frozenset((0xB000, 0xB006, 0xB007))
# Context identifiers are odd numbers below 256 (PS3.8 section 9.3.2.2).
_MOST_CONTEXTS = 128
_UNCOMPRESSED = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))

_Context = tuple[str, str]


@dataclass(frozen=True)
class Destination:
    """A DICOM node that takes objects.

    Parameters
    ----------
    name
        What people and messages call it.
    response_timeout_s
        Wait for the answer to one object; archives may take long over large ones.
    """

    name: str
    ae_title: str
    host: str
    port: int
    calling_ae_title: str = "TUMORRESP"
    connection_timeout_s: float = 10.0
    association_timeout_s: float = 30.0
    response_timeout_s: float = 120.0


@dataclass(frozen=True)
class SendResult:
    """One object that the destination took; ``warning`` is empty when it had nothing to say."""

    path: Path
    sop_instance_uid: str
    status: int
    warning: str = ""


@dataclass(frozen=True)
class _Outgoing:
    path: Path
    sop_instance_uid: str
    contexts: tuple[_Context, ...]


def send(paths: Sequence[Path], destination: Destination) -> tuple[SendResult, ...]:
    """Send DICOM files by C-STORE and return when the destination has confirmed every one.

    An object that is refused does not keep the others from being sent.

    Returns
    -------
    tuple of SendResult
        One a file, in order.

    Raises
    ------
    NotDicom, InvalidInput
        If a file is no whole DICOM file; nothing was sent.
    DeliveryFailed
        If the destination cannot be reached, rejects the association, or did not take every object.
    """
    outgoing = [_outgoing(path) for path in paths]
    results: list[SendResult] = []
    refusals: list[tuple[str, str]] = []
    for batch in _batches(outgoing):
        contexts = {context: None for item in batch for context in item.contexts}
        with _association(destination, list(contexts)) as association:
            for item in batch:
                answer = _store(association, item, destination)
                if isinstance(answer, SendResult):
                    results.append(answer)
                else:
                    refusals.append((item.sop_instance_uid, answer))
    if refusals:
        uid, reason = refusals[0]
        count = f"{len(refusals)} of {len(outgoing)} objects were" if len(outgoing) > 1 else "the object was"
        raise DeliveryFailed(f"{count} not taken: {reason}.", where=f"{destination.name}, {uid}")
    return tuple(results)


def echo(destination: Destination) -> None:
    """Ask a destination whether it is there (C-ECHO).

    Raises
    ------
    DeliveryFailed
        If it cannot be reached, rejects the association, or answers with another status than Success.
    """
    with _association(destination, [(str(Verification), str(ImplicitVRLittleEndian))]) as association:
        answer = association.send_c_echo()
        if answer.get("Status") != _SUCCESS:
            raise DeliveryFailed(f"C-ECHO was not answered: {_words(answer)}.", where=destination.name)


def _outgoing(path: Path) -> _Outgoing:
    header = read_header(path)
    syntaxes = [header.transfer_syntax_uid]
    if header.transfer_syntax_uid in _UNCOMPRESSED:
        syntaxes += [syntax for syntax in _UNCOMPRESSED if syntax != header.transfer_syntax_uid]
    return _Outgoing(path, header.sop_instance_uid, tuple((header.sop_class_uid, syntax) for syntax in syntaxes))


def _batches(outgoing: Sequence[_Outgoing]) -> Iterator[list[_Outgoing]]:
    """Divide objects so that no association needs more presentation contexts than there can be."""
    batch: list[_Outgoing] = []
    contexts: set[_Context] = set()
    for item in outgoing:
        if len(contexts.union(item.contexts)) > _MOST_CONTEXTS:
            yield batch
            batch, contexts = [], set()
        batch.append(item)
        contexts.update(item.contexts)
    if batch:
        yield batch


@contextlib.contextmanager
def _association(destination: Destination, contexts: Sequence[_Context]) -> Iterator[Association]:
    """Open an association and release it at the end.

    Raises
    ------
    DeliveryFailed
        If it is not established.
    """
    entity = AE(ae_title=destination.calling_ae_title)
    entity.connection_timeout = destination.connection_timeout_s
    entity.acse_timeout = destination.association_timeout_s
    entity.dimse_timeout = destination.response_timeout_s
    # Silence while the destination stores a large object is no failure.
    entity.network_timeout = destination.response_timeout_s
    association = entity.associate(
        destination.host,
        destination.port,
        contexts=[build_context(sop_class, syntax) for sop_class, syntax in contexts],
        ae_title=destination.ae_title,
        evt_handlers=[SEND_WITHOUT_DELAY, (evt.EVT_CONN_OPEN, bound_requestor)],
    )
    if not association.is_established:
        reason = _why_not_established(association)
        raise DeliveryFailed(
            f"no association with {destination.ae_title} at {destination.host}:{destination.port}: {reason}.",
            where=destination.name,
            remedy="Check address, port and AE titles, and that the destination knows ours.",
        )
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _why_not_established(association: Association) -> str:
    answer = association.acceptor.primitive
    if association.is_rejected and answer is not None:
        return f"rejected, {answer.reason_str.lower()} ({answer.result_str.lower()})"
    if answer is not None and answer.result == 0:
        return "it supports none of the SOP classes and transfer syntaxes that were offered"
    return "it does not answer, or closed the connection"


def _store(association: Association, item: _Outgoing, destination: Destination) -> SendResult | str:
    """Send one object and return the result, or in words why it was not taken.

    Raises
    ------
    DeliveryFailed
        If the association was lost, so that no further object can be sent.
    """
    accepted = {(str(cx.abstract_syntax), str(cx.transfer_syntax[0])) for cx in association.accepted_contexts}
    if not accepted.intersection(item.contexts):
        return "the destination does not support its SOP class and transfer syntax (0122)"
    try:
        answer = association.send_c_store(pydicom.dcmread(item.path))
    except RuntimeError:
        answer = Dataset()
    if "Status" not in answer:
        raise DeliveryFailed(
            "the association was lost, or the answer did not come in time.",
            where=f"{destination.name}, {item.sop_instance_uid}",
        )
    status = int(answer.Status)
    if status == _SUCCESS:
        return SendResult(item.path, item.sop_instance_uid, status)
    words = _words(answer)
    if status in _STORED_WITH_WARNING:
        _log.warning(
            "stored with a warning", destination=destination.name, sop_instance_uid=item.sop_instance_uid, status=words
        )
        return SendResult(item.path, item.sop_instance_uid, status, words)
    return words


def _words(answer: Dataset) -> str:
    """Return a status with its meaning and the destination's own comment."""
    if "Status" not in answer:
        return "no answer"
    status = int(answer.Status)
    _, meaning = STORAGE_SERVICE_CLASS_STATUS.get(status, ("", ""))
    comment = str(answer.get("ErrorComment") or "").strip()
    parts = [part for part in (meaning or "unknown status", comment) if part]
    return f"{': '.join(parts)} ({status:04X})"
