"""What students get holds nothing of what only instructors hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader import release
from grader.catalog import Course, load_course

LONG = 60
"""Characters of a line that nobody writes twice by chance, unless it is about the same tables."""
_SCAFFOLD = ("from ", "import ", "def ", "class ", "@check(", "raise ", "self, ")


@pytest.fixture(scope="module")
def course(course_root: Path) -> Course:
    return load_course(course_root)


@pytest.fixture(scope="module")
def files(course: Course) -> dict[str, bytes]:
    return release.bundle(course, course.select([]))


def test_no_file_of_the_instructors_is_among_them(files: dict[str, bytes]) -> None:
    assert not [name for name in files if "hidden" in name or "solution" in name]
    assert {name.split("/")[0] for name in files} == {
        "README.md",
        "course.toml",
        "docs",
        "exercises",
        "notebooks",
        "starters",
    }


def test_every_starter_is_there_a_second_time(course: Course, files: dict[str, bytes]) -> None:
    again = {name: content for name, content in files.items() if name.startswith("starters/")}
    for name, content in again.items():
        assert files[name.replace("starters/", "exercises/", 1)] == content
    for exercise in course.exercises.values():
        for name in (*exercise.answer, *exercise.given):
            there = f"exercises/{exercise.name}/{name}" in files
            assert (f"starters/{exercise.name}/{name}" in again) == there


def test_no_line_of_them_is_in_any_file(course: Course, files: dict[str, bytes]) -> None:
    texts = {name: content.decode().replace('\\"', '"') for name, content in files.items()}
    searched = 0
    for exercise in course.exercises.values():
        assert exercise.solution_path is not None
        own = f"exercises/{exercise.name}/"
        starter = "".join(texts[own + name] for name in exercise.answer)
        for path in (*exercise.solution_path.rglob("*.py"), *exercise.solution_path.rglob("*.sql")):
            hidden = path.name == "test_hidden.py"
            known = starter + (texts[own + "test_visible.py"] if hidden else "")
            theirs = "\n".join(
                text
                for name, text in texts.items()
                if not _may_hold(name, own, path, exercise.solution_path)
            )
            for line in map(str.strip, path.read_text("utf-8").splitlines()):
                if len(line) >= LONG and not line.startswith(_SCAFFOLD) and line not in known:
                    searched += 1
                    assert line not in theirs, path
    assert searched > 1000


def _may_hold(name: str, own: str, path: Path, solution: Path) -> bool:
    """Whether a file of the bundle may have a line in common with one of the instructors'."""
    if name.endswith(".md"):  # a page may show the cure
        return name.startswith("docs/misconceptions/") and path.name != "test_hidden.py"
    if name.startswith("notebooks/"):
        return False
    # Files about the same tables say the same: another exercise's, and beside other answers.
    return not name.startswith(own) or path.parent != solution


def test_the_search_finds_what_was_left_in_a_notebook_or_a_page(
    course: Course, files: dict[str, bytes]
) -> None:
    assert release.leaks(course, files) == []
    exercise = course.exercises["04_repository"]
    assert exercise.solution_path is not None
    answer = (exercise.solution_path / "repository.py").read_text("utf-8")
    hidden = (exercise.solution_path / "test_hidden.py").read_text("utf-8")
    cell = {"cell_type": "code", "source": answer.splitlines(keepends=True)}
    planted = {
        "notebooks/x.ipynb": json.dumps({"cells": [cell]}, indent=1).encode(),
        "notebooks/y.ipynb": json.dumps({"cells": [{"source": answer}]}).encode(),
        "docs/misconceptions/x.md": f"Look:\n\n```python\n{hidden[2000:4000]}\n```\n".encode(),
    }
    found = release.leaks(course, {**files, **planted})
    assert {leak.file for leak in found} == set(planted)


def test_a_bundle_is_a_course_of_its_own(course: Course, tmp_path: Path) -> None:
    for name, content in release.bundle(course, course.select(["04"])).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    again = load_course(tmp_path)
    assert (again.title, list(again.exercises)) == (course.title, ["04_repository"])
    assert all(check.visible for check in again.exercises["04_repository"].checks)


@pytest.mark.parametrize(
    ("name", "as_it_is"), [("models.py", True), ("test_visible.py", True), ("repository.py", False)]
)
def test_the_search_finds_what_was_left_in_an_exercises_own_files(
    course: Course, files: dict[str, bytes], name: str, as_it_is: bool
) -> None:
    exercise = course.exercises["04_repository"]
    assert exercise.solution_path is not None
    answer = (exercise.solution_path / "repository.py").read_text("utf-8")
    left = answer if as_it_is else "".join(f"# {line}\n" for line in answer.splitlines())
    place = f"exercises/04_repository/{name}"
    found = release.leaks(course, {**files, place: files[place] + left.encode()})
    assert [(leak.file, leak.source) for leak in found] == [
        (place, "solutions/04_repository/repository.py")
    ]


def test_the_search_finds_hidden_checks_in_what_an_exercise_gives(
    course: Course, files: dict[str, bytes]
) -> None:
    exercise = course.exercises["04_repository"]
    assert exercise.solution_path is not None
    hidden = (exercise.solution_path / "test_hidden.py").read_bytes()
    place = "exercises/04_repository/models.py"
    found = release.leaks(course, {**files, place: files[place] + hidden})
    assert [leak.file for leak in found] == [place]
