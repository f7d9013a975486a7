"""Where the kit keeps servers: below its home, or beside it where the server could not enter."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from pglab.errors import ServerStartError
from pglab.servers.account import Account

__all__ = [
    "LONGEST_SOCKET_PATH",
    "SOCKET_NAME",
    "abandoned_places",
    "cache_place",
    "scratch_place",
    "scratch_places",
    "server_place",
    "socket_place",
    "temporary_place",
]


LONGEST_SOCKET_PATH = 103
"""Bytes of a Unix socket's path that every system takes: Linux has 107, macOS and the BSDs 103."""
SOCKET_NAME = ".s.PGSQL.5432"
_BESIDE, _HOME = "kit-home-", "home"
_MEMORY = Path("/dev/shm")  # noqa: S108
_GB = 1 << 30


def server_place(home: Path, account: Account) -> Path:
    """The directory for what the durable server of this home keeps, made if it is missing.

    It is ``home/postgres``. Root's home is usually closed to others, and then the server, which
    runs as another account, could not reach its own data: the place is then a directory in
    ``/var/lib`` (in the temporary directory for a home that is itself temporary) named after home.

    Raises:
        ServerStartError: the directory cannot be made or written.
    """
    home = home.expanduser().absolute()
    if home.exists() and not home.is_dir():
        raise ServerStartError(
            f"The kit's home {home} is not a directory. Remove it, or name another place with the "
            "environment variable KIT_HOME."
        )
    if not account.other or account.can_enter(home):
        return _own_directory(home / "postgres", account)
    name = f"{_BESIDE}{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
    temporary = [place for place in scratch_places(account) if place in home.resolve().parents]
    place = _own_directory((temporary[0] if temporary else Path("/var/lib")) / name, account)
    home.mkdir(parents=True, exist_ok=True)  # the place lives as long as its home is there
    (place / _HOME).write_bytes(os.fsencode(home))
    return place


def cache_place(home: Path, account: Account) -> Path:
    """The directory for what throw-away servers share and can make again.

    It is ``home/postgres`` too, but one directory for all homes that the server cannot enter.

    Raises:
        ServerStartError: the directory cannot be made or written.
    """
    home = home.expanduser().absolute()
    if not account.other or account.can_enter(home):
        return server_place(home, account)
    return _own_directory(temporary_place(account) / f"kit-cache-{os.geteuid()}", account)


def abandoned_places(account: Account) -> list[Path]:
    """The places of temporary homes that are gone; those in ``/var/lib`` are never among them."""
    found: list[Path] = []
    if not account.other:
        return found
    for temporary in scratch_places(account):
        for place in temporary.glob(_BESIDE + "?" * 12):
            try:
                if not place.is_symlink() and place.lstat().st_uid == os.geteuid():
                    home = Path(os.fsdecode((place / _HOME).read_bytes()))
                    found += [] if home.exists() else [place]
            except OSError:
                continue
    return found


def _own_directory(place: Path, account: Account) -> Path:
    """A directory that is there, is ours, and can be written."""
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o711 if account.other else 0o700)
        status = place.lstat()
    except OSError as error:
        raise ServerStartError(
            f"The kit cannot write to {place}: {error.strerror}. Give it a directory that you may "
            "write to, with the environment variable KIT_HOME."
        ) from error
    if place.is_symlink() and place.parent in scratch_places(account):
        raise ServerStartError(f"{place} is a link, so the kit does not use it. Remove it.")
    if os.name == "posix" and status.st_uid != os.geteuid():
        raise ServerStartError(
            f"{place} belongs to another user, so the kit does not use it. Give it a directory "
            "of your own, with the environment variable KIT_HOME."
        )
    if not os.access(place, os.W_OK):
        raise ServerStartError(
            f"The kit cannot write to {place}: it is read-only. Give it a directory that you may "
            "write to, with the environment variable KIT_HOME."
        )
    return place


def temporary_place(account: Account) -> Path:
    """A directory for throw-away servers that this account can enter."""
    for candidate in _temporary(account):
        return candidate
    raise ServerStartError(
        f"The temporary directory {tempfile.gettempdir()} is closed to the account that PostgreSQL "
        "would run as. Set TMPDIR to a directory that it can enter."
    )


def _temporary(account: Account) -> list[Path]:
    """The directories for temporary files that we can write to and the account can enter."""
    found = []
    # Only looked at: what is made there gets a random name.
    for each in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108
        if each.is_dir() and os.access(each, os.W_OK) and account.can_enter(each):
            found.append(each.resolve())
    return found


def scratch_place(account: Account) -> Path:
    """A directory for the data of a throw-away server: in memory where there is plenty of it.

    Each clone makes and removes about 300 files, which a file system in memory does several times
    faster. (An ext4 without a journal, as small virtual machines have it, does not reuse the inodes
    of removed files for a minute and searches past them for each new one: 600 ms for a clone
    instead of 15.) A TMPDIR that is set says where the user wants such things, and is obeyed.
    """
    if not os.environ.get("TMPDIR") and _has_room(_MEMORY) and account.can_enter(_MEMORY):
        return _MEMORY
    return temporary_place(account)


def scratch_places(account: Account) -> list[Path]:
    """Every directory that :func:`scratch_place` may have chosen at another time."""
    places = [temporary_place(account)]
    return [*places, _MEMORY] if _MEMORY.is_dir() and _MEMORY not in places else places


def _has_room(memory: Path) -> bool:
    """It is a file system in memory, with room, on a machine that can spare that."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
        available = re.search(
            r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text("ascii"), re.MULTILINE
        )
        free = shutil.disk_usage(memory).free
    except OSError:
        return False
    in_memory = re.search(rf"^\S+ {re.escape(str(memory))} tmpfs ", mounts, re.MULTILINE)
    spare = int(available[1]) * 1024 if available else 0
    return bool(in_memory) and free >= 2 * _GB and spare >= 4 * _GB and os.access(memory, os.W_OK)


def socket_place(preferred: Path, account: Account) -> Path:
    """A directory for a server's Unix socket whose path is short enough, made if missing.

    Raises:
        ServerStartError: no directory is short enough, or the short one belongs to someone else.
    """
    name = f"kit-{hashlib.sha256(os.fsencode(preferred)).hexdigest()[:12]}"
    short = [directory / name for directory in (_temporary(account) if os.name == "posix" else [])]
    places = [place for place in (preferred, *short) if not _too_long(place)]
    if not places:
        raise ServerStartError(
            f"The path of the server's socket would be longer than {LONGEST_SOCKET_PATH} bytes "
            f"({preferred / SOCKET_NAME}). Set KIT_HOME or TMPDIR to a shorter path."
        )
    place = places[0]
    place.mkdir(mode=0o755, exist_ok=True)
    owners = {os.geteuid(), account.uid} if os.name == "posix" else set()
    if place.is_symlink() or (owners and place.lstat().st_uid not in owners):
        raise ServerStartError(
            f"{place} belongs to another user, so the kit does not put its socket there. "
            "Remove it, or set KIT_HOME to a shorter path."
        )
    account.own(place)
    return place


def _too_long(directory: Path) -> bool:
    return len(os.fsencode(directory / SOCKET_NAME)) > LONGEST_SOCKET_PATH
