"""Mutants are graded by the exercise's own checks, and what is known of them is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader import batch
from grader.catalog import load_course
from grader.errors import CatalogError
from grader.mutants import trial
from grader.mutants.mutant import mutants_of
from grader.mutants.trial import Trial, try_mutants
from tests.grader.courses import (
    BEHIND,
    EXERCISE,
    HERE,
    HIDDEN,
    SOLUTION,
    TOML,
    make_class,
    make_course,
    write_files,
)

pytestmark = pytest.mark.sandbox

WITH_A_TWIN = SOLUTION.replace("def find_notes", "KEPT = 1\n\n\ndef find_notes")
"""A solution with something that no check can see."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kit")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path / "course", solution=WITH_A_TWIN)


def tried(course: Path, home: Path, **how: Any) -> Trial:
    return try_mutants([], course_root=course, home=home, seed=7, **how)


def ledger(course: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((course / BEHIND / "mutants.json").read_text())
    return data


def test_mutants_are_made_of_the_files_that_the_exercise_names(course: Path) -> None:
    twins = TOML.replace('["notes.py"]', '["notes.py", "more.py"]\nmutants = ["more.py"]')
    more = {f"{HERE}/more.py": "", f"{BEHIND}/more.py": "def more(n):\n    return n + 1\n"}
    write_files(course, {**more, f"{HERE}/exercise.toml": twins})
    made = mutants_of(load_course(course).exercises[EXERCISE])
    assert {mutant.place for mutant in made.mutants} == {"more.py: more"}
    assert all(dict(mutant.files)["notes.py"] == WITH_A_TWIN for mutant in made.mutants)
    assert made.unchanged["notes.py"] == WITH_A_TWIN


def write_reasons(course: Path, reason: str) -> None:
    data = ledger(course)
    for survivor in data["survivors"]:
        survivor["reason"] = reason
    (course / BEHIND / "mutants.json").write_text(json.dumps(data))


@pytest.mark.slow
def test_a_survivor_is_told_until_there_is_a_reason_which_is_kept(course: Path, home: Path) -> None:
    first = tried(course, home)
    [tally] = first.tallies
    assert (tally.exercise, tally.whole) == (EXERCISE, True)
    assert tally.mutants == tally.graded > 20
    survivors = ledger(course)["survivors"]
    assert {"- KEPT = 1", "+ KEPT = 2"} in [set(survivor["change"]) for survivor in survivors]
    assert "notes.py: module" in {survivor["place"] for survivor in survivors}
    assert tally.killed == ledger(course)["killed"] == tally.mutants - len(survivors)
    told = [finding.message for finding in first.findings]
    assert sum("passes every check" in message for message in told) == len(survivors)
    write_reasons(course, "Nothing reads it.")
    assert tried(course, home).findings == tuple(
        finding for finding in first.findings if "fewer than" in finding.message
    )
    assert {survivor["reason"] for survivor in ledger(course)["survivors"]} == {"Nothing reads it."}


@pytest.mark.slow
def test_a_sample_takes_each_mutant_once_in_so_many_days(
    course: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "PARTS", 5)
    whole = tried(course, home).tallies[0].mutants
    days = [tried(course, home, sample=True, day=day).tallies[0] for day in range(40, 45)]
    assert sum(tally.graded for tally in days) == whole
    assert max(tally.graded for tally in days) <= whole // 5 + 1
    hidden = course / BEHIND / "test_hidden.py"
    hidden.write_text(HIDDEN.replace("range(4)", "range(5)"))
    before = ledger(course)
    assert tried(course, home, sample=True).tallies[0].graded == whole
    assert ledger(course) == before


@pytest.mark.slow
def test_a_solution_that_fails_is_told_and_its_mutants_are_not_counted(
    course: Path, home: Path
) -> None:
    (course / BEHIND / "notes.py").write_text(SOLUTION.replace("ORDER BY body", ""))
    findings = tried(course, home).findings
    assert findings
    assert all("must pass before its mutants" in finding.message for finding in findings)
    assert not (course / BEHIND / "mutants.json").exists()


@pytest.mark.slow
def test_a_check_that_breaks_on_a_mutant_is_told(course: Path, home: Path) -> None:
    visible = course / HERE / "test_visible.py"
    call = 'student.call("add_note", body)'
    broken = f"if {call} is None:\n        raise RuntimeError"
    visible.write_text(visible.read_text().replace(call, broken))
    assert any("test_a_note_is_stored is broken" in f.message for f in tried(course, home).findings)


def test_a_ledger_that_is_damaged_is_named_before_anything_is_graded(
    course: Path, home: Path
) -> None:
    (course / BEHIND / "mutants.json").write_text('{"key": 1')
    with pytest.raises(CatalogError, match=r"mutants\.json cannot be read"):
        tried(course, home)


def test_checks_after_the_first_that_fails_are_left_out(
    course: Path, home: Path, tmp_path: Path
) -> None:
    broken = SOLUTION.replace("INSERT INTO notes", "INSERT INTO nothing")
    wrong_later = SOLUTION.replace(" ORDER BY body", " ORDER BY body DESC")
    answers = {"broken": broken, "later": wrong_later, "right": SOLUTION}
    grading = batch.grade(
        [make_class(tmp_path / "class", answers)],
        course_root=course,
        home=home,
        database="embedded",
        seed=7,
        until_failure=True,
    )
    outcomes = {
        s.student: [check.outcome.value for check in s.exercises[0].checks]
        for s in grading.submissions
    }
    assert outcomes == {
        "broken": ["failed"],
        "later": ["passed", "failed"],
        "right": ["passed", "passed"],
    }
