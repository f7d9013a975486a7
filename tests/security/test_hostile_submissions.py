"""Hostile submissions get exactly what they honestly earn, and nobody else notices them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.results import Grading, Outcome, to_json
from tests.security.archives import MADE, Made
from tests.security.conftest import (
    HONEST,
    SUBMISSIONS,
    Hostile,
    ends_of,
    graded,
    lay_out,
    result_of,
    said_of,
)

# The first test waits for the grading of all.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.mark.parametrize("hostile", SUBMISSIONS, ids=lambda h: h.name)
def test_a_hostile_submission_earns_exactly_its_honest_part(
    hostile: Hostile, with_hostile: Grading
) -> None:
    result = result_of(with_hostile, hostile.name)
    assert hostile.ends_in(result), ends_of(result, hostile.exercise)
    assert result.earned == hostile.earns
    said = said_of(result, hostile.exercise)
    assert [words for words in hostile.says if words not in said] == [], said


@pytest.mark.parametrize("hostile", SUBMISSIONS, ids=lambda h: h.name)
def test_what_a_hostile_submission_does_is_never_an_error_of_the_kit(
    hostile: Hostile, with_hostile: Grading
) -> None:
    errors = [
        (check.name, check.failure)
        for exercise in result_of(with_hostile, hostile.name).exercises
        for check in exercise.checks
        if check.outcome is Outcome.ERROR
    ]
    assert errors == []


@pytest.mark.parametrize("hostile", SUBMISSIONS, ids=lambda h: h.name)
def test_no_probe_of_the_sandbox_or_the_server_works(
    hostile: Hostile, with_hostile: Grading
) -> None:
    outputs = [c.output for e in result_of(with_hostile, hostile.name).exercises for c in e.checks]
    found = [
        line for o in outputs for line in o.splitlines() if line.startswith(("FOUND", "WORKED"))
    ]
    assert found == []


@pytest.mark.parametrize("made", MADE, ids=lambda m: m.name)
def test_an_odd_archive_or_name_earns_nothing_and_is_told_why(
    made: Made, with_hostile: Grading
) -> None:
    result = result_of(with_hostile, made.called)
    assert result.earned == 0
    (notes,) = (each for each in result.exercises if each.exercise == "01_notes")
    told = [check.failure for check in notes.checks]
    assert all(told)
    if made.shows:
        assert all(failure and made.shows in failure.message for failure in told), told
    else:
        assert ends_of(result, "01_notes") == ["assertion"] * 3


@pytest.mark.parametrize("student", HONEST)
def test_the_neighbors_of_hostile_submissions_get_the_same_results_to_the_byte(
    student: str, with_hostile: Grading, without_hostile: Grading
) -> None:
    def as_bytes(grading: Grading) -> str:
        whole = to_json(grading)["submissions"]
        return json.dumps([s for s in whole if s["student"] == student], sort_keys=True)

    assert as_bytes(with_hostile) == as_bytes(without_hostile)
    result = result_of(with_hostile, student)
    assert result.earned == result.points


def test_who_fills_the_tables_is_shut_out_and_nobody_else(
    backend: str,
    without_hostile: Grading,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a smaller limit than in the class, where the time may be over before it is reached. One
    process, so that it is set for the neighbors' judge too.
    """
    monkeypatch.setattr("grader.judge.DATABASE_MEGABYTES", 20)
    chosen = tuple(h for h in SUBMISSIONS if h.name == "fills_the_tables")
    folder = lay_out(tmp_path / "class", chosen)
    grading = graded(folder, tmp_path / "home", backend, exercises=["01_notes"], jobs=1)
    result = result_of(grading, "fills_the_tables")
    assert ends_of(result, "01_notes") == ["limit", "assertion", "limit"]
    assert result.earned == 0
    assert "filled the database with more than 20 MB" in said_of(result, "01_notes")
    for student in HONEST:
        (alone,) = result_of(grading, student).exercises
        assert alone in result_of(without_hostile, student).exercises


def test_probes_really_ran(with_hostile: Grading) -> None:
    """Without this, a probe that never started would look like one that found nothing."""
    printed = result_of(with_hostile, "looks_for_secrets").exercises[0].checks[0].output
    assert "INSIDE /" in printed


def test_what_a_submission_printed_is_kept_without_control_sequences(with_hostile: Grading) -> None:
    text = json.dumps(to_json(with_hostile)["submissions"], ensure_ascii=False)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "forged" in text
