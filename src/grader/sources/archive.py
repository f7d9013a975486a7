"""An archive of a student's folder, or of what is in it. Nothing is unpacked to the disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import IO

from grader.catalog import Exercise
from grader.sources.base import (
    MAX_FILE_BYTES,
    MAX_NOTEBOOK_BYTES,
    Files,
    Refused,
    bounded,
    open_regular,
    shown,
)
from grader.sources.notebook import SUFFIX, Notebook

MAX_ARCHIVE_BYTES = 8 * 1024 * 1024
MAX_UNPACKED_BYTES = 32 * 1024 * 1024
"""Of a tar archive, which can only be read from its beginning to its end, and of the notebooks in a
zip archive."""
MAX_ENTRIES = 20_000
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_ENCRYPTED = 1
_UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    OSError,
)
"""What the standard library raises for archives that are damaged or need what it cannot do."""

_Entries = Mapping[PurePosixPath, Callable[[], bytes]]


class Archive:
    """A zip or tar archive.

    Raises:
        Refused: it is none, or too large.
    """

    def __init__(self, path: Path) -> None:
        self._entries: _Entries = _zip(path) if path.suffix == ".zip" else _tar(path)

    def files(self, exercise: Exercise) -> Files | None:
        """The files for an exercise, wherever in the archive its folder or its answer stands.

        Raises:
            Refused: there is more than one such place.
        """
        named = {p.parent for p in self._entries if p.parent.name == exercise.name}
        folders = named or {p.parent for p in self._entries if p.name in exercise.answer}
        if len(folders) > 1:
            several = " and ".join(shown(str(folder)) for folder in sorted(folders)[:2])
            raise Refused(f"{exercise.name} is in the archive more than once: {several}.")
        found = {
            place.name: read for place, read in self._entries.items() if place.parent in folders
        }
        return found or self._in_notebooks(exercise)

    def _in_notebooks(self, exercise: Exercise) -> Files | None:
        found: Files | None = None
        for notebook in self._notebooks:
            found = notebook.files(exercise) or found
        return found

    @cached_property
    def _notebooks(self) -> list[Notebook]:
        places = sorted(place for place in self._entries if place.suffix == SUFFIX)
        return [Notebook(place.name, self._entries[place]) for place in places]


def is_archive(path: Path) -> bool:
    """Whether a file is called like an archive."""
    return path.name.endswith(SUFFIXES)


def _zip(path: Path) -> _Entries:
    try:
        with open_regular(path, MAX_ARCHIVE_BYTES) as file, zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except _UNREADABLE as error:
        raise Refused(f"{shown(path.name)} is not a zip archive that can be read.") from error
    if len(infos) > MAX_ENTRIES:
        raise Refused(_too_many(path.name))
    # All notebooks are read, and a kilobyte may unpack to a megabyte. No more is read than it says.
    if sum(info.file_size for info in infos if info.filename.endswith(SUFFIX)) > MAX_UNPACKED_BYTES:
        raise Refused(_too_large(path.name))
    # Not is_dir(), which breaks on a file without a name.
    files = (info for info in infos if not info.filename.endswith("/"))
    places = ((_place(info.filename), info) for info in files)
    return {
        place: partial(_read_zipped, path, info) for place, info in places if not _is_beside(place)
    }


def _read_zipped(path: Path, info: zipfile.ZipInfo) -> bytes:
    place = _place(info.filename)
    name = shown(place.name)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Refused(f"{name} is a link. Links are not followed.")
    if info.flag_bits & _ENCRYPTED:
        raise Refused(f"{name} is encrypted.")
    limit = _limit(place)
    try:
        with (
            open_regular(path, MAX_ARCHIVE_BYTES) as file,
            zipfile.ZipFile(file) as archive,
            archive.open(info) as content,
        ):
            return bounded(content.read(limit + 1), name, limit)
    except _UNREADABLE as error:
        raise Refused(f"{name} cannot be unpacked: the archive is damaged.") from error


def _tar(path: Path) -> _Entries:
    try:
        with open_regular(path, MAX_ARCHIVE_BYTES) as file:
            unpacked = _Bounded(_decompressed(path, file), path.name)
            # As a stream: what is read is read once, and no header makes it jump.
            with tarfile.open(fileobj=unpacked, mode="r|") as archive:
                return dict(_tarred(archive, path.name))
    except _UNREADABLE as error:
        raise Refused(f"{shown(path.name)} is not a tar archive that can be read.") from error


def _tarred(
    archive: tarfile.TarFile, name: str
) -> Iterator[tuple[PurePosixPath, Callable[[], bytes]]]:
    for number, member in enumerate(archive):
        if number >= MAX_ENTRIES:
            raise Refused(_too_many(name))
        place = _place(member.name)
        if not member.isdir() and not _is_beside(place):
            yield place, _tar_member(archive, member, place)


def _tar_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, place: PurePosixPath
) -> Callable[[], bytes]:
    name, limit = shown(place.name), _limit(place)
    if member.issym() or member.islnk():
        return partial(_refuse, f"{name} is a link. Links are not followed.")
    content = archive.extractfile(member) if member.isfile() else None
    if content is None:
        return partial(_refuse, f"{name} is not an ordinary file.")
    if member.size > limit:
        return partial(_refuse, f"{name} is larger than {limit // 1024} KB.")
    read = content.read(limit + 1)
    return partial(bounded, read, name, limit)


def _decompressed(path: Path, file: IO[bytes]) -> IO[bytes]:
    first = file.read(6)
    file.seek(0)
    if first.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]  # it reads as one does
    if first.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if first.startswith(b"\xfd7zXZ"):
        return lzma.LZMAFile(file)
    return file


class _Bounded(io.RawIOBase):
    """What is unpacked on the way, up to a limit: an archive of kilobytes may hold gigabytes."""

    def __init__(self, inner: IO[bytes], name: str) -> None:
        super().__init__()
        self._inner = inner
        self._name = name
        self._left = MAX_UNPACKED_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._inner.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._left -= len(chunk)
        if self._left < 0:
            raise Refused(_too_large(self._name))
        return chunk


def _too_many(name: str) -> str:
    return f"{shown(name)} holds more than {MAX_ENTRIES} files."


def _too_large(name: str) -> str:
    return f"{shown(name)} unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MB."


def _refuse(message: str) -> bytes:
    raise Refused(message)


def _limit(place: PurePosixPath) -> int:
    return MAX_NOTEBOOK_BYTES if place.suffix == SUFFIX else MAX_FILE_BYTES


def _place(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/"))  # some programs write backslashes


def _is_beside(path: PurePosixPath) -> bool:
    """What an operating system puts into an archive unasked, and what has no name."""
    return not path.name or any(part.startswith((".", "__")) for part in path.parts)
