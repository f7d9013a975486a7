"""What every kind of source has in common, and how an ordinary file is read: bounded, and no link
followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from grader.catalog import Exercise
from grader.results import Failure, Reason
from grader.text import clean

MAX_FILE_BYTES = 512 * 1024
MAX_NOTEBOOK_BYTES = 16 * 1024 * 1024
"""Notebooks hold pictures."""

Files = Mapping[str, Callable[[], bytes]]
"""By name, how to read a file."""


class Refused(Exception):
    """Files cannot be taken; the message is for the student."""

    def __init__(self, message: str, reason: Reason = Reason.IMPORT) -> None:
        super().__init__(message)
        self.failure = Failure(reason, message)


class Source(Protocol):
    """What a student handed in."""

    def files(self, exercise: Exercise) -> Files | None:
        """The files that were handed in for an exercise; None where nothing was.

        Raises:
            Refused: they cannot be taken.
        """


def read_regular(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of an ordinary file.

    Raises:
        Refused: it is a link, a device, a pipe or a folder, too large, or cannot be read.
    """
    with open_regular(path, limit) as file:
        return bounded(file.read(limit + 1), shown(path.name), limit)


def open_regular(path: Path, limit: int) -> BinaryIO:
    """Open an ordinary file without following a link or waiting for a pipe.

    Raises:
        Refused: as for `read_regular`.
    """
    name = shown(path.name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if path.is_symlink():
            raise Refused(f"{name} is a link. Links are not followed.") from error
        raise Refused(f"{name} cannot be read: {error.strerror}.") from error
    status = os.fstat(descriptor)
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = f"{name} is not an ordinary file."
    elif status.st_size > limit:
        problem = f"{name} is larger than {limit // 1024} KB."
    if problem:
        os.close(descriptor)
        raise Refused(problem)
    return os.fdopen(descriptor, "rb")


def bounded(content: bytes, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """The content of a file.

    Raises:
        Refused: there is more of it than is taken.
    """
    if len(content) > limit:
        raise Refused(f"{name} is larger than {limit // 1024} KB.")
    return content


def shown(name: str) -> str:
    """A file's name as it can be shown."""
    return clean(name, 80)
