import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models import weight_download
from models.registry import RegisteredWeights, registered
from models.weight_download import pull, pull_weights
from models.weights import WeightsState, status, verify_weights
from tumorresp.domain.errors import InvalidWeights, OutOfResources, OutsideFailure, WeightsNotFound

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """A file server whose habits a test sets; it remembers the requests."""

    address: str = ""
    content: bytes = CONTENT
    etag: str | None = '"v1"'
    ranges: bool = True
    cut_after: int | None = None
    chunked: bool = False
    status: int | None = None
    content_type: str = "application/octet-stream"
    content_range: str | None = None
    requests: list[dict[str, str]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: Server

    def do_GET(self) -> None:
        self.served.requests.append(dict(self.headers.items()))
        self.close_connection = True
        if self.path.endswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/file")
            self.send_header("Connection", "close")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.served.status is not None:
            self.send_error(self.served.status)
            return
        start = self._asked_start()
        if start is not None and start >= len(self.served.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(self.served.content)}")
            self.send_header("Connection", "close")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(self.served.content[start or 0 :], start)

    def _asked_start(self) -> int | None:
        asked = self.headers.get("Range")
        version = self.headers.get("If-Range")
        if asked is None or not self.served.ranges or (version is not None and version != self.served.etag):
            return None
        return int(asked.removeprefix("bytes=").rstrip("-"))

    def _send(self, body: bytes, start: int | None) -> None:
        size = len(self.served.content)
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", self.served.content_range or f"bytes {start}-{size - 1}/{size}")
        if self.served.etag is not None:
            self.send_header("ETag", self.served.etag)
        self.send_header("Content-Type", self.served.content_type)
        self.send_header("Connection", "close")
        if self.served.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            body = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.served.cut_after is None else body[: self.served.cut_after])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    handler = type("BoundHandler", (Handler,), {"served": served})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        served.address = f"http://127.0.0.1:{http.server_port}"
        yield served
        http.shutdown()
        thread.join()


def entry(server: Server, *, sha256: str | None = SHA256, path: str = "/file") -> RegisteredWeights:
    return replace(registered("lite-medsam"), address=server.address + path, sha256=sha256)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def start_part(folder: Path, length: int, *, content: bytes = CONTENT, etag: str | None = '"v1"') -> None:
    (folder / "lite_medsam.pth.part").write_bytes(content[:length])
    if etag is not None:
        (folder / "lite_medsam.pth.part.etag").write_text(etag)


