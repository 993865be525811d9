"""What the bounded association relies on in pynetdicom, and its limits one by one, from both sides."""

import contextlib
import hashlib
import inspect
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pynetdicom import acse, association, dimse, dimse_messages, dul, fsm, service_class, transport
from pynetdicom.presentation import build_context

from dicom_node.bounded_messages import command_field
from dicom_node.listener import Listener, ListenerSettings
from dicom_node.pdu_limits import MIB, PduLimits, RefusedPdu, check_content
from dicom_node.sender import Destination, echo
from dicom_node.storage_negotiation import accepted_storage, is_readable_syntax, is_storage_class
from tests.dicom_node.ct_files import ct_image
from tests.dicom_node.hostile_peer import (
    CT,
    EXPLICIT,
    IMPLICIT,
    Peer,
    association_request,
    command,
    context_of,
    echo_command,
    echo_seconds,
    item,
    p_data,
    peer,
    store_command,
)
from tests.dicom_node.test_data_set_limits import in_file_bytes
from tests.dicom_node.test_listener import Index, files_of
from tumorresp.domain.errors import DeliveryFailed

# ---------------------------------------------------------------- pynetdicom's internals

RELIED_ON = {
    dul.DULServiceProvider.run_reactor: "e3a10eb3a0931e48",
    dul.DULServiceProvider._is_transport_event: "8725ed03bb8fbdef",
    dul.DULServiceProvider._read_pdu_data: "19f2d4e38c13c835",
    dul.DULServiceProvider._decode_pdu: "fc71dd1bf853e1ce",
    dul.DULServiceProvider.stop_dul: "28a7e0be126e7b30",
    dimse.DIMSEServiceProvider.__init__: "bbecd186810e7700",
    dimse.DIMSEServiceProvider.receive_primitive: "5f99c86b14a15cef",
    dimse_messages.DIMSEMessage.decode_msg: "f51c777e841a76be",
    dimse_messages.DIMSEMessage.message_to_primitive: "f8f43d34e43450ef",
    service_class.StorageServiceClass.SCP: "63afca7fc6c6e7ee",
    association.Association.run_reactor: "ed8bbbe3b3d6ddae",
    association.Association._run_reactor: "f28838c5559e462a",
    association.Association._serve_request: "2f24c1759cdf6c8c",
    association.Association.kill: "8f9713666a7f4cff",
    acse.ACSE._negotiate_as_acceptor: "fffd360957c42a8e",
    acse.ACSE.send_reject: "700998293bbcb6c9",
    fsm.StateMachine.do_action: "9a883f44c7f31641",
    fsm.AA_1: "8495a4665f7ad3c9",
    fsm.AA_5: "4a8a4a3ac26f1f17",
    fsm.AA_8: "06c83317f08831fd",
    transport.AssociationSocket.close: "c726c8db53813d55",
    transport.RequestHandler.handle: "034823fb4df3a874",
}


@pytest.mark.parametrize("function", RELIED_ON, ids=lambda function: function.__qualname__)
def test_what_is_relied_on_is_as_it_was(function):
    """A release that changes one of these wants `bounded_association` read again beside it, and this table renewed."""
    assert hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16] == RELIED_ON[function]


# ---------------------------------------------------------------- limits by themselves


@pytest.mark.parametrize(
    ("kind", "length", "good"),
    [
        (4, 16 * MIB, True),
        (4, 16 * MIB + 1, False),
        (1, MIB, True),
        (1, MIB + 1, False),
        (2, MIB, True),
        (2, MIB + 1, False),
        *((kind, length, good) for kind in (3, 5, 6, 7) for length, good in ((4, True), (64, True), (65, False))),
        (0, 4, False),
        (8, 4, False),
    ],
)
def test_stated_lengths(kind, length, good):
    if good:
        PduLimits().check_header(kind, length)
    else:
        with pytest.raises(RefusedPdu):
            PduLimits().check_header(kind, length)


