"""Which presentation contexts a storage SCP accepts: every storage class, in every standard transfer syntax.

All storage SOP classes are accepted, also private ones and those that the standard will have tomorrow, since a
transfer of a whole study often fails altogether when one of its classes is refused. Services that are not offered
(query, worklist, commitment, printing) are refused, and so are transfer syntaxes that nobody could read later.
"""

import re

import structlog
from pydicom.uid import UID
from pynetdicom import evt
from pynetdicom.events import Event
from pynetdicom.pdu_primitives import SOPClassCommonExtendedNegotiation
from pynetdicom.presentation import PresentationContext, build_context

_log = structlog.get_logger()

_UID = re.compile(r"[0-9.]{1,64}")
_STANDARD = "1.2.840.10008."
# PS3.4 annex B: so far all storage classes but a few old ones are below this root.
_STORAGE_ROOT = "1.2.840.10008.5.1.4.1.1."
_NO_STORAGE = ("Commitment", "Media Storage Directory")
_STORAGE_SERVICE_CLASS = UID("1.2.840.10008.4.2")
_TRANSFER_SYNTAX_ROOT = "1.2.840.10008.1.2"
# Pixels that must be fetched from elsewhere (JPIP), and encodings of other things than data sets.
_NOT_READABLE = (
    "1.2.840.10008.1.2.4.94",
    "1.2.840.10008.1.2.4.95",
    "1.2.840.10008.1.2.4.204",
    "1.2.840.10008.1.2.4.205",
)
_OTHER_ENCODINGS = ("1.2.840.10008.1.2.6.", "1.2.840.10008.1.2.7.")


def is_storage_class(uid: str) -> bool:
    """Return whether objects of a SOP class are taken: what the standard knows as storage, or does not know at all."""
    if not _UID.fullmatch(uid):
        return False
    if not uid.startswith(_STANDARD):
        return True
    known = UID(uid)
    if known.type == "SOP Class" and known.name:
        return "Storage" in known.name and not any(word in known.name for word in _NO_STORAGE)
    return known.type in ("", "SOP Class") and uid.startswith(_STORAGE_ROOT)


def is_readable_syntax(uid: str) -> bool:
    """Return whether a transfer syntax is one of the standard that holds a whole data set."""
    if uid == _TRANSFER_SYNTAX_ROOT:
        return True
    return (
        _UID.fullmatch(uid) is not None
        and uid.startswith(f"{_TRANSFER_SYNTAX_ROOT}.")
        and uid not in _NOT_READABLE
        and not uid.startswith(_OTHER_ENCODINGS)
    )


def accepted_storage(requested: list[PresentationContext]) -> list[PresentationContext]:
    """Return the storage contexts to support for a request: of each class the syntaxes in the order of the peer."""
    syntaxes: dict[str, dict[str, None]] = {}
    for context in requested:
        sop_class = str(context.abstract_syntax or "")
        if is_storage_class(sop_class):
            readable = (str(syntax) for syntax in context.transfer_syntax if is_readable_syntax(str(syntax)))
            syntaxes.setdefault(sop_class, {}).update(dict.fromkeys(readable))
    return [build_context(sop_class, list(offered)) for sop_class, offered in syntaxes.items() if offered]


def _support_storage(event: Event) -> None:
    acceptor, requested = event.assoc.acceptor, event.assoc.requestor.requested_contexts
    acceptor.supported_contexts = [*acceptor.supported_contexts, *accepted_storage(requested)]


def _as_storage_service(event: Event) -> dict[UID, SOPClassCommonExtendedNegotiation]:
    """Say that every accepted class is of the storage service, whatever pynetdicom's own list of classes has."""
    items = {}
    for context in accepted_storage(event.assoc.requestor.requested_contexts):
        item = SOPClassCommonExtendedNegotiation()
        item.sop_class_uid, item.service_class_uid = context.abstract_syntax, _STORAGE_SERVICE_CLASS
        items[UID(context.abstract_syntax)] = item
    return items


def _one_operation_at_a_time(_event: Event) -> tuple[int, int]:
    """Answer an asynchronous operations window: without an answer some senders take it as unlimited."""
    return 1, 1


STORAGE_NEGOTIATION = [
    (evt.EVT_REQUESTED, _support_storage),
    (evt.EVT_SOP_COMMON, _as_storage_service),
    (evt.EVT_ASYNC_OPS, _one_operation_at_a_time),
]
"""Event handlers of an acceptor."""
