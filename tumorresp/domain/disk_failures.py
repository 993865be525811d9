"""What a failure of the file system means: something outside this process, that trying again may mend."""

import errno
from pathlib import Path

from tumorresp.domain.errors import OutOfResources, OutsideFailure

_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR))
_FORBIDDEN = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))


def disk_failure(error: OSError, where: str = "") -> OutsideFailure:
    """Return an error of the operating system as an error of the tree.

    Parameters
    ----------
    where
        What it is about; empty: the name of the error's file, which in our folders is a hash or a UID.
    """
    place = where or (Path(error.filename).name if isinstance(error.filename, str) else "")
    if error.errno in _FULL:
        return OutOfResources("the disk is full.", where=place, remedy="Free space; it is tried again.")
    if error.errno in _ABSENT:
        return OutsideFailure(
            "a file of the data folder is not there.",
            where=place,
            remedy="See that the data folder is mounted, and the same for every service of one database.",
        )
    if error.errno in _FORBIDDEN:
        return OutsideFailure(
            "a file of the data folder may not be read or written.",
            where=place,
            remedy="See that the service's user owns the data folder, and that it is not mounted read-only.",
        )
    reason = error.strerror or type(error).__name__
    return OutsideFailure(
        f"the file system failed: {reason}.", where=place, remedy="See that the data folder's file system is well."
    )


def is_of_the_disk(error: BaseException) -> bool:
    """Return whether an error says something of the disk, and not of what is on it.

    Libraries raise `OSError` over broken images, too: without a number, or with EINVAL for an offset before the file.
    """
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


def raise_if_of_the_disk(error: BaseException) -> None:
    """Let an error of the disk go on up, where everything that a file can do wrong is caught.

    Raises
    ------
    OSError
        The error itself.
    """
    if is_of_the_disk(error):
        raise error
