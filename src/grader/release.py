"""The bundle for students: what they get of a course, and nothing of what only instructors hold.

Only files that an exercise names are taken, so a stray file cannot slip in. What was taken is then
searched for what the solutions and hidden checks say, and graded: a starter that earns points is
somebody's answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.catalog import Course, Exercise
from grader.results import Grading
from grader.tomlfile import read_text

_TEXTS = frozenset({".py", ".sql", ".md", ".toml", ".ipynb", ".ini", ".txt", ""})
_TELLING = 12
"""Characters that a line must have to be told from others."""
_TOGETHER = 2
"""Telling lines that must stand one after another to be called a leak: one may be chance."""
_COMMONPLACE = re.compile(
    r"(from|import|def|class|@check|return|raise|else|try|except|with)\b.*|\W*\Z"
)
README = """# {title}

Your course. In this folder:

- `kit lab` opens the notebooks,
- `kit check 04` checks exercise 04; the task stands in `exercises/04_…/README.md`,
- `kit hint 04` helps you on, `kit reset 04` lets you begin again,
- `kit progress` shows how far you are,
- `kit doctor` helps where something does not work.
"""


@dataclass(frozen=True, slots=True)
class Leak:
    """Lines in the bundle that only instructors should hold."""

    file: str
    """In the bundle."""
    source: str
    """Below ``solutions/``."""
    line: str


def bundle(course: Course, exercises: Sequence[Exercise]) -> dict[str, bytes]:
    """The files for students, by path.

    Args:
        exercises: those that they get.

    Raises:
        CatalogError: a file cannot be read.
    """
    files = {
        "README.md": README.format(title=course.title).encode(),
        "course.toml": _settings(course, exercises).encode(),
    }
    for exercise in exercises:
        names = ("README.md", "exercise.toml", "test_visible.py", exercise.schema_file)
        for name in (*names, *exercise.given, *exercise.answer):
            if name and (exercise.path / name).is_file():
                files[f"exercises/{exercise.name}/{name}"] = (exercise.path / name).read_bytes()
        # A second time, for `kit reset`.
        for name in (*exercise.given, *exercise.answer):
            if (exercise.path / name).is_file():
                files[f"starters/{exercise.name}/{name}"] = (exercise.path / name).read_bytes()
    for pattern in ("notebooks/*.ipynb", "docs/misconceptions/*.md"):
        for path in sorted(course.root.glob(pattern)):
            files[path.relative_to(course.root).as_posix()] = path.read_bytes()
    return dict(sorted(files.items()))


def _settings(course: Course, exercises: Sequence[Exercise]) -> str:
    """A ``course.toml`` of their own: the course's may have assignments of other exercises.

    It says how many points there are with the hidden checks, which learners do not get.
    """
    worth = [f"{one.name} = {one.points:g}" for one in exercises if one.has_hidden_checks]
    return "\n".join(
        [f"title = {json.dumps(course.title)}", *(["[points]", *worth] if worth else []), ""]
    )


def leaks(course: Course, files: Mapping[str, bytes]) -> list[Leak]:
    """What of the solutions and hidden checks stands in the bundle: a few telling lines in a row.

    Searched are notebooks, pages and each exercise's README. What an exercise gives, what its
    visible checks say and what stands in its starter is no secret of its solution. Whether a
    starter is somebody's answer is not told by lines, which it shares with every answer: see
    `answered`.
    """
    told = {
        name: _telling(content.decode("utf-8", "replace"))
        for name, content in files.items()
        if Path(name).suffix in _TEXTS
        and (name.endswith(".md") or not name.startswith(("exercises/", "starters/")))
    }
    found: list[Leak] = []
    for exercise in course.exercises.values():
        public = {line for text in _public(exercise) for line in _telling(text)}
        for path in _instructors(exercise):
            secret = _telling(read_text(path))
            runs = {run for run in _runs(secret) if not set(run) & public}
            source = path.relative_to(course.root).as_posix()
            for name, lines in told.items():
                if hit := next((run for run in _runs(lines) if run in runs), None):
                    found.append(Leak(name, source, hit[0]))
    return found


def answered(grading: Grading) -> list[str]:
    """Starters in a graded bundle that earn points, a sentence each."""
    return [
        f"exercises/{result.exercise} earns {result.earned:g} points: somebody has worked in it. "
        "Put the starter back."
        for submission in grading.submissions
        for result in submission.exercises
        if result.earned
    ]


def _public(exercise: Exercise) -> Iterator[str]:
    for path in exercise.path.iterdir():
        if path.suffix in _TEXTS - {".md"} and path.is_file():
            yield read_text(path)


def _instructors(exercise: Exercise) -> Iterator[Path]:
    if exercise.solution_path is None:
        return
    for path in sorted(exercise.solution_path.rglob("*")):
        if path.suffix in _TEXTS and path.is_file() and "__pycache__" not in path.parts:
            yield path


def _telling(text: str) -> list[str]:
    """The lines that could give something away, without the escapes of a notebook's JSON."""
    plain = text.replace('\\"', '"').replace("\\n", "\n")
    lines = (line.strip().strip('",').strip() for line in plain.splitlines())
    return [line for line in lines if len(line) >= _TELLING and not _COMMONPLACE.match(line)]


def _runs(lines: Iterable[str]) -> Iterator[tuple[str, ...]]:
    every = list(lines)
    for start in range(len(every) - _TOGETHER + 1):
        yield tuple(every[start : start + _TOGETHER])