def test_a_file_is_downloaded_checked_and_recorded(server: Server, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    folder = tmp_path / "new" / "models"
    pulled = pull_weights(entry(server, path="/moved"), folder, progress=lambda *step: steps.append(step))
    assert (pulled.state, pulled.sha256, pulled.size_bytes) == (WeightsState.OFFICIAL, SHA256, len(CONTENT))
    assert pulled.path.read_bytes() == CONTENT
    assert files(folder) == ["lite_medsam.pth", "lite_medsam.pth.json"]
    record = json.loads((folder / "lite_medsam.pth.json").read_text())
    assert record["sha256"] == SHA256
    assert record["source"] == server.address + "/moved"
    assert steps[0] == ("lite_medsam.pth", 0, len(CONTENT))
    assert steps[-1] == ("lite_medsam.pth", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)


def test_a_file_that_is_there_is_verified_and_not_fetched(server: Server, tmp_path: Path) -> None:
    weights = entry(server)
    (tmp_path / weights.file_name).write_bytes(CONTENT)
    assert pull_weights(weights, tmp_path).state == WeightsState.OFFICIAL
    (tmp_path / weights.file_name).write_bytes(CONTENT + b"!")
    with pytest.raises(InvalidWeights, match="expected"):
        pull_weights(weights, tmp_path)
    assert server.requests == []


def test_a_cut_connection_keeps_what_came_and_the_next_pull_continues(server: Server, tmp_path: Path) -> None:
    server.cut_after = 300_000
    with pytest.raises(OutsideFailure, match=rf"cut after \d+ of {len(CONTENT)} bytes.*same command again"):
        pull_weights(entry(server), tmp_path)
    kept = (tmp_path / "lite_medsam.pth.part").stat().st_size
    assert 0 < kept <= 300_000
    assert status(entry(server), tmp_path).state == WeightsState.PARTIAL
    server.cut_after = None
    steps: list[tuple[str, int, int]] = []
    pulled = pull_weights(entry(server), tmp_path, progress=lambda *step: steps.append(step))
    assert pulled.path.read_bytes() == CONTENT
    assert server.requests[-1]["Range"] == f"bytes={kept}-"
    assert server.requests[-1]["If-Range"] == '"v1"'
    assert steps[0] == ("lite_medsam.pth", kept, len(CONTENT))
    assert files(tmp_path) == ["lite_medsam.pth", "lite_medsam.pth.json"]


def test_a_cut_chunked_answer_is_noticed(server: Server, tmp_path: Path) -> None:
    server.chunked, server.cut_after = True, 300_000
    with pytest.raises(OutsideFailure, match=r"cut after \d+ bytes"):
        pull_weights(entry(server), tmp_path)
    server.cut_after = None
    assert pull_weights(entry(server), tmp_path).sha256 == SHA256


def test_a_server_that_ignores_ranges_is_read_from_the_beginning(server: Server, tmp_path: Path) -> None:
    start_part(tmp_path, 1000)
    server.ranges = False
    assert pull_weights(entry(server), tmp_path).path.read_bytes() == CONTENT
    assert "Range" in server.requests[0]
    assert len(server.requests) == 1


def test_a_file_that_changed_on_the_server_is_read_from_the_beginning(server: Server, tmp_path: Path) -> None:
    start_part(tmp_path, 1000, content=b"an older version" * 1000, etag='"v0"')
    assert pull_weights(entry(server, sha256=None), tmp_path).path.read_bytes() == CONTENT


def test_without_version_and_hash_nothing_is_continued(server: Server, tmp_path: Path) -> None:
    start_part(tmp_path, 1000, content=b"perhaps another file" * 1000, etag=None)
    assert pull_weights(entry(server, sha256=None), tmp_path).path.read_bytes() == CONTENT
    assert "Range" not in server.requests[0]


@pytest.mark.parametrize("etag", ['W/"weak"', None])
def test_a_weak_version_is_not_relied_on(server: Server, tmp_path: Path, etag: str | None) -> None:
    server.etag, server.cut_after = etag, 300_000
    for _ in range(2):
        with pytest.raises(OutsideFailure):
            pull_weights(entry(server, sha256=None), tmp_path)
    assert all("Range" not in request for request in server.requests)


def test_a_part_that_is_whole_already_is_only_checked(server: Server, tmp_path: Path) -> None:
    start_part(tmp_path, len(CONTENT))
    assert pull_weights(entry(server), tmp_path).sha256 == SHA256
    assert len(server.requests) == 1


def test_a_part_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    start_part(tmp_path, len(CONTENT) + 10, content=CONTENT + bytes(10))
    assert pull_weights(entry(server), tmp_path).path.read_bytes() == CONTENT
    assert "Range" not in server.requests[1]


@pytest.mark.parametrize("content_range", ["bytes 0-9/10", "nonsense"])
def test_a_range_that_was_not_asked_for_is_not_used(server: Server, tmp_path: Path, content_range: str) -> None:
    start_part(tmp_path, 1000)
    server.content_range = content_range
    assert pull_weights(entry(server), tmp_path).path.read_bytes() == CONTENT
    assert len(server.requests) == 2


@pytest.mark.parametrize("kept", [0, 1000])
def test_another_hash_than_the_registered_is_refused_and_thrown_away(server: Server, tmp_path: Path, kept: int) -> None:
    if kept:
        start_part(tmp_path, kept)
    server.content = CONTENT[:-1] + b"?"
    actual = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(InvalidWeights, match=f"{actual}, expected {SHA256}.*thrown away"):
        pull_weights(entry(server), tmp_path)
    assert files(tmp_path) == []


def test_without_a_registered_hash_the_first_one_is_trusted_and_held_to(server: Server, tmp_path: Path) -> None:
    weights = entry(server, sha256=None)
    pulled = pull_weights(weights, tmp_path)
    assert (pulled.state, pulled.sha256) == (WeightsState.RECORDED, SHA256)
    assert verify_weights(weights, tmp_path).sha256 == SHA256
    pulled.path.write_bytes(CONTENT[::-1])
    with pytest.raises(InvalidWeights, match="recorded when it came"):
        verify_weights(weights, tmp_path)


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_file_that_the_server_does_not_have_is_to_be_got_by_hand(server: Server, tmp_path: Path, code: int) -> None:
    server.status = code
    with pytest.raises(WeightsNotFound, match=rf"HTTP {code}.*github\.com.*tumorresp models add FILE"):
        pull_weights(entry(server), tmp_path)
    assert files(tmp_path) == []


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_in_trouble_is_to_be_asked_again(server: Server, tmp_path: Path, code: int) -> None:
    start_part(tmp_path, 1000)
    server.status = code
    with pytest.raises(OutsideFailure, match=f"HTTP {code}.*same command again"):
        pull_weights(entry(server), tmp_path)
    assert (tmp_path / "lite_medsam.pth.part").stat().st_size == 1000


def test_a_web_page_in_place_of_the_file_is_refused(server: Server, tmp_path: Path) -> None:
    server.content, server.content_type = b"<html>Log in</html>", "text/html; charset=utf-8"
    with pytest.raises(OutsideFailure, match="web page"):
        pull_weights(entry(server, sha256=None), tmp_path)
    assert files(tmp_path) == []


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    weights = replace(registered("lite-medsam"), address=f"http://127.0.0.1:{port}/file")
    with pytest.raises(OutsideFailure, match="cannot be reached"):
        pull_weights(weights, tmp_path)


def test_weights_without_an_address_are_got_by_hand(tmp_path: Path) -> None:
    weights = replace(registered("lite-medsam"), address=None)
    with pytest.raises(WeightsNotFound, match=r"Get lite_medsam\.pth at https://github\.com.*models add FILE"):
        pull_weights(weights, tmp_path)


def test_a_full_disk_is_said(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weight_download, "sha256_of", full)
    with pytest.raises(OutOfResources, match="No space left on device"):
        pull_weights(entry(server), tmp_path)
    assert (tmp_path / "lite_medsam.pth.part").exists()


def test_pulling_by_name_uses_the_registry(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.registry.REGISTRY", (entry(server),))
    assert pull("lite-medsam", tmp_path).state == WeightsState.OFFICIAL
    with pytest.raises(WeightsNotFound, match="'medsam'"):
        pull("medsam", tmp_path)
