"""Reads what students handed in: bounded, without following links, keeping only what an exercise
asks for.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from grader.catalog import Exercise
from grader.errors import SubmissionError
from grader.results import Failure, Reason
from grader.sources import (
    Archive,
    Folder,
    Notebook,
    Refused,
    SingleFile,
    Source,
    has_folder,
    is_archive,
)
from grader.sources.base import MAX_NOTEBOOK_BYTES, read_regular
from grader.text import clean

MAX_FILES = 64
MAX_BYTES = 4 * 1024 * 1024
"""Of all files for one exercise: they go to the sandbox in one message."""
_SUFFIXES = frozenset({".py", ".sql"})
_FILES = frozenset({".py", ".sql", ".ipynb"})
"""Of the files that may, beside archives, stand in a class in a student's place."""
_IGNORED = frozenset({"__pycache__", "conftest.py"})


@dataclass(frozen=True, slots=True)
class Submission:
    """One student's files, by exercise and then by file name."""

    student: str
    files: Mapping[str, Mapping[str, bytes]]
    problems: Mapping[str, Failure] = field(default_factory=dict)
    """By exercise: why the files could not be taken."""

    @property
    def sha256(self) -> str:
        """Hash of the files that were taken."""
        return self._sha256(self.files)

    def sha256_of(self, exercise: str) -> str:
        """Hash of the files for one exercise."""
        return self._sha256({exercise: self.files[exercise]})

    def _sha256(self, taken: Mapping[str, Mapping[str, bytes]]) -> str:
        digest = hashlib.sha256()
        for exercise, files in sorted(taken.items()):
            for name, content in sorted(files.items()):
                label = f"{exercise}/{name}\0{len(content)}\0"
                digest.update(label.encode(errors="surrogateescape") + content)
        return digest.hexdigest()


def read_submissions(paths: Sequence[Path], exercises: Sequence[Exercise]) -> list[Submission]:
    """Every submission below these paths, sorted by student.

    Args:
        paths: each a class (a folder with a folder, an archive or a file for each student) or a
            single submission (a folder that holds an exercise's folder or its answer, an archive,
            or a file).
        exercises: what is graded.

    Raises:
        SubmissionError: a path is not there or holds no submission, or two submissions have the
            same name.
    """
    found: dict[str, Submission] = {}
    for path in paths:
        try:
            places = list(_places(path, exercises))
        except OSError as error:
            raise SubmissionError(f"{path} cannot be read: {error.strerror}.") from error
        for student, place in places:
            if student in found:
                raise SubmissionError(
                    f"Two submissions are called {student!r}. Rename one of them."
                )
            found[student] = _read(student, place, exercises)
    return [found[name] for name in sorted(found)]


def _read(student: str, path: Path, exercises: Sequence[Exercise]) -> Submission:
    """One submission: a student's folder, archive or file."""
    try:
        source = _source(path, exercises)
    except Exception as error:
        return Submission(student, {}, {each.name: _problem(error) for each in exercises})
    files: dict[str, Mapping[str, bytes]] = {}
    problems: dict[str, Failure] = {}
    for exercise in exercises:
        try:
            taken = _take(source, exercise)
        except Exception as error:
            problems[exercise.name] = _problem(error)
        else:
            if taken is not None:
                files[exercise.name] = taken
    return Submission(student, files, problems)


def _problem(error: Exception) -> Failure:
    """Why files could not be taken. Whatever one student sends, the class goes on."""
    if isinstance(error, Refused):
        return error.failure
    told = f"It could not be read: {type(error).__name__}: {error}"
    return Failure(Reason.KIT, clean(told, 1000))


