"""What a submission finds in an isolated sandbox: what it may read, where it may write."""

from __future__ import annotations

import os
import secrets
import site
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.sandbox.base import WORKER

SOCKET_DIR = "/run/postgresql"
HOME = "/student"
# S108 warns of names in a shared /tmp that others can guess: in the sandbox /tmp is nobody else's.
# Folders of the sandbox, not of this machine.
_WRITABLE = (HOME, "/tmp", "/dev/shm")  # noqa: S108
_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/alternatives")
# Far above the identifiers that people and services have, so that no file or process is shared with
# any of them.
_FIRST_USER = 1_800_000_000
_USERS = 100_000_000


def nobodys_user() -> int:
    """The number of a user that nobody else is."""
    return _FIRST_USER + secrets.randbelow(_USERS)


def readable_places() -> Iterator[Path]:
    """What student code may read: the system's libraries, this Python, its packages, and the
    worker.
    """
    yield from (Path(p) for p in _SYSTEM if os.path.lexists(p))
    seen: list[Path] = []
    places = [sys.base_prefix, sys.prefix, *site.getsitepackages(), sysconfig.get_path("stdlib")]
    for place in map(Path, places):
        if place.exists() and not any(place.is_relative_to(p) for p in [*seen, Path("/usr")]):
            seen.append(place)
            yield place
    package = WORKER.parent
    if not any(package.is_relative_to(p) for p in seen):
        yield from (package / "__init__.py", package / "wire.py", WORKER)


def scratch_places(readable: Sequence[Path]) -> list[str]:
    """Where each cell gets a fresh file system: not over a place that holds something to read, as
    the temporary directory does for a course that was cloned into it.
    """
    return [p for p in _WRITABLE if not any(path.is_relative_to(p) for path in readable)]
