"""``kit init``: a course folder from what came with the kit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.catalog import load_course
from kit import course
from tests.kit.conftest import PROJECT, Ended

Inside = Callable[..., Ended]


def test_the_whole_course_is_made(inside: Inside, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    ended = inside("init", str(target))
    assert (ended.code, ended.out) == (0, f"Your course: {target}\n")
    assert load_course(target).exercises.keys() == load_course(PROJECT).exercises.keys()
    notebooks = {path.name for path in (PROJECT / "notebooks").glob("*.ipynb")}
    assert {path.name for path in (target / "notebooks").iterdir()} == notebooks
    assert (target / "starters").is_dir()  # for kit reset
    assert not (target / "solutions").exists()


def test_what_is_there_is_left_alone(inside: Inside, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    ended = inside("init", str(tmp_path / "mine"))
    assert ended.code == 2
    assert "is there already" in ended.err
    assert list(tmp_path.rglob("*")) == [tmp_path / "mine"]


def test_an_installation_without_a_course_says_so(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "__file__", str(tmp_path / "site" / "kit" / "course.py"))
    ended = inside("init", str(tmp_path / "mine"))
    assert ended.code == 3
    assert "has no course in it" in ended.err
    assert not (tmp_path / "mine").exists()
