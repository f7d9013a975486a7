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

from grader.catalog import HIDDEN, VISIBLE, Course, Exercise
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
_DECLARES = re.compile(r"[\w\[\] |,.:]+: [\w\[\] |,.:]+|\w+\"?: \w+")
"""Names and their types, or a key and a name: whoever keeps the same contract has such a line."""
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
        names = ("README.md", "exercise.toml", VISIBLE, exercise.schema_file)
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

    In notebooks, pages and READMEs nothing of an exercise may stand but what it gives away itself.
    Its own files may have what its starter has, and its visible checks what its hidden ones have;
    in the starter only comments are searched. Whether a starter is somebody's answer is not told by
    lines, which it shares with every answer: see `answered`.
    """
    texts = {
        name: content.decode("utf-8", "replace")
        for name, content in files.items()
        if Path(name).suffix in _TEXTS
    }
    pages = {
        name: _telling(text)
        for name, text in texts.items()
        if name.endswith(".md") or not name.startswith(("exercises/", "starters/"))
    }
    found: list[Leak] = []
    for exercise in course.exercises.values():
        public = {line for text in _public(exercise) for line in _telling(text)}
        for path in _instructors(exercise):
            places = [(public, pages)]
            if path.parent == exercise.solution_path:
                places += _own_files(exercise, texts, hidden=path.name == HIDDEN)
            runs = list(_runs(_telling(read_text(path))))
            source = path.relative_to(course.root).as_posix()
            for allowed, told in places:
                secret = {run for run in runs if not set(run) & allowed}
                for name, lines in told.items():
                    if hit := next((run for run in _runs(lines) if run in secret), None):
                        found.append(Leak(name, source, hit[0]))
    return found


def _own_files(
    exercise: Exercise, texts: Mapping[str, str], *, hidden: bool
) -> list[tuple[set[str], dict[str, list[str]]]]:
    """What stands in the files of an exercise that students get, and before it what of it may.

    Args:
        hidden: hidden checks are looked for, and not a solution.
    """
    folder = f"exercises/{exercise.name}/"
    starters = {name: texts.get(folder + name, "") for name in exercise.answer}
    comments = {folder + name: _telling(_comments(text)) for name, text in starters.items()}
    beside = {
        name: _telling(text)
        for name, text in texts.items()
        if name.startswith(folder)
        and not name.endswith(".md")
        and name not in comments
        and not (hidden and name == folder + VISIBLE)
    }
    known = {line for text in starters.values() for line in _telling(text)}
    known |= {line for lines in beside.values() for line in lines if _DECLARES.fullmatch(line)}
    return [(set(), comments), (known, beside)]


def _comments(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line.lstrip("#- ") for line in lines if line.startswith(("#", "--")))


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
