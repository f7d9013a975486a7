"""Hostile submissions get exactly what they honestly earn, and nobody else notices them."""

from __future__ import annotations

import json

import pytest

from grader.results import Grading, Outcome, to_json
from tests.security.conftest import HONEST, SUBMISSIONS, Hostile, result_of

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("hostile", SUBMISSIONS, ids=lambda h: h.name)
def test_a_hostile_submission_earns_exactly_its_honest_part(
    hostile: Hostile, with_hostile: Grading
) -> None:
    result = result_of(with_hostile, hostile.name)
    assert result.earned == hostile.earns, [
        (check.name, check.outcome, check.failure) for e in result.exercises for check in e.checks
    ]


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


@pytest.mark.parametrize("student", HONEST)
def test_the_neighbors_of_hostile_submissions_get_the_same_results_to_the_byte(
    student: str, with_hostile: Grading, without_hostile: Grading
) -> None:
    def as_bytes(grading: Grading) -> str:
        whole = to_json(grading)["submissions"]
        return json.dumps([s for s in whole if s["student"] == student], sort_keys=True)

    assert as_bytes(with_hostile) == as_bytes(without_hostile)
    assert result_of(with_hostile, student).earned == 10


def test_probes_really_ran(with_hostile: Grading) -> None:
    """Without this, a probe that never started would look like one that found nothing."""
    printed = result_of(with_hostile, "looks_for_secrets").exercises[0].checks[0].output
    assert "INSIDE /" in printed


def test_what_a_submission_printed_is_kept_without_control_sequences(with_hostile: Grading) -> None:
    text = json.dumps(to_json(with_hostile)["submissions"], ensure_ascii=False)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "forged" in text
