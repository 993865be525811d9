"""Nagle's algorithm off: a small packet that waits for an acknowledgement costs 40 ms an image."""

import socket

from pynetdicom import evt
from pynetdicom.events import Event


def _switch_off(event: Event) -> None:
    connection = event.assoc.dul.socket.socket
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


SEND_WITHOUT_DELAY = (evt.EVT_CONN_OPEN, _switch_off)
"""Event handler for both sides of an association."""
