"""Downloading a weights file when asked: resumed where it stopped, checked, and put in place in one step."""

import re
from pathlib import Path

import httpx
import structlog

from models.registry import RegisteredWeights, registered
from models.segmenter_identity import sha256_of
from models.weights import WeightsStatus, how_to_get, part_path, status, store, verify_weights
from tumorresp.domain.errors import InvalidWeights, OutOfResources, OutsideFailure, WeightsNotFound
from tumorresp.ports import Progress

_TIMEOUT = httpx.Timeout(30.0, read=60.0)
_CHUNK_BYTES = 1 << 18
_AGAIN = "Run the same command again; it continues where it stopped."


def pull(name: str, model_dir: Path, *, progress: Progress | None = None) -> WeightsStatus:
    """Download registered weights into the model folder; a file that is there already is only verified.

    Where the registry knows no hash, the hash of this first download is recorded and every later check compares with
    it ("trust on first use"): the returned state is then ``RECORDED``, and the hash should be shown to the person.

    Parameters
    ----------
    progress
        Called with (file name, bytes done, bytes in all; 0 where the server does not say).

    Raises
    ------
    WeightsNotFound
        If the name is unknown, has no download address, or the server does not have the file.
    InvalidWeights
        If the hash is not the registered one; the download is thrown away.
    OutsideFailure
        If the server cannot be reached, the connection is cut, or the answer makes no sense; what came is kept.
    OutOfResources
        If the folder cannot be written.
    """
    return pull_weights(registered(name), model_dir, progress=progress)


def pull_weights(weights: RegisteredWeights, model_dir: Path, *, progress: Progress | None = None) -> WeightsStatus:
    """Download one entry of a registry; see :func:`pull`."""
    path = model_dir / weights.file_name
    if path.is_file():
        return verify_weights(weights, model_dir)
    if weights.address is None:
        raise WeightsNotFound(
            f"there is no direct download address for the weights {weights.name!r}.", remedy=how_to_get(weights)
        )
    part = part_path(path)
    try:
        model_dir.mkdir(parents=True, exist_ok=True)
        _download(weights, weights.address, part, progress or _show_nothing)
        actual = sha256_of(part)
        if weights.sha256 is not None and actual != weights.sha256:
            _forget(part)
            raise InvalidWeights(
                f"the downloaded file's SHA-256 is {actual}, expected {weights.sha256}; it was thrown away.",
                where=weights.file_name,
                remedy=f"Pull it again; if it stays so, get it at {weights.page} and run `tumorresp models add FILE`.",
            )
        if weights.sha256 is None:
            structlog.get_logger().warning("weights_trusted_on_first_use", weights=weights.name, sha256=actual)
        store(part, path, weights, actual, weights.address)
        _forget(part)
    except OSError as failure:
        raise OutOfResources(
            f"the model folder cannot be written ({failure.strerror}).",
            where=part.name,
            remedy="Free some space, or name another folder with TUMORRESP_MODEL_DIR.",
        ) from failure
    return status(weights, model_dir)


def _show_nothing(what: str, done: int, total: int) -> None:
    """Take progress and show nothing."""


def _download(weights: RegisteredWeights, address: str, part: Path, progress: Progress) -> None:
    """Complete the part of a file, from its end where the server can, else from the beginning."""
    with httpx.Client(follow_redirects=True, timeout=_TIMEOUT) as client:
        if _fetch(client, weights, address, part, progress):
            return
        # What was kept does not fit what the server has now.
        _forget(part)
        if not _fetch(client, weights, address, part, progress):
            raise OutsideFailure("the server gives other bytes than were asked for.", where=weights.file_name)


def _fetch(client: httpx.Client, weights: RegisteredWeights, address: str, part: Path, progress: Progress) -> bool:
    """Fetch what is missing; False when the kept part and the server's answer do not fit together."""
    kept, headers = _resumption(weights, part)
    done, total = kept, 0
    try:
        with client.stream("GET", address, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and kept:
                return response.headers.get("Content-Range") == f"bytes */{kept}"
            _refuse_other_answers(response, weights)
            if response.status_code == httpx.codes.PARTIAL_CONTENT:
                span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
                if span is None or int(span[1]) != kept:
                    return False
                total = int(span[2])
            else:
                done, total = 0, int(response.headers.get("Content-Length", 0))
                _remember_version(part, response.headers.get("ETag", ""))
            with part.open("ab" if done else "wb") as file:
                progress(weights.file_name, done, total)
                for chunk in response.iter_raw(_CHUNK_BYTES):
                    file.write(chunk)
                    done += len(chunk)
                    progress(weights.file_name, done, total)
    except httpx.RequestError as failure:
        raise _connection_failure(weights, failure, done, total) from failure
    if total and done != total:
        raise _connection_failure(weights, None, done, total)
    return True


def _resumption(weights: RegisteredWeights, part: Path) -> tuple[int, dict[str, str]]:
    """Return how many bytes of the kept part can be built on, and the request headers that ask for the rest."""
    headers = {"Accept-Encoding": "identity"}
    kept = part.stat().st_size if part.is_file() else 0
    version = _version_path(part).read_text(encoding="ascii") if _version_path(part).is_file() else ""
    # Without the file's version or its hash nothing would show that the rest is of another file.
    if not kept or not (version or weights.sha256):
        return 0, headers
    headers["Range"] = f"bytes={kept}-"
    if version:
        headers["If-Range"] = version
    return kept, headers


def _refuse_other_answers(response: httpx.Response, weights: RegisteredWeights) -> None:
    status_code = response.status_code
    if status_code in (401, 403, 404, 410):
        raise WeightsNotFound(
            f"the server does not give out the file (HTTP {status_code}).",
            where=weights.file_name,
            remedy=f"Get it at {weights.page} and run `tumorresp models add FILE`.",
        )
    if status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise OutsideFailure(f"the server answered HTTP {status_code}.", where=weights.file_name, remedy=_AGAIN)
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise OutsideFailure(
            "the server sent a web page in place of the file.",
            where=weights.file_name,
            remedy=f"Get the file at {weights.page} and run `tumorresp models add FILE`.",
        )


def _connection_failure(
    weights: RegisteredWeights, failure: httpx.RequestError | None, done: int, total: int
) -> OutsideFailure:
    if isinstance(failure, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        return OutsideFailure(
            f"the server cannot be reached ({failure}).",
            where=weights.file_name,
            remedy=f"Check the network, or get the file at {weights.page} and run `tumorresp models add FILE`.",
        )
    of_all = f" of {total}" if total else ""
    return OutsideFailure(f"the connection was cut after {done}{of_all} bytes.", where=weights.file_name, remedy=_AGAIN)


def _version_path(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _remember_version(part: Path, etag: str) -> None:
    """Keep the server's version of a file; a weak one promises too little (RFC 9110, 13.1.5) and is not kept."""
    if etag.startswith('"') and etag.isascii():
        _version_path(part).write_text(etag, encoding="ascii")
    else:
        _version_path(part).unlink(missing_ok=True)


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _version_path(part).unlink(missing_ok=True)
