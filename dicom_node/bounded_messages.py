"""Messages of an association, joined from P-DATA within limits; see `bounded_association` for why."""

import contextlib
import queue
import struct
from typing import Protocol, cast

from pydicom.uid import UID
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage
from pynetdicom.dsutils import create_file_meta, encode_file_meta
from pynetdicom.events import Event
from pynetdicom.pdu_primitives import P_DATA

from dicom_node.incoming_folder import IncomingFile
from dicom_node.pdu_limits import RefusedPdu

# Command Fields (PS3.7 annex E): C-STORE, C-ECHO and C-CANCEL requests; C-STORE and C-ECHO responses.
REQUESTS = frozenset((0x0001, 0x0030, 0x0FFF))
RESPONSES = frozenset((0x8001, 0x8030))

_COMMAND_FIELD = 0x0100
_LONGEST_COMMAND_SET = 1 << 16
_MOST_QUEUED_MESSAGES = 64


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
