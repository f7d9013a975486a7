"""``kit release``: what students get, or why they do not get it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.conftest import Ended
from tests.kit.tiny_course import EXERCISE, RIGHT, answer_own, make_course

Inside = Callable[..., Ended]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    course = make_course(tmp_path / "tiny")
    monkeypatch.chdir(course)
    return course


@pytest.fixture
def release(inside: Inside, learners_home: Path) -> Inside:
    def run(*words: object) -> Ended:
        return inside("release", *map(str, words), KIT_HOME=str(learners_home))

    return run


def test_students_get_the_exercises(release: Inside, tiny: Path, tmp_path: Path) -> None:
    answer_own(tiny, "def greet(session, words):\n    raise NotImplementedError\n")
    ended = release(tmp_path / "students")
    assert ended.code == 0, ended.err
    assert "files for students" in ended.out
    assert (tmp_path / "students" / "exercises" / EXERCISE / "exercise.toml").is_file()
    assert not (tmp_path / "students" / "solutions").exists()
    settings = tomllib.loads((tmp_path / "students" / "course.toml").read_text(encoding="utf-8"))
    assert settings == {"title": "tiny", "points": {EXERCISE: 4}}


def test_an_answer_in_a_starters_place_is_found_by_grading_it(
    release: Inside, tiny: Path, tmp_path: Path
) -> None:
    answer_own(tiny, RIGHT)
    ended = release(tmp_path / "students.zip")
    assert ended.code == 1
    assert "earns" in ended.out
    assert "somebody has worked in it" in ended.out
    assert "nothing was written" in ended.err
    assert not (tmp_path / "students.zip").exists()


def test_a_target_that_is_there_is_left_alone(release: Inside, tiny: Path, tmp_path: Path) -> None:
    ended = release(tmp_path)
    assert ended.code == 2
    assert "is there already" in ended.err
