"""``tumorresp send``: files from disk to a DICOM node."""

from collections.abc import Sequence
from pathlib import Path

from dicom_node.file_scan import scan
from dicom_node.sender import Destination, send
from tumorresp.domain.errors import InvalidSettings, Missing
from tumorresp.ports import Progress
from tumorresp.service.settings import Settings

_BATCH = 50


def send_files(
    inputs: Sequence[Path],
    settings: Settings,
    to: str | None,
    host: str | None,
    port: int,
    ae_title: str,
    progress: Progress,
) -> int:
    """Send every DICOM file below some paths, and return how many there were.

    Parameters
    ----------
    to
        Name of a destination of the settings; or give ``host``, ``port`` and ``ae_title``.

    Raises
    ------
    InvalidSettings
        If no destination is named, or one that is not known.
    Missing
        If there is no DICOM file.
    DeliveryFailed
        If the destination does not take everything.
    """
    destination = _destination(settings, to, host, port, ae_title)
    paths = [file.path for file in scan(inputs).files if file.header is not None]
    if not paths:
        raise Missing("there is no DICOM file to send.", where=", ".join(path.name for path in inputs))
    for start in range(0, len(paths), _BATCH):
        progress("Sending", start, len(paths))
        send(paths[start : start + _BATCH], destination)
    return len(paths)


def _destination(settings: Settings, to: str | None, host: str | None, port: int, ae_title: str) -> Destination:
    if host is not None:
        return Destination(host, ae_title, host, port, calling_ae_title=settings.ae_title)
    for item in settings.destinations:
        if item.name == to:
            return Destination(item.name, item.ae_title, item.host, item.port, calling_ae_title=settings.ae_title)
    known = ", ".join(item.name for item in settings.destinations) or "none"
    raise InvalidSettings(f"say where to: --to NAME (known: {known}) or --host, --port and --ae-title.", where="send")
