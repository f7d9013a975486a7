"""Weights, attempts, groups and lateness make a score of what was found."""

from __future__ import annotations

import dataclasses
import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from grader.assignment import Assignment, LatePolicy
from grader.people import PersonScore, Scores
from grader.results import (
    CheckResult,
    Evidence,
    ExerciseResult,
    Grading,
    Outcome,
    SubmissionResult,
)
from grader.roster import Entry
from grader.scores import scores

DUE = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
LATE = Assignment(
    name="w", weights={"b": 2.0}, due=DUE, late=LatePolicy(percent_per_day=10, days=5)
)
LAST = dataclasses.replace(LATE, attempts="last")


def exercise(name: str, earned: float, outcome: Outcome = Outcome.PASSED) -> ExerciseResult:
    check = CheckResult("test_it", "It holds", 10, earned, outcome, visible=True)
    return ExerciseResult(name, name.upper(), (check,))


def grading(**earned: tuple[float, float] | None) -> Grading:
    """Each student's points for exercises a and b, of ten; None where the kit was at fault."""
    submissions = [
        SubmissionResult(student, (exercise("a", points[0]), exercise("b", points[1])))
        if points
        else SubmissionResult(student, (exercise("a", 0, Outcome.ERROR), exercise("b", 0)))
        for student, points in sorted(earned.items())
    ]
    evidence = Evidence("1", 1, "bubblewrap", "embedded", "18")
    return Grading("C", evidence, tuple(submissions))


def on(hours: float) -> dt.datetime:
    """So many hours after the due date."""
    return DUE + dt.timedelta(hours=hours)


def only(found: Scores) -> PersonScore:
    [person] = found.people
    return person


def test_without_a_roster_every_submission_is_a_persons() -> None:
    found = scores(grading(ada=(10, 5), bob=(0, 0)), LATE)
    assert [(p.id, p.before, p.after, p.status) for p in found.people] == [
        ("ada", 20, 20, "graded"),
        ("bob", 0, 0, "graded"),
    ]
    assert (found.maximum, found.strangers) == (30, ())


@pytest.mark.parametrize(
    ("hours", "extension", "after", "late"),
    [
        (-1, 0, 20, 0),
        (1, 0, 18, 3600),
        (25, 0, 16, 90_000),
        (25, 24, 18, 3600),
        (200, 0, 0, 720_000),
    ],
)
def test_lateness_is_taken_off_what_was_earned(
    hours: float, extension: float, after: float, late: int
) -> None:
    entry = Entry("u", "ada", submitted_at=on(hours), extension=dt.timedelta(hours=extension))
    person = only(scores(grading(ada=(10, 5)), LATE, [entry]))
    assert (person.before, person.after) == (20, pytest.approx(after))
    assert person.attempts[0].late_seconds == late


def test_an_unknown_time_is_never_late() -> None:
    assert only(scores(grading(ada=(10, 5)), LATE, [Entry("u", "ada")])).after == 20


def test_the_best_attempt_is_the_best_after_lateness() -> None:
    entries = [
        Entry("u", "first", submitted_at=on(-1)),
        Entry("u", "second", submitted_at=on(49)),
    ]
    found = grading(first=(8, 0), second=(10, 0))
    best = only(scores(found, LATE, entries))
    assert (best.submission, best.after) == ("first", 8)
    last = only(scores(found, LAST, entries))
    assert (last.submission, last.before, last.after) == ("second", 10, pytest.approx(7))
    assert [a.submission for a in last.attempts] == ["first", "second"]


def test_the_last_attempt_is_told_by_its_time_and_not_by_its_place() -> None:
    entries = [Entry("u", "b", submitted_at=on(-1)), Entry("u", "a", submitted_at=on(-2))]
    assert only(scores(grading(a=(10, 10), b=(1, 1)), LAST, entries)).submission == "b"


def test_each_member_of_a_group_gets_its_points() -> None:
    entries = [Entry("u1", "team"), Entry("u2", "team", extension=dt.timedelta(hours=1))]
    found = scores(grading(team=(5, 5)), LATE, entries)
    assert [(p.id, p.after) for p in found.people] == [("u1", 15), ("u2", 15)]
    assert found.strangers == ()


def test_who_handed_nothing_in_is_missing_and_whom_nobody_knows_is_a_stranger() -> None:
    entries = [Entry("u1", "ada"), Entry("u2", "bob"), Entry("u3", "eve", excused=True)]
    found = scores(grading(ada=(1, 1), zoe=(2, 2)), LATE, entries)
    assert [(p.id, p.status) for p in found.people] == [
        ("u1", "graded"),
        ("u2", "missing"),
        ("u3", "excused"),
    ]
    assert found.strangers == ("zoe",)


def test_points_that_the_kit_lost_are_not_final() -> None:
    assert only(scores(grading(ada=None), LATE, [Entry("u", "ada")])).status == "not final"


def test_an_attempt_that_the_kit_lost_makes_the_best_one_uncertain() -> None:
    entries = [Entry("u", "one"), Entry("u", "two")]
    assert only(scores(grading(one=(9, 9), two=None), LATE, entries)).status == "not final"
    assert only(scores(grading(one=None, two=(9, 9)), LAST, entries)).status == "graded"


BERLIN = ZoneInfo("Europe/Berlin")
# In the night after this due date clocks are put back by an hour: the day has 25.
WHEN_CLOCKS_CHANGE = dataclasses.replace(LATE, due=dt.datetime(2026, 10, 24, 23, tzinfo=BERLIN))


@pytest.mark.parametrize(
    "written",
    [
        dt.datetime(2026, 10, 25, 23, tzinfo=BERLIN),
        dt.datetime(2026, 10, 25, 23, tzinfo=dt.timezone(dt.timedelta(hours=1))),
        dt.datetime(2026, 10, 25, 22, tzinfo=dt.UTC),
    ],
    ids=["in the zone of the due date", "with an offset", "in UTC"],
)
def test_lateness_is_the_time_that_passed_however_it_is_written(written: dt.datetime) -> None:
    person = only(
        scores(
            grading(ada=(10, 5)), WHEN_CLOCKS_CHANGE, [Entry("ada", "ada", submitted_at=written)]
        )
    )
    assert person.attempts[0].late_seconds == 25 * 3600
    assert person.after == person.before * 0.8


def test_an_extension_is_of_hours_that_pass() -> None:
    in_time = dt.datetime(2026, 10, 25, 22, tzinfo=BERLIN)
    entry = Entry("ada", "ada", submitted_at=in_time, extension=dt.timedelta(hours=24))
    assert (
        only(scores(grading(ada=(10, 5)), WHEN_CLOCKS_CHANGE, [entry])).attempts[0].late_seconds
        == 0
    )
    later = dataclasses.replace(entry, submitted_at=in_time + dt.timedelta(minutes=1))
    assert (
        only(scores(grading(ada=(10, 5)), WHEN_CLOCKS_CHANGE, [later])).attempts[0].late_seconds
        == 60
    )
