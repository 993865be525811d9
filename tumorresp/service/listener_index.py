"""Between the listener and the store: every received instance becomes an index row."""

from dicom_node.listener import IndexOutcome, ReceivedInstance, RefusedInstance
from tumorresp.service.store import ReceivedInstance as StoredInstance
from tumorresp.service.store import Store
from tumorresp.service.store_index import patient_of


class ListenerIndex:
    """The store as the listener sees it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def index(self, received: ReceivedInstance) -> IndexOutcome:
        """Index an instance in one transaction, together with the wait for its series."""
        header = received.header
        outcome = self._store.index_received(
            StoredInstance(
                sop_instance_uid=header.sop_instance_uid,
                sha256=header.sha256,
                path=received.path,
                sop_class_uid=header.sop_class_uid,
                modality=header.modality,
                study_instance_uid=header.study_instance_uid,
                series_instance_uid=header.series_instance_uid,
                patient_id=patient_of(header.patient_id, header.study_instance_uid),
                calling_ae=received.calling_ae,
            )
        )
        return IndexOutcome(outcome.value)

    def refuse(self, refused: RefusedInstance) -> None:
        """Keep why an instance was not accepted."""
        error = refused.error
        name = f"refused instance {refused.sop_instance_uid}"
        self._store.quarantine(name, error.code, error.message, error.where or refused.sop_instance_uid)
