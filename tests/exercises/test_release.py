"""What students get holds nothing of what only instructors hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader import release
from grader.catalog import Course, load_course

LONG = 60
"""Characters of a line that nobody writes twice by chance."""


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
    texts = {
        name: content.decode().replace('\\"', '"')
        for name, content in files.items()
        if not name.startswith(("exercises/", "starters/")) or name.endswith(".md")
    }
    searched = 0
    for exercise in course.exercises.values():
        assert exercise.solution_path is not None
        public = "".join(p.read_text("utf-8") for p in exercise.path.iterdir() if p.is_file())
        for path in (*exercise.solution_path.rglob("*.py"), *exercise.solution_path.rglob("*.sql")):
            for line in map(str.strip, path.read_text("utf-8").splitlines()):
                if len(line) >= LONG and line not in public and not line.startswith("from "):
                    searched += 1
                    found = {name for name, text in texts.items() if line in text}
                    if path.name != "test_hidden.py":  # a page may show the cure
                        found -= {name for name in found if name.startswith("docs/misconceptions/")}
                    assert not found, (path, line)
    assert searched > 500


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
