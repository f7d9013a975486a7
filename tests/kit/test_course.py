"""The course and its exercises, by the names that people type."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.catalog import load_course
from kit import course as courses
from kit.errors import WrongUsage


def test_the_course_is_found_from_any_folder_inside_it(course: Path) -> None:
    deep = course / "exercises" / "04_repository"
    assert courses.find_root(deep) == course


def test_the_title_stands_in_course_toml_or_is_the_folders_name(course: Path) -> None:
    assert courses.title_of(course) == "course"
    for text, title in (("title = 'Data'", "Data"), ("title = 3", "course"), ("title", "course")):
        (course / "course.toml").write_text(text, encoding="utf-8")
        assert courses.title_of(course) == title


def test_what_an_exercise_is_worth_is_counted_or_told(course: Path) -> None:
    name = "04_repository"
    assert courses.worth_of(course, name) is None
    (course / "course.toml").write_text(f"[points]\n{name} = 12.5", encoding="utf-8")
    assert courses.worth_of(course, name) == 12.5
    assert courses.worth_of(course, "08_n_plus_one") is None
    (course / "course.toml").write_text(f"[points]\n{name} = 'many'", encoding="utf-8")
    assert courses.worth_of(course, name) is None


def test_hidden_checks_that_are_there_are_counted(root: Path) -> None:
    exercises = load_course(root).exercises
    told = {name: courses.worth_of(root, name) for name in exercises}
    assert told == {name: exercise.points for name, exercise in exercises.items()}


def test_the_course_tells_those_who_have_no_hidden_checks(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "course.toml", tmp_path)
    exercises = load_course(root).exercises
    told = {name: courses.worth_of(tmp_path, name) for name in exercises}
    assert told == {name: exercise.points for name, exercise in exercises.items()}


def test_outside_a_course_the_message_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="--course or KIT_COURSE"):
        courses.find_root(tmp_path)


def test_a_named_folder_without_exercises_is_no_course(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="no folder named exercises"):
        courses.find_root(named=tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "04",
        "4",
        "04_repository",
        "repository",
        "Repository",
        "exercises/04_repository",
        "exercises/04_repository/",
        "exercises/04_repository/repository.py",
        "04_repository/",
    ],
)
def test_an_exercise_answers_to_number_name_and_path(
    course: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(course)
    assert courses.resolve(course, [text]) == ["04_repository"]


def test_a_name_with_dashes_is_understood(course: Path) -> None:
    assert courses.resolve(course, ["n-plus-one"]) == ["08_n_plus_one"]


def test_a_dot_means_the_exercise_that_one_stands_in(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course / "exercises" / "08_n_plus_one")
    assert courses.resolve(course, ["."]) == ["08_n_plus_one"]
    assert courses.exercise_here(course) == "08_n_plus_one"


def test_outside_an_exercises_folder_there_is_no_exercise_here(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course / "exercises")
    assert courses.exercise_here(course) is None


def test_the_same_exercise_by_two_names_is_checked_once(course: Path) -> None:
    assert courses.resolve(course, ["8", "repository", "04"]) == ["08_n_plus_one", "04_repository"]


def test_a_misspelled_exercise_brings_up_the_nearest(course: Path) -> None:
    with pytest.raises(WrongUsage, match="Did you mean 04_repository"):
        courses.resolve(course, ["repositry"])


def test_a_name_near_nothing_brings_up_the_list(course: Path) -> None:
    with pytest.raises(WrongUsage, match="There are: 04_repository, 08_n_plus_one, 12_"):
        courses.resolve(course, ["xyz"])


def test_a_name_that_could_be_two_asks_which(course: Path) -> None:
    (course / "exercises" / "04_other").mkdir()
    (course / "exercises" / "04_other" / "exercise.toml").touch()
    with pytest.raises(WrongUsage, match="could be 04_other or 04_repository"):
        courses.resolve(course, ["04"])


def test_a_course_without_exercises_says_so(tmp_path: Path) -> None:
    (tmp_path / "exercises").mkdir()
    with pytest.raises(WrongUsage, match="has no exercises"):
        courses.resolve(tmp_path, ["04"])
