"""``kit exercise verify``: the author's proof."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.conftest import Ended
from tests.kit.tiny_course import EXERCISE, make_course

Inside = Callable[..., Ended]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    course = make_course(tmp_path / "tiny")
    monkeypatch.chdir(course)
    return course


@pytest.fixture
def verify(inside: Inside, learners_home: Path) -> Inside:
    def run(*words: str) -> Ended:
        options = ("--database", "embedded", "--jobs", "1")
        return inside("exercise", "verify", *words, *options, KIT_HOME=str(learners_home))

    return run


@pytest.mark.sandbox
def test_an_exercise_that_judges_wrongly_is_exit_code_1_with_every_finding(
    verify: Inside, tiny: Path
) -> None:
    mistake = tiny / "solutions" / EXERCISE / "mistakes" / "once.py"
    mistake.write_text(
        mistake.read_text(encoding="utf-8").replace(
            "# fails: ", "# fails: test_a_greeting_is_stored, "
        )
    )
    ended = verify()
    assert ended.code == 1
    assert "should fail test_a_greeting_is_stored, and passes it" in ended.out
    assert "once.py" in ended.out


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_missing_ledger_is_named_with_what_it_is_and_the_command_that_makes_it(
    verify: Inside, tiny: Path
) -> None:
    ended = verify()
    assert ended.out.endswith("1 exercise, 3 answers, 9 checks: 1 wrong.\n")
    assert f"Note: no mutants.json in solutions/{EXERCISE}. That file is the ledger" in ended.err
    assert "kit exercise verify 01 --mutants writes it." in ended.err
    (tiny / "solutions" / EXERCISE / "mutants.json").write_text("{}")
    assert "mutants.json" not in verify().err


@pytest.mark.sandbox
def test_a_check_that_breaks_is_not_said_to_pass_a_mistake(verify: Inside, tiny: Path) -> None:
    hidden = tiny / "solutions" / EXERCISE / "test_hidden.py"
    hidden.write_text(hidden.read_text().replace("(student, db):\n", "(student, db):\n    1 / 0\n"))
    ended = verify()
    assert ended.code == 1
    broken = "test_two_greetings_are_two_rows is broken: test_hidden.py, line 6: ZeroDivisionError"
    assert ended.out.count(broken) == 3
    assert "passes it" not in ended.out
    assert "misconception" not in ended.out


def test_a_check_file_that_cannot_be_imported_is_named_with_its_line(
    verify: Inside, tiny: Path
) -> None:
    (tiny / "exercises" / EXERCISE / "test_visible.py").write_text("import os\n\n1 / 0\n")
    ended = verify()
    assert ended.code == 3
    assert "test_visible.py, line 3 cannot be imported: ZeroDivisionError" in ended.err
    assert "doctor" not in ended.err


@pytest.mark.sandbox
def test_json_names_what_was_looked_at_and_found(verify: Inside, tiny: Path) -> None:
    data = json.loads(verify("01", "--json").out)
    assert data["exercises"] == [EXERCISE]
    assert data["submissions"] == 3
    assert data["without_ledger"] == [EXERCISE]


@pytest.mark.slow
@pytest.mark.sandbox
def test_mutants_are_graded_and_a_survivor_needs_a_reason(verify: Inside, tiny: Path) -> None:
    ended = verify("--mutants")
    assert ended.code == 0, ended.out
    assert "mutants failed: all as it should be" in ended.out
    ledger = tiny / "solutions" / EXERCISE / "mutants.json"
    assert json.loads(ledger.read_text())["survivors"] == []
    before = ledger.read_bytes()
    hidden = tiny / "solutions" / EXERCISE / "test_hidden.py"
    hidden.write_text(hidden.read_text().replace("== 2,", ">= 0,"))
    visible = tiny / "exercises" / EXERCISE / "test_visible.py"
    visible.write_text(visible.read_text().replace("== 1,", ">= 0,"))
    ended = verify("--mutants", "--sample", "--json")
    assert ended.code == 1
    data = json.loads(ended.out)
    assert any("passes every check" in finding["message"] for finding in data["findings"])
    assert any("fewer than 95%" in finding["message"] for finding in data["findings"])
    assert ledger.read_bytes() == before


def test_a_sample_of_nothing_is_wrong_usage(verify: Inside, tiny: Path) -> None:
    ended = verify("--sample")
    assert ended.code == 2
    assert "--mutants" in ended.err


def test_no_such_exercise_is_wrong_usage(verify: Inside, tiny: Path) -> None:
    assert verify("99").code == 2