def _places(path: Path, exercises: Sequence[Exercise]) -> Iterator[tuple[str, Path]]:
    """The students and where their submissions are. The path itself may be a link: it was named."""
    if not path.exists():
        raise SubmissionError(f"{path} is not there.")
    if path.is_file():
        if not _may_be_students(path):
            raise SubmissionError(
                f"{path} is no submission. One is a folder or a file like notes.py, notes.ipynb or "
                "notes.zip."
            )
        yield _student(path), path.resolve()
        return
    inside = [p for p in sorted(path.iterdir()) if not p.name.startswith((".", "__"))]
    students = [p for p in inside if p.is_symlink() or os.path.isdir(p)]
    if _has_folder(path, exercises) or (
        _has_answer(path, exercises) and not any(_is_submission(p, exercises) for p in students)
    ):
        yield _student(path), path.resolve()
        return
    answers = {name for exercise in exercises for name in exercise.answer}
    # A file that is called like an answer is no student's: each would be called the same.
    files = [p for p in inside if _may_be_students(p) and p.name not in answers | _IGNORED]
    found = sorted({*students, *(p for p in files if os.path.isfile(p))})
    if not found:
        raise SubmissionError(
            f"{path} holds no submission. It should hold one folder per student, "
            f"each with folders like {exercises[0].name if exercises else '04_repository'}."
        )
    yield from ((_student(place), place) for place in found)


def _may_be_students(path: Path) -> bool:
    return path.suffix in _FILES or is_archive(path)


def _is_submission(path: Path, exercises: Sequence[Exercise]) -> bool:
    return _has_folder(path, exercises) or _has_answer(path, exercises)


def _has_folder(path: Path, exercises: Sequence[Exercise]) -> bool:
    return any(has_folder(path, exercise) for exercise in exercises)


def _has_answer(path: Path, exercises: Sequence[Exercise]) -> bool:
    return any(os.path.isfile(path / name) for e in exercises for name in e.answer)


def _source(path: Path, exercises: Sequence[Exercise]) -> Source:
    """What a submission's files are read from."""
    if path.is_symlink():
        raise Refused("It is a link. Links are not followed.")
    if not path.is_file():
        return Folder(path)
    if is_archive(path):
        return Archive(path)
    if path.suffix == ".ipynb" and not any(path.name in e.answer for e in exercises):
        return Notebook(path.name, partial(read_regular, path, MAX_NOTEBOOK_BYTES))
    return SingleFile(path, exercises)


def _student(path: Path) -> str:
    """The student's name: that of the folder or file, with every odd character spelled out, so that
    different names stay different.
    """
    whole = Path(os.path.abspath(path))
    name = whole.name
    if path.is_file() and not path.is_symlink():
        name = whole.stem.removesuffix(".tar") if is_archive(path) else whole.stem
    return "".join(
        c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in name
    )


def _take(source: Source, exercise: Exercise) -> Mapping[str, bytes] | None:
    """The files that go to the sandbox; None where nothing was handed in.

    Raises:
        Refused: they cannot be taken, or the answer is not among them.
    """
    found = source.files(exercise)
    if found is None:
        return None
    wanted = sorted(name for name in found if _is_wanted(name, exercise))
    if not wanted:
        return None
    if missing := [name for name in exercise.answer if name not in wanted]:
        raise Refused(f"There is no {missing[0]} among the files.", Reason.MISSING)
    if len(wanted) > MAX_FILES:
        raise Refused(f"More than {MAX_FILES} files were handed in for {exercise.name}.")
    taken: dict[str, bytes] = {}
    for name in wanted:
        taken[name] = _as_text(name, found[name]())
        if sum(map(len, taken.values())) > MAX_BYTES:
            raise Refused(
                f"More than {MAX_BYTES // 1024**2} MB were handed in for {exercise.name}."
            )
    return taken


def _is_wanted(name: str, exercise: Exercise) -> bool:
    if name in exercise.answer:
        return True
    ours = name in exercise.given or name in _IGNORED or name.startswith("test_")
    return Path(name).suffix in _SUFFIXES and not ours


def _as_text(name: str, content: bytes) -> bytes:
    """The content, which is UTF-8 text where the name says that it is text."""
    if Path(name).suffix in _SUFFIXES:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(
                f"{clean(name, 80)} is not UTF-8 text. Save it as UTF-8 and hand it in again."
            ) from None
    return content
