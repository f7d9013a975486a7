"""Reads what students handed in: bounded, without following links, keeping only what an exercise
asks for.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.catalog import Exercise
from grader.errors import SubmissionError
from grader.text import clean

MAX_FILE_BYTES = 512 * 1024
MAX_FILES = 64
_SUFFIXES = frozenset({".py", ".sql"})
_IGNORED = frozenset({"__pycache__", "conftest.py"})


@dataclass(frozen=True, slots=True)
class Submission:
    """One student's files, by exercise and then by file name."""

    student: str
    files: Mapping[str, Mapping[str, bytes]]
    problems: Mapping[str, str] = field(default_factory=dict)
    """By exercise: why a file could not be taken, for the student."""

    @property
    def sha256(self) -> str:
        """Hash of the files that were taken."""
        digest = hashlib.sha256()
        for exercise, files in sorted(self.files.items()):
            for name, content in sorted(files.items()):
                label = f"{exercise}/{name}\0{len(content)}\0"
                digest.update(label.encode(errors="surrogateescape") + content)
        return digest.hexdigest()


def read_submissions(paths: Sequence[Path], exercises: Sequence[Exercise]) -> list[Submission]:
    """Every submission below these paths, sorted by student.

    Args:
        paths: each a class (a folder with one folder per student) or a single submission (a folder
            that holds an exercise's folder or its answer files, or a file).
        exercises: what is graded.

    Raises:
        SubmissionError: a path is not there or holds no submission, or two submissions have the
            same name.
    """
    found: dict[str, Submission] = {}
    for path in paths:
        for place in _places(path, exercises):
            submission = read_submission(place, exercises)
            if submission.student in found:
                raise SubmissionError(
                    f"Two submissions are called {submission.student!r}. Rename one of them."
                )
            found[submission.student] = submission
    return [found[name] for name in sorted(found)]


def read_submission(path: Path, exercises: Sequence[Exercise]) -> Submission:
    """One submission: a student's folder, or a single answer file."""
    files: dict[str, dict[str, bytes]] = {}
    problems: dict[str, str] = {}
    for exercise in exercises:
        folder = _folder_of(path, exercise)
        if folder is None:
            continue
        try:
            taken = _read_file(path, exercise) if path.is_file() else _read_folder(folder, exercise)
        except _Refused as refusal:
            problems[exercise.name] = str(refusal)
            continue
        if any(name in taken for name in exercise.answer):
            files[exercise.name] = taken
    return Submission(
        clean(path.stem if path.is_file() else path.resolve().name, 120), files, problems
    )


class _Refused(Exception):
    """An exercise's files cannot be taken; the message is for the student."""


def _places(path: Path, exercises: Sequence[Exercise]) -> Iterator[Path]:
    if not path.exists():
        raise SubmissionError(f"{path} is not there.")
    if path.is_file() or _is_submission(path, exercises):
        yield path
        return
    try:
        inside = sorted(
            p for p in path.iterdir() if p.is_dir() and not p.name.startswith((".", "__"))
        )
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: {error.strerror}.") from error
    if not inside:
        raise SubmissionError(
            f"{path} holds no submission. It should hold one folder per student, "
            f"each with folders like {exercises[0].name if exercises else '04_repository'}."
        )
    yield from inside


def _is_submission(path: Path, exercises: Sequence[Exercise]) -> bool:
    return any(
        (path / e.name).is_dir() or any((path / name).is_file() for name in e.answer)
        for e in exercises
    )


def _folder_of(path: Path, exercise: Exercise) -> Path | None:
    """Where a submission holds its files for an exercise."""
    if path.is_file():
        return path.parent if path.name in exercise.answer else None
    if (path / exercise.name).is_dir() and not (path / exercise.name).is_symlink():
        return path / exercise.name
    return path if any((path / name).is_file() for name in exercise.answer) else None


def _read_file(path: Path, exercise: Exercise) -> dict[str, bytes]:
    return {path.name: _content(path, path.name)}


def _read_folder(folder: Path, exercise: Exercise) -> dict[str, bytes]:
    taken: dict[str, bytes] = {}
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        name = entry.name
        wanted = (
            Path(name).suffix in _SUFFIXES and name not in _IGNORED and not name.startswith("test_")
        )
        if name in exercise.given or not (wanted or name in exercise.answer):
            continue
        if name in exercise.answer or entry.is_file(follow_symlinks=False):
            taken[name] = _content(folder / name, name)
        if len(taken) > MAX_FILES:
            raise _Refused(f"More than {MAX_FILES} files were handed in for {exercise.name}.")
    return taken


def _content(path: Path, name: str) -> bytes:
    """The bytes of a regular file; a link, a device or a pipe is refused without being opened for
    long.
    """
    shown = clean(name, 80)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise _Refused(
            f"{shown} cannot be read: {error.strerror}. Links are not followed."
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _Refused(f"{shown} is not an ordinary file.")
        if status.st_size > MAX_FILE_BYTES:
            raise _Refused(f"{shown} is larger than {MAX_FILE_BYTES // 1024} KB.")
        content = file.read(MAX_FILE_BYTES + 1)
    if name.endswith((".py", ".sql")):
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            raise _Refused(
                f"{shown} is not UTF-8 text. Save it as UTF-8 and hand it in again."
            ) from None
    return content
