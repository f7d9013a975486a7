"""Temporary folders that do not outlive the process that made them, or not for long."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pglab.servers.locks import FileLock

_PREFIX, _NEW = "kit-grading-", "kit-unlocked-"
_LOCK = "owner.lock"


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that only this user can enter, removed at the end.

    Its owner holds a lock on a file in it for as long as it lives; so what a killed process left is
    known by that nobody holds it, and is removed by whoever comes next.
    """
    place = Path(tempfile.gettempdir())
    _sweep(place)
    new = Path(tempfile.mkdtemp(prefix=_NEW, dir=place))
    lock = FileLock(new / _LOCK)
    try:
        lock.acquire()
        folder = place / new.name.replace(_NEW, _PREFIX)
        new.rename(folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _sweep(place: Path) -> None:
    """Remove the folders of this user whose owners have ended."""
    for folder in place.glob(_PREFIX + "*"):
        lock = FileLock(folder / _LOCK)
        with contextlib.suppress(OSError):  # somebody else is removing it
            if _is_ours(folder) and lock.acquire(wait=False):
                shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _is_ours(folder: Path) -> bool:
    status = folder.lstat()
    if folder.is_symlink() or not folder.is_dir():
        return False
    return sys.platform == "win32" or status.st_uid == os.geteuid()
