"""``kit check``: the learner's own work."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.journal import Attempt, Journal
from tests.kit.conftest import Ended, Kit
from tests.kit.tiny_course import EXERCISE, RIGHT, WRONG, answer_own, make_course

Inside = Callable[..., Ended]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    course = make_course(tmp_path / "tiny")
    monkeypatch.chdir(course)
    return course


@pytest.fixture
def check(inside: Inside, learners_home: Path) -> Inside:
    def run(*words: str, **environment: str) -> Ended:
        return inside("check", *words, KIT_HOME=str(learners_home), **environment)

    return run


def test_right_work_is_exit_code_0_and_only_visible_checks_are_run(
    check: Inside, tiny: Path
) -> None:
    answer_own(tiny, RIGHT)
    ended = check("01")
    assert ended.code == 0
    assert "2 of 2 points" in ended.out
    assert "Two greetings" not in ended.out


@pytest.mark.slow
def test_right_work_is_told_what_the_checks_that_it_did_not_see_are_worth(
    check: Inside, tiny: Path
) -> None:
    answer_own(tiny, RIGHT)
    said = " ".join(check("01").out.split())
    assert "All 2 checks are right. Well done! They bring 2 of 4 points." in said
    assert "The other 2 are for checks that you cannot see." in said
    assert f"stands in exercises/{EXERCISE}/README.md" in said

    shutil.rmtree(tiny / "solutions")
    said = " ".join(check("01").out.split())
    assert "Well done! There may be checks that you cannot see." in said
    (tiny / "course.toml").write_text(f'title = "T"\n[points]\n{EXERCISE} = 2.5\n')
    assert "They bring 2 of 2.5 points. The other 0.5 are" in " ".join(check("01").out.split())
    (tiny / "course.toml").write_text(f'title = "T"\n[points]\n{EXERCISE} = 2\n')
    assert check("01").out.endswith("All 2 checks are right. Well done!\n")


def test_wrong_work_is_not_praised(check: Inside, tiny: Path) -> None:
    answer_own(tiny, WRONG)
    assert "Well done" not in check("01").out


def test_wrong_work_is_exit_code_1_with_what_happened_and_a_question(
    check: Inside, tiny: Path
) -> None:
    answer_own(tiny, WRONG)
    ended = check("greetings", "--timings")
    assert ended.code == 1
    assert "The greeting is not in the table." in ended.out
    assert "Which statement stores a row?" in ended.out
    assert "stored:" in ended.out
    assert "Where the time went" in ended.err


def test_the_starter_is_work_to_do(check: Inside, tiny: Path) -> None:
    assert check().code == 1


def test_inside_an_exercises_folder_that_exercise_is_meant(
    check: Inside, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_own(tiny, RIGHT)
    other = tiny / "exercises" / "02_more"
    other.mkdir()
    for file in (tiny / "exercises" / EXERCISE).iterdir():
        if file.is_file():
            (other / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(other)
    ended = check()
    assert "02_more" in ended.out
    assert EXERCISE not in ended.out


def test_json_is_one_document(check: Inside, tiny: Path) -> None:
    answer_own(tiny, WRONG)
    ended = check("01", "--json", "--seed", "7")
    assert ended.code == 1
    data = json.loads(ended.out)
    assert data["evidence"]["seed"] == 7
    (exercise,) = data["submissions"][0]["exercises"]
    assert exercise["exercise"] == EXERCISE
    assert exercise["earned"] == 1


def test_a_file_that_is_not_utf8_is_work_to_do_and_the_message_says_so(
    check: Inside, tiny: Path
) -> None:
    answer_own(tiny, b"# caf\xe9\n")
    ended = check("01")
    assert ended.code == 1
    assert "not UTF-8" in ended.out


def test_a_syntax_error_shows_the_line(check: Inside, tiny: Path) -> None:
    answer_own(tiny, "def greet(session, words:\n    pass\n")
    ended = check("01")
    assert ended.code == 1
    assert "greetings.py" in ended.out


def test_no_such_exercise_brings_up_the_nearest(check: Inside, tiny: Path) -> None:
    ended = check("greting")
    assert ended.code == 2
    assert ended.err == f"Error: There is no exercise “greting”. Did you mean {EXERCISE}?\n"


def test_a_course_without_exercises_says_so(
    check: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "exercises").mkdir()
    monkeypatch.chdir(tmp_path)
    ended = check()
    assert ended.code == 2
    assert "has no exercises" in ended.err


def test_a_broken_exercise_is_the_kits_fault_and_named(check: Inside, tiny: Path) -> None:
    (tiny / "exercises" / EXERCISE / "exercise.toml").write_text("title = ", encoding="utf-8")
    ended = check("01")
    assert ended.code == 3
    assert "exercise.toml is not valid TOML" in ended.err


def test_the_course_can_be_named_from_anywhere(
    check: Inside, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_own(tiny, RIGHT)
    monkeypatch.chdir(tmp_path)
    assert check("01", "--course", str(tiny)).code == 0
    assert check("01", KIT_COURSE=str(tiny)).code == 0


def test_a_terminal_without_unicode_shows_plain_forms(
    kit: Kit, tiny: Path, learners_home: Path
) -> None:
    answer_own(tiny, WRONG)
    ended = kit("check", "01", cwd=tiny, KIT_HOME=str(learners_home), PYTHONIOENCODING="ascii")
    assert ended.code == 1
    assert "x A greeting is stored" in ended.out
    assert "+ Nothing else is stored" in ended.out
    assert "?" not in ended.out.replace("Which statement stores a row?", "")


def test_every_check_is_noted_with_what_it_found(
    inside: Inside, learners_home: Path, tmp_path: Path, tiny: Path
) -> None:
    home = tmp_path / "home"
    answer_own(tiny, WRONG)
    first = inside("check", "--seed", "7", KIT_HOME=str(home))
    answer_own(tiny, RIGHT)
    second = inside("check", "--json", KIT_HOME=str(home))
    assert (first.code, second.code) == (1, 0)
    one, two = Journal(home).of(Attempt)
    assert (one.course, one.exercise, one.title, one.seed) == ("tiny", EXERCISE, "Greetings", 7)
    assert [(c.name, c.earned, c.points, c.outcome) for c in one.checks] == [
        ("test_a_greeting_is_stored", 0, 1, "failed"),
        ("test_nothing_else_is_stored", 1, 1, "passed"),
    ]
    assert (two.earned, two.points) == (2, 2)
    assert one.work_sha256 != two.work_sha256


def test_a_check_that_cannot_be_noted_is_a_check_all_the_same(
    inside: Inside, tmp_path: Path, tiny: Path
) -> None:
    home = tmp_path / "home"
    (home / "journal.jsonl").mkdir(parents=True)
    answer_own(tiny, RIGHT)
    ended = inside("check", KIT_HOME=str(home))
    assert ended.code == 0
    assert "2 of 2 points" in ended.out
    (line,) = [line for line in ended.err.splitlines() if "noted" in line]
    assert line.startswith("This check could not be noted for kit progress: ")
