"""A small storage SCP that keeps whatever comes: a stand-in for a PACS where none is installed, and for tests."""

import threading
from collections import Counter
from pathlib import Path
from typing import Self

from pynetdicom import AE, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import Verification
from pynetdicom.transport import ThreadedAssociationServer

from dicom_node.no_delay import SEND_WITHOUT_DELAY
from dicom_node.storage_negotiation import STORAGE_NEGOTIATION
from tumorresp.domain.errors import OutsideFailure


class StorageScp:
    """Stores every instance as ``<SOP Instance UID>.dcm`` and counts how often each one came; a context manager.

    Parameters
    ----------
    folder
        Made when absent.
    port
        0 takes a free port; `port` says which.
    answers
        Statuses to answer by SOP Class UID instead of Success; nothing of those classes is kept.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ae_title: str = "PACS",
        host: str = "127.0.0.1",
        port: int = 0,
        answers: dict[str, int] | None = None,
    ) -> None:
        self._folder = folder
        self._address = (host, port)
        self._answers = dict(answers or {})
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server: ThreadedAssociationServer | None = None
        self._application_entity = AE(ae_title=ae_title)
        self._application_entity.maximum_pdu_size = 131072
        self._application_entity.add_supported_context(Verification)

    @property
    def port(self) -> int:
        """TCP port that is listened on."""
        return int(self._server.server_address[1]) if self._server is not None else self._address[1]

    @property
    def counts(self) -> dict[str, int]:
        """How often each SOP Instance UID was stored."""
        with self._lock:
            return dict(self._counts)

    def path_of(self, sop_instance_uid: str) -> Path:
        """Return the file of an instance; a later one with its UID replaces it."""
        return self._folder / f"{sop_instance_uid}.dcm"

    def start(self) -> None:
        """Begin to listen, in threads of its own.

        Raises
        ------
        OutsideFailure
            If the port is taken.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        handlers = [SEND_WITHOUT_DELAY, *STORAGE_NEGOTIATION, (evt.EVT_C_STORE, self._store)]
        try:
            self._server = self._application_entity.start_server(self._address, block=False, evt_handlers=handlers)
        except OSError as error:
            raise OutsideFailure(f"cannot listen on TCP port {self._address[1]}: {error.strerror}.") from error

    def stop(self) -> None:
        """Stop listening; associations under way are aborted."""
        self._application_entity.shutdown()
        self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _store(self, event: Event) -> int:
        status = self._answers.get(str(event.request.AffectedSOPClassUID), 0x0000)
        if status != 0x0000:
            return status
        uid = event.request.AffectedSOPInstanceUID
        if not uid.is_valid:  # it becomes a file name
            return 0xC000
        path = self.path_of(uid)
        unfinished = path.with_suffix(f".{threading.get_ident()}.part")
        unfinished.write_bytes(event.encoded_dataset())
        unfinished.replace(path)
        with self._lock:
            self._counts[uid] += 1
        return 0x0000
