"""A new exercise: written wholly or not at all, and proved as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.catalog import load_course
from grader.mutants.mutant import mutants_of
from grader.verify import TO_WRITE, verify
from kit import scaffold
from kit.errors import WrongUsage
from tests.kit.tiny_course import EXERCISE, make_course

NAME = "02_soft_delete"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path / "course")


@pytest.mark.parametrize("asked", ["soft_delete", "02_soft_delete"])
def test_a_name_gets_the_next_number_unless_it_has_one(course: Path, asked: str) -> None:
    assert scaffold.full_name(course, asked) == NAME
    assert scaffold.full_name(course, "17_soft_delete") == "17_soft_delete"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("Soft-Delete", "is no name"),
        ("../x", "is no name"),
        ("02_", "is no name"),
        ("01_other", f"is that of {EXERCISE}"),
        ("greetings", f"There is an exercise {EXERCISE} already"),
        ("09_greetings", f"There is an exercise {EXERCISE} already"),
    ],
)
def test_a_name_that_will_not_do_is_told_why(course: Path, asked: str, told: str) -> None:
    with pytest.raises(WrongUsage, match=told):
        scaffold.full_name(course, asked)


@pytest.mark.slow
@pytest.mark.sandbox
def test_what_is_written_holds_but_for_what_is_still_to_be_written(
    course: Path, tmp_path: Path
) -> None:
    files = scaffold.files_for(NAME)
    scaffold.write(course, files)
    proof = verify([NAME], course_root=course, home=tmp_path / "home", seed=7)
    places = [
        (f"{path}:{number}", line)
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if TO_WRITE in line
    ]
    assert sorted(f.where for f in proof.findings) == sorted(place for place, _ in places)
    assert len(places) >= 10
    assert all(f.message.startswith("is still to be written: ") for f in proof.findings)
    for path, text in files.items():
        (course / path).write_text(text.replace(TO_WRITE, "Written:"), encoding="utf-8")
    proof = verify([NAME], course_root=course, home=tmp_path / "home", seed=7)
    assert (proof.findings, proof.submissions) == ((), 4)


def test_a_new_exercise_has_mutants(course: Path) -> None:
    scaffold.write(course, scaffold.files_for(NAME))
    assert mutants_of(load_course(course).exercises[NAME]).mutants


@pytest.mark.parametrize("at", [0, -1])
def test_what_is_there_is_not_touched_and_nothing_is_half_written(course: Path, at: int) -> None:
    files = scaffold.files_for(NAME)
    taken = course / list(files)[at]
    taken.parent.mkdir(parents=True, exist_ok=True)
    taken.write_text("mine", encoding="utf-8")
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    with pytest.raises(WrongUsage, match="is there already"):
        scaffold.write(course, files)
    assert {path: path.read_bytes() for path in course.rglob("*") if path.is_file()} == before


def test_what_cannot_be_written_leaves_nothing(course: Path) -> None:
    (course / "docs" / "misconceptions" / "one-for-all.md").unlink()
    (course / "docs" / "misconceptions").rmdir()
    (course / "docs" / "misconceptions").write_text("a file", encoding="utf-8")
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    with pytest.raises(WrongUsage, match="Nothing was written"):
        scaffold.write(course, scaffold.files_for(NAME))
    assert {path: path.read_bytes() for path in course.rglob("*") if path.is_file()} == before
