"""A small class with a roster, as the gradebooks of other systems need one."""

from __future__ import annotations

import dataclasses

from grader.people import Attempt, PersonScore, Scores
from grader.results import Grading, Outcome, SubmissionResult

from .demo import KIT, UPDATE, check, grading


def submission(folder: str, outcome: Outcome) -> SubmissionResult:
    """A submission of one exercise of four points."""
    failure = {Outcome.PASSED: None, Outcome.FAILED: UPDATE, Outcome.ERROR: KIT}[outcome]
    one = grading(check(outcome, failure, points=4)).submissions[0]
    return dataclasses.replace(one, student=folder)


def person(id_: str, status: str, folder: str = "", **more: object) -> PersonScore:
    """Somebody with 4 points, of which lateness took 1, or with none."""
    points = 4.0 if status == "graded" else 0.0
    attempts = (Attempt(folder, "2026-03-01T21:00:00+00:00", 60, 4, 3),) if folder else ()
    known = PersonScore(id_, "", "", "A", status, folder, points, max(0.0, points - 1), attempts)
    return dataclasses.replace(known, **more)


def with_roster() -> Grading:
    """Ada in time, Bob at whom the kit failed, Cleo who handed in nothing, Dan who is excused."""
    found = (submission("ada_f", Outcome.PASSED), submission("bob_f", Outcome.ERROR))
    people = (
        person("1", "graded", "ada_f", name="Ada Lovelace", email="ada@school.example"),
        person("2", "not final", "bob_f", name="Bob"),
        person("3", "missing", name="Cleo"),
        person("4", "excused", name="Dan"),
    )
    scores = Scores("week3", "Week 3", "2026-03-01T23:59:00+01:00", 4, people)
    return dataclasses.replace(grading(), submissions=found, scores=scores)


def without_roster(*students: str) -> Grading:
    """These students, each with all four points."""
    found = tuple(submission(name, Outcome.PASSED) for name in sorted(students))
    return dataclasses.replace(grading(), submissions=found)
