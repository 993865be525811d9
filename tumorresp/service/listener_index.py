"""Between the listener and the store: every received instance becomes an index row."""

from collections.abc import Callable

from dicom_node.content_digest import is_same_content
from dicom_node.listener import IndexOutcome, ReceivedInstance, RefusedInstance
from tumorresp.service.store import InstanceRecord, ReceivedOutcome, Store
from tumorresp.service.store import ReceivedInstance as StoredInstance
from tumorresp.service.store_index import patient_of


class ListenerIndex:
    """The store as the listener sees it.

    Parameters
    ----------
    stored
        Called after each instance that disk and database took.
    """

    def __init__(self, store: Store, stored: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._stored = stored

    def index(self, received: ReceivedInstance) -> IndexOutcome:
        """Index an instance in one transaction, together with the wait for its series.

        An instance that is held in another lossless encoding is held: the file that came first stays, the other one is
        removed again.
        """
        held = self._held_otherwise_encoded(received)
        outcome = self._index(received, held)
        self._stored()
        if held is not None and outcome is ReceivedOutcome.SAME and held.path != received.path:
            received.path.unlink(missing_ok=True)
        return IndexOutcome(outcome.value)

    def _held_otherwise_encoded(self, received: ReceivedInstance) -> InstanceRecord | None:
        """Return what is held of an instance where only its encoding differs; decoded outside of the transaction."""
        held = self._store.find_instance(received.header.sop_instance_uid)
        if held is None or held.sha256 == received.header.sha256:
            return None
        return held if is_same_content(held.path, received.path) else None

    def _index(self, received: ReceivedInstance, held: InstanceRecord | None) -> ReceivedOutcome:
        header = received.header
        return self._store.index_received(
            StoredInstance(
                sop_instance_uid=header.sop_instance_uid,
                sha256=header.sha256 if held is None else held.sha256,
                path=received.path if held is None else held.path,
                sop_class_uid=header.sop_class_uid,
                modality=header.modality,
                study_instance_uid=header.study_instance_uid,
                series_instance_uid=header.series_instance_uid,
                patient_id=patient_of(header.patient_id, header.study_instance_uid),
                calling_ae=received.calling_ae,
            )
        )

    def refuse(self, refused: RefusedInstance) -> None:
        """Keep why an instance was not accepted."""
        error = refused.error
        name = f"refused instance {refused.sop_instance_uid}"
        self._store.quarantine(name, error.code, error.message, error.where or refused.sop_instance_uid)
