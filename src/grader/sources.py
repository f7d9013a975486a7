"""Where a student's files stand: a folder, a zip archive or a single file.

A source only lists and reads. It follows no link, unpacks nothing to the disk and reads no file
further than `MAX_FILE_BYTES`.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from grader.catalog import Exercise
from grader.results import Failure, Reason
from grader.text import clean

MAX_FILE_BYTES = 512 * 1024
MAX_ARCHIVE_BYTES = 8 * 1024 * 1024
_ENCRYPTED = 1
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
)
"""What the standard library raises for archives that are damaged or need what it cannot do."""

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


class Folder:
    """A student's folder, with a folder for the exercise in it or the answer itself."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def files(self, exercise: Exercise) -> Files | None:
        folder = self._path / exercise.name
        try:
            if folder.is_symlink():
                raise Refused(f"{exercise.name} is a link. Links are not followed.")
            if not folder.is_dir():
                folder = self._path
                if not any(os.path.lexists(folder / name) for name in exercise.answer):
                    return None
            with os.scandir(folder) as entries:
                return {
                    entry.name: partial(read_regular, folder / entry.name)
                    for entry in entries
                    if entry.name in exercise.answer or entry.is_file(follow_symlinks=False)
                }
        except OSError as error:
            raise Refused(f"The folder cannot be read: {error.strerror}.") from error


class SingleFile:
    """One file, called like an answer; or called as its student likes, where only one is asked for.

    Args:
        exercises: all that are asked for.
    """

    def __init__(self, path: Path, exercises: Iterable[Exercise]) -> None:
        self._path = path
        self._exercises = list(exercises)

    def files(self, exercise: Exercise) -> Files | None:
        name = self._path.name
        if not any(name in each.answer for each in self._exercises):
            if self._path.suffix not in {Path(answer).suffix for answer in exercise.answer}:
                raise Refused(f"{_shown(name)} is not of the kind of {exercise.answer[0]}.")
            if len(self._exercises) > 1 or len(exercise.answer) > 1:
                raise Refused(
                    f"It cannot be told what {_shown(name)} answers. "
                    f"Hand it in as {exercise.name}/{exercise.answer[0]}."
                )
            name = exercise.answer[0]
        return {name: partial(read_regular, self._path)} if name in exercise.answer else None


class Archive:
    """A zip archive of a student's folder, or of what is in it.

    Raises:
        Refused: it is none, or too large.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with _open_regular(path, MAX_ARCHIVE_BYTES) as file, zipfile.ZipFile(file) as archive:
                self._entries = {
                    place: info
                    for info in archive.infolist()
                    if not info.is_dir() and not _is_beside(place := _path_of(info))
                }
        except _UNREADABLE as error:
            raise Refused(f"{_shown(path.name)} is not a zip archive that can be read.") from error

    def files(self, exercise: Exercise) -> Files | None:
        named = {p.parent for p in self._entries if p.parent.name == exercise.name}
        folders = named or {p.parent for p in self._entries if p.name in exercise.answer}
        if len(folders) > 1:
            several = " and ".join(_shown(str(folder)) for folder in sorted(folders)[:2])
            raise Refused(f"{exercise.name} is in the archive more than once: {several}.")
        return {
            place.name: partial(self._read, info)
            for place, info in self._entries.items()
            if place.parent in folders
        } or None

    def _read(self, info: zipfile.ZipInfo) -> bytes:
        name = _shown(_path_of(info).name)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Refused(f"{name} is a link. Links are not followed.")
        if info.flag_bits & _ENCRYPTED:
            raise Refused(f"{name} is encrypted.")
        try:
            with (
                _open_regular(self._path, MAX_ARCHIVE_BYTES) as file,
                zipfile.ZipFile(file) as archive,
                archive.open(info) as content,
            ):
                return _bounded(content.read(MAX_FILE_BYTES + 1), name)
        except _UNREADABLE as error:
            raise Refused(f"{name} cannot be unpacked: the archive is damaged.") from error


def read_regular(path: Path) -> bytes:
    """The bytes of an ordinary file.

    Raises:
        Refused: it is a link, a device, a pipe or a folder, too large, or cannot be read.
    """
    with _open_regular(path, MAX_FILE_BYTES) as file:
        return _bounded(file.read(MAX_FILE_BYTES + 1), _shown(path.name))


def _open_regular(path: Path, limit: int) -> BinaryIO:
    """Open an ordinary file without following a link or waiting for a pipe."""
    name = _shown(path.name)
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


def _bounded(content: bytes, name: str) -> bytes:
    if len(content) > MAX_FILE_BYTES:
        raise Refused(f"{name} is larger than {MAX_FILE_BYTES // 1024} KB.")
    return content


def _path_of(info: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(info.filename.replace("\\", "/"))  # some programs write backslashes


def _is_beside(path: PurePosixPath) -> bool:
    """What an operating system puts into an archive unasked."""
    return any(part.startswith((".", "__")) for part in path.parts)


def _shown(name: str) -> str:
    return clean(name, 80)
