"""A failure of the file system is outside of us, and said in words that help."""

import errno
import os

import pytest

from tumorresp.domain.disk_failures import disk_failure, is_of_the_disk, raise_if_of_the_disk
from tumorresp.domain.errors import OutOfResources, OutsideFailure


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, OutOfResources, "full"),
        (errno.EDQUOT, OutOfResources, "full"),
        (errno.EFBIG, OutOfResources, "full"),
        (errno.ENOENT, OutsideFailure, "not there"),
        (errno.ENOTDIR, OutsideFailure, "not there"),
        (errno.EACCES, OutsideFailure, "may not be read"),
        (errno.EPERM, OutsideFailure, "may not be read"),
        (errno.EROFS, OutsideFailure, "may not be read"),
        (errno.ESTALE, OutsideFailure, "Stale file handle"),
        (errno.EIO, OutsideFailure, "Input/output error"),
        (errno.ETIMEDOUT, OutsideFailure, "timed out"),
        (errno.EMFILE, OutsideFailure, "Too many open files"),
    ],
)
def test_every_failure_of_the_disk_may_pass(number: int, kind: type[OutsideFailure], words: str) -> None:
    error = OSError(number, os.strerror(number), "/data/incoming/ab/cd.dcm")
    assert is_of_the_disk(error)
    found = disk_failure(error)
    assert type(found) is kind
    assert words in found.message
    assert found.where == "cd.dcm"  # without the folders above it
    assert disk_failure(error, "incoming").where == "incoming"
    assert found.dimse_status == 0xA700


def test_what_libraries_raise_over_broken_images_is_not_of_the_disk() -> None:
    broken = [OSError("broken data stream"), OSError(errno.EINVAL, "negative seek"), ValueError("bad")]
    for error in broken:
        assert not is_of_the_disk(error)
        raise_if_of_the_disk(error)
    with pytest.raises(FileNotFoundError):
        raise_if_of_the_disk(FileNotFoundError(errno.ENOENT, "no such file"))
