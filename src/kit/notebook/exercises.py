"""``%%exercise``: a cell becomes the answer to an exercise, and its checks are shown below it.

The checks run in a process of their own, as ``kit check`` runs them: nothing of the cell is run in
the kernel, and a check that does not end can be interrupted.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from grader.catalog import CheckSpec, Exercise, load_exercise
from grader.errors import GraderError
from grader.results import Grading, from_json
from kit import home
from kit.course import find_root, resolve, title_of
from kit.errors import WrongUsage
from kit.notebook.errors import NotebookError
from pglab.urls import masked

_FINISHED = (0, 1, 3)
"""Exit codes of ``kit check`` with results: all right, something to do, the kit at fault."""

_written: dict[Path, str] = {}
"""What cells of this kernel wrote to answer files, as hashes."""


class NoSuchExercise(NotebookError):
    """There is no such exercise, or it has no such file; the message names those there are."""


class CannotCheck(NotebookError):
    """The checks could not be run; the message is what ``kit check`` said."""


def course_root() -> Path:
    """The folder of the course that the notebook belongs to.

    Raises:
        NoSuchExercise: there is none here.
    """
    named = os.environ.get("KIT_COURSE")
    try:
        return find_root(named=Path(named) if named else None)
    except WrongUsage as error:
        raise NoSuchExercise(str(error)) from error


def course_title() -> str:
    """The title of the course that the notebook belongs to.

    Raises:
        NoSuchExercise: there is none here.
    """
    return title_of(course_root())


def exercise_of(name: str) -> Exercise:
    """The exercise of this number, name or path.

    Raises:
        NoSuchExercise: there is none, or it is damaged.
    """
    root = course_root()
    try:
        [found] = resolve(root, [name])
        return load_exercise(root / "exercises" / found, root / "solutions" / found)
    except (WrongUsage, GraderError) as error:
        raise NoSuchExercise(str(error)) from error


def answer_file(exercise: Exercise, file: str | None) -> Path:
    """The file that a cell is written to.

    Raises:
        NoSuchExercise: the exercise has several and none was named, or none of that name.
    """
    files = exercise.answer
    if file is None and len(files) == 1:
        file = files[0]
    if file not in files:
        asked = f"has no file {file} to hand in" if file else "has several files"
        msg = (
            f"{exercise.name} {asked}. Say which: "
            f"{' or '.join(f'%%exercise {exercise.name} {one}' for one in files)}."
        )
        raise NoSuchExercise(msg)
    return exercise.path / file


def has_code(cell: str) -> bool:
    """Whether there is more in a cell than comments."""
    lines = (line.strip() for line in cell.splitlines())
    return any(line and not line.startswith(("#", "--")) for line in lines)


def write_answer(path: Path, cell: str) -> Path | None:
    """Write a cell to an answer file, whole or not at all.

    Returns:
        Where what stood in the file before is kept, if it was not of a cell of this kernel.
    """
    kept = None
    text = cell if cell.endswith("\n") else cell + "\n"
    before = path.read_bytes() if path.is_file() else None
    if before is not None and before != text.encode() and _hash(before) != _written.get(path):
        kept = _keep(path, before)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).chmod(path.stat().st_mode & 0o777 if before is not None else 0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _written[path] = _hash(text.encode())
    return kept


def check(exercise: Exercise) -> Grading:
    """Run the checks on the exercise's files as they are.

    Raises:
        CannotCheck: they could not be run.
    """
    command = [
        sys.executable, "-m", "kit", "check", exercise.name, "--json",
        "--course", str(exercise.path.parents[1]),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in _FINISHED:
        raise CannotCheck(_said(done.stderr))
    try:
        return from_json(json.loads(done.stdout))
    except ValueError as error:
        raise CannotCheck(_said(done.stderr)) from error


def visible_checks(exercise: Exercise) -> Sequence[CheckSpec]:
    """The checks that learners have."""
    return [spec for spec in exercise.checks if spec.visible]


def _said(stderr: str) -> str:
    lines = masked(stderr).strip().splitlines() or ["kit check ended without a word."]
    return "\n".join(lines[-8:])


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _keep(path: Path, content: bytes) -> Path:
    """A copy in the kit's home, one for each content."""
    folder = home.prepare() / "kept" / path.parent.name
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"{_hash(content)[:8]}-{path.name}"
    copy.write_bytes(content)
    return copy
