"""Where the checker that stays ready is met: a socket in a folder that only its user may enter."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import struct
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_FOLDER, _SOCKET = "standby", "socket"
_PACKAGES = ("grader", "kit", "pglab")
_SETTINGS = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "LANG", "LC_ALL", "KIT_WARM")
"""What of the environment takes effect before a check says in which one it is to run."""
_BACKLOG = 16


def folder(home: Path) -> Path:
    """The folder, made if need be.

    Raises:
        OSError: it cannot be had, or others may enter it.
    """
    place = home / _FOLDER
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o700)
    return place


def connect(place: Path) -> socket.socket | None:
    """A connection to the checker of this folder; None where there is none.

    Raises:
        OSError: the folder is not ours alone, or whoever answers is another user.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(place) as address:
            connection.connect(address)
        refuse_others(connection)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    return connection


def listen(place: Path) -> socket.socket:
    """A socket for a new checker, in place of one that a dead checker left.

    Raises:
        OSError: it cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(place) as address:
            Path(address).unlink(missing_ok=True)
            listener.bind(address)
            listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def refuse_others(connection: socket.socket) -> None:
    """Raise `PermissionError` where the other side is not a process of this user (unix(7))."""
    if sys.platform == "linux":
        credentials = connection.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
        )
        if struct.unpack("3i", credentials)[1] != os.geteuid():
            raise PermissionError("The other side of the socket is another user.")


Identity = tuple[int, int, int]


def identity(place: Path) -> Identity | None:
    """What tells this folder's socket from one that another checker made later, which may have got
    the same number.
    """
    try:
        status = (place / _SOCKET).lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns


def remove(place: Path, mine: Identity | None) -> None:
    """Remove the socket, if it still is this one."""
    if mine is not None and identity(place) == mine:
        with contextlib.suppress(OSError):
            (place / _SOCKET).unlink()


def fingerprint() -> str:
    """Changes with the kit's own files, with what is installed, and with the settings that a
    checker has from the beginning to its end.
    """
    source = Path(__file__).resolve().parents[2]
    told: list[object] = [sys.executable, sys.version, shutil.which("bwrap")]
    told += [os.environ.get(name) for name in _SETTINGS]
    for installed in sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}):
        with contextlib.suppress(OSError):
            told.append(os.stat(installed).st_mtime_ns)
    for package in _PACKAGES:
        told += sorted(_files(source / package))
    return hashlib.sha256(repr(told).encode(errors="surrogateescape")).hexdigest()


def _files(directory: Path) -> Iterator[tuple[str, int, int]]:
    for where, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = os.path.join(where, name)
            with contextlib.suppress(OSError):
                status = os.stat(path)
                yield path, status.st_mtime_ns, status.st_size


@contextlib.contextmanager
def _address(place: Path) -> Iterator[str]:
    """The socket's address by way of an open folder: short however long the folder's own path is,
    and of the very folder that was looked at.
    """
    opened = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(opened)
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise PermissionError(f"{place} is open to other users, so the kit does not use it.")
        yield f"/proc/self/fd/{opened}/{_SOCKET}"
    finally:
        os.close(opened)
