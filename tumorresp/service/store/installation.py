"""Whether all services of one database have one data folder: a mark in the folder whose name is in the database.

The index names received files by their paths. A service that does not see them under the same paths cannot evaluate
what another one received.
"""

import contextlib
import os
import uuid
from pathlib import Path

from tumorresp.domain.disk_failures import disk_failure
from tumorresp.domain.errors import InvalidSettings
from tumorresp.service.store.ledger import Ledger
from tumorresp.service.store.models import InstallationRow

MARK_FILE = "installation"
_ONLY = 1
_REMEDY = "Mount the data folder of the other services here, under the same path, and name it in TUMORRESP_DATA_DIR."


class Installation(Ledger):
    """The one data folder of a database."""

    def join_installation(self, folder: Path) -> None:
        """Make a folder the data folder of this database, or check that it is.

        Raises
        ------
        InvalidSettings
            If the database's other services have another data folder, or see it under another path.
        OutsideFailure
            If the folder's mark cannot be read or made.
        """
        place = os.path.abspath(folder)  # noqa: PTH100  links stay: the path is compared as everybody writes it
        known = self._known_installation()
        try:
            mark = _read_mark(folder) if known else _read_mark(folder) or _make_mark(folder)
        except OSError as error:
            raise disk_failure(error) from error
        if not known:
            with self._database.write() as session:
                self._database.insert_if_absent(session, InstallationRow, key=_ONLY, mark=mark, folder=place)
            known = self._known_installation()
        if known is None or mark != known[0]:
            raise InvalidSettings(
                "the data folder is not that of the other services of this database.", where="data_dir", remedy=_REMEDY
            )
        if place != known[1]:
            raise InvalidSettings(
                f"the other services of this database have the data folder under another path: {known[1]}.",
                where="data_dir",
                remedy=_REMEDY,
            )

    def _known_installation(self) -> tuple[str, str] | None:
        """Return the mark and the path that the first service had."""
        with self._database.read() as session:
            row = session.get(InstallationRow, _ONLY)
            return (row.mark, row.folder) if row is not None else None


def _read_mark(folder: Path) -> str:
    """Return the mark of a folder; empty without one."""
    with contextlib.suppress(FileNotFoundError):
        return (folder / MARK_FILE).read_text("utf-8").strip()
    return ""


def _make_mark(folder: Path) -> str:
    """Mark a folder and return its mark: that of the one who came first, when two do it at once."""
    draft = folder / f"{MARK_FILE}.{uuid.uuid4().hex}"
    with draft.open("w", encoding="utf-8") as file:
        file.write(f"{uuid.uuid4()}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, folder / MARK_FILE)
    except FileExistsError:
        pass
    except OSError:  # a file system without links; two at once would be told apart by the database
        draft.replace(folder / MARK_FILE)
    finally:
        draft.unlink(missing_ok=True)
    return _read_mark(folder)