@pytest.mark.parametrize(
    ("pdu", "good"),
    [
        (association_request(), True),
        (association_request(*(context_of(1, CT, IMPLICIT) for _ in range(128))), True),
        (association_request(*(context_of(1, CT, IMPLICIT) for _ in range(129))), False),
        (association_request(context_of(1, CT, *[IMPLICIT] * 128)), True),
        (association_request(context_of(1, CT, *[IMPLICIT] * 129)), False),
        (association_request(context_of(1, "1." + "2" * 62, IMPLICIT)), True),
        (association_request(context_of(1, "1." + "2" * 63, IMPLICIT)), False),
        (association_request(user=item(0x53, b"\0\1\0\1") * 512), True),
        (association_request(user=item(0x53, b"\0\1\0\1") * 513), False),
        (association_request()[:73], False),
        (association_request()[:-1], False),
        (p_data((1, 3, b"")), True),
        (p_data(*[(1, 0, b"")] * 1024), True),
        (p_data(*[(1, 0, b"")] * 1025), False),
        (p_data((1, 3, b"abc"))[:-1], False),
        (p_data((1, 3, b"abc")) + b"\0\0", False),
        (struct.pack(">BxLL", 4, 5, 1) + b"\1", False),
    ],
)
def test_items_of_a_unit(pdu, good):
    if good:
        check_content(pdu)
    else:
        with pytest.raises(RefusedPdu):
            check_content(pdu)


@pytest.mark.parametrize(
    ("encoded", "field"),
    [
        (store_command(), 0x0001),
        (echo_command(), 0x0030),
        (command(0x0FFF, CT), 0x0FFF),
        (b"", None),
        (b"\0\0\0\1\2\0\0\0\1", None),
        (b"\0\0\0\0\xff\xff\xff\xff" * 3, None),
    ],
)
def test_the_command_field(encoded, field):
    assert command_field(encoded) == field


def test_the_peers_order_of_transfer_syntaxes_is_kept():
    requested = [build_context(CT, ["1.2.3", EXPLICIT, IMPLICIT]), build_context(CT, ["1.2.840.10008.1.2.4.90"])]
    (accepted,) = accepted_storage(requested)
    assert accepted.transfer_syntax == [EXPLICIT, IMPLICIT, "1.2.840.10008.1.2.4.90"]


def test_every_storage_class_that_pynetdicom_knows_is_taken():
    from pynetdicom import ALL_TRANSFER_SYNTAXES
    from pynetdicom.sop_class import _STORAGE_CLASSES

    refused = {name for name, uid in _STORAGE_CLASSES.items() if not is_storage_class(str(uid))}
    assert refused == set()
    # Pixels to be fetched from elsewhere (JPIP), and video streams that are no data sets (SMPTE).
    assert {str(syntax) for syntax in ALL_TRANSFER_SYNTAXES if not is_readable_syntax(str(syntax))} == {
        *(f"1.2.840.10008.1.2.4.{number}" for number in (94, 95, 204, 205)),
        *(f"1.2.840.10008.1.2.7.{number}" for number in (1, 2, 3)),
    }


# ---------------------------------------------------------------- limits of a listener


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Callable[..., Listener]]:
    started: list[Listener] = []

    def start(**settings: object) -> Listener:
        listener = Listener(ListenerSettings(tmp_path / "incoming", port=0, **settings), Index())  # type: ignore[arg-type]
        listener.start()
        started.append(listener)
        return listener

    yield start
    for listener in started:
        listener.stop()


def test_associations_count_and_silent_connections_do_not(listen):
    port = listen(maximum_associations=3).port
    silent = [Peer(port) for _ in range(20)]
    open_ones = [Peer(port) for _ in range(3)]
    for connection in open_ones:
        connection.associate()
    with peer(port) as surplus:
        surplus.send(association_request())
        kind, content = surplus.read_pdu()
        assert (kind, content[1:]) == (3, bytes((2, 3, 2)))  # transient, presentation provider, local limit exceeded
    open_ones.pop().close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            echo_seconds(port)
            break
        except AssertionError:
            time.sleep(0.05)
    else:
        pytest.fail("the place of an association that ended was not given away again")
    for connection in (*silent, *open_ones):
        connection.close()


