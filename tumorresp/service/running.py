"""The running service: listener, durable engine and status API in one process."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import structlog
import uvicorn

from tumorresp.domain.errors import OutsideFailure
from tumorresp.service.settings import Settings
from tumorresp.service.web.app import create_app
from tumorresp.service.wiring import Service, build_service

_log = structlog.get_logger()
_API_PORT_TRIES = 20


@contextlib.contextmanager
def running_service(settings: Settings) -> Iterator[Service]:
    """Run everything until the context ends; what is under way then goes on at the next start.

    Raises
    ------
    InvalidSettings
        If another service uses the same data folder.
    OutsideFailure
        If the listener's port is taken, or no free port is found for the API.
    """
    with contextlib.ExitStack() as stack:
        service = build_service(settings)
        stack.callback(service.store.close)
        stack.enter_context(service.engine)
        stack.enter_context(service.listener)
        port = stack.enter_context(_api(service, settings))
        _log.info("running", listener=settings.listen_port, ae_title=settings.ae_title, api=port)
        (settings.data_dir / "api-address").write_text(f"http://{settings.api_host}:{port}", "utf-8")
        yield service


@contextlib.contextmanager
def _api(service: Service, settings: Settings) -> Iterator[int]:
    socket_ = _bind(settings.api_host, settings.api_port)
    app = create_app(
        service.store, settings.data_dir / "work" / "results", service.engine.evaluate_again, service.storage.state
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket_]}, name="status-api", daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.02)
    try:
        yield int(socket_.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        socket_.close()


def _bind(host: str, wanted: int) -> socket.socket:
    """Bind the wanted port, or the next free one."""
    for port in range(wanted, wanted + _API_PORT_TRIES if wanted else 1):
        candidate = socket.socket()
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            candidate.close()
            continue
        candidate.listen(128)
        return candidate
    raise OutsideFailure(
        f"no free TCP port from {wanted} on.", where="api_port", remedy="Name another with TUMORRESP_API_PORT."
    )