@pytest.mark.parametrize("excess", [0, 1])
def test_a_data_set_may_be_as_long_as_the_limit(tmp_path, listen, excess):
    content = bytes(in_file_bytes(ct_image(0), EXPLICIT))
    listener = listen(maximum_data_set_size=len(content) - excess)
    with peer(listener.port) as connection:
        connection.associate(context_of(3, CT, EXPLICIT))
        connection.send(p_data((3, 3, store_command(ct_image(0).SOPInstanceUID))))
        connection.send(p_data((3, 0, content[:700]), (3, 2, content[700:])))
        if excess:
            assert connection.read_pdu()[0] == 7
        else:
            assert connection.status() == 0
    assert len(files_of(tmp_path / "incoming")) == 1 - excess
    refused = listener._sink.refused
    assert [type(entry.error).__name__ for entry in refused] == ["ExceedsLimit"] * excess


def test_a_unit_that_stops_in_the_middle_ends_the_association_in_time(tmp_path, listen):
    port = listen(network_timeout_s=0.5).port
    with peer(port) as connection:
        connection.associate()
        connection.send(p_data((3, 3, store_command())))
        connection.send(p_data((3, 0, bytes(1000)))[:500])
        begin = time.monotonic()
        assert connection.closed_within(5)
        assert 0.3 < time.monotonic() - begin < 4
    deadline = time.monotonic() + 5
    while files_of(tmp_path / "incoming") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert files_of(tmp_path / "incoming") == []


def test_the_oldest_silent_connection_makes_room(listen):
    port = listen().port
    first = Peer(port)
    time.sleep(0.2)
    others = [Peer(port) for _ in range(64)]
    assert first.closed_within(3)
    assert not others[-1].closed_within(0.3)
    for connection in (first, *others):
        connection.close()


def test_a_listener_stops_beside_silent_connections(listen):
    listener = listen()
    silent = [Peer(listener.port) for _ in range(5)]
    time.sleep(0.2)
    begin = time.monotonic()
    listener.stop()
    assert time.monotonic() - begin < 3
    assert all(connection.closed_within(1) for connection in silent)


def test_a_request_that_is_taken_back_at_once_ends_no_thread_with_a_fault(listen, monkeypatch):
    """The answer to a request meets an association that its peer has ended meanwhile."""
    died: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: died.append(failure.exc_type.__name__))
    port = listen().port
    for _ in range(60):
        with peer(port) as connection:
            connection.send(association_request() + p_data((1, 3, b"")) + association_request())
    assert echo_seconds(port) < 5
    assert died == []


def test_the_connection_of_an_association_that_failed_is_closed(listen, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _failure: None)
    port = listen().port
    with monkeypatch.context() as fault:
        fault.setattr(acse.ACSE, "_negotiate_as_acceptor", lambda _self: 1 / 0)
        with peer(port) as connection:
            connection.send(association_request())
            assert connection.closed_within(3)
    assert echo_seconds(port) < 5


# ---------------------------------------------------------------- a hostile destination


ANSWERS = {
    "a unit of four gibibytes": struct.pack(">BxL", 2, (1 << 32) - 1) + bytes(1000),
    "items without end": struct.pack(">BxL", 2, MIB) + bytes(MIB),
    "rubbish": b"HTTP/1.1 400 Bad Request\r\n\r\n",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_destination_that_answers_with_too_much(answer):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(100_000)
                connection.sendall(answer)
                connection.settimeout(5)
                with contextlib.suppress(OSError):
                    while connection.recv(1000):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        begin = time.monotonic()
        with pytest.raises(DeliveryFailed):
            echo(Destination("pacs", "PACS", "127.0.0.1", listening.getsockname()[1]))
        assert time.monotonic() - begin < 3
        thread.join()
