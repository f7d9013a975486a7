"""What a class gets for an assignment: weights, attempts and lateness applied to what was found.

The grading itself knows submissions. Here they become people: one may have handed in several times,
several may have handed in together, and some nothing at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby

from grader.assignment import Assignment
from grader.people import Attempt, PersonScore, Scores
from grader.results import Grading, SubmissionResult
from grader.roster import Entry


def scores(grading: Grading, assignment: Assignment, roster: Sequence[Entry] = ()) -> Scores:
    """Everybody's score.

    Args:
        roster: who is in the class; without one, every submission is a student's of that name.
    """
    known = {submission.student: submission for submission in grading.submissions}
    entries = tuple(roster) or tuple(Entry(id=name, folder=name) for name in known)
    maximum = sum(
        points * assignment.weight(exercise) for exercise, points in grading.maximum.items()
    )
    by_id = sorted(entries, key=lambda entry: entry.id)
    people = tuple(
        _person(tuple(rows), known, assignment)
        for _, rows in groupby(by_id, key=lambda entry: entry.id)
    )
    folders = {entry.folder for entry in entries}
    return Scores(
        assignment=assignment.name,
        title=assignment.title,
        due=assignment.due.isoformat() if assignment.due else "",
        due_zone=_abbreviation(assignment.due),
        maximum=_rounded(maximum),
        people=people,
        strangers=tuple(name for name in known if name not in folders),
    )


def _abbreviation(due: dt.datetime | None) -> str:
    """Of its time zone. Zones without one give their offset instead, which ``due`` says already."""
    name = (due.tzname() or "") if due else ""
    return name if name.isalpha() else ""


def _person(
    rows: tuple[Entry, ...], known: dict[str, SubmissionResult], assignment: Assignment
) -> PersonScore:
    attempts = [_attempt(row, known[row.folder], assignment) for row in rows if row.folder in known]
    chosen = _chosen(attempts, assignment)
    first = rows[0]
    excused = any(row.excused for row in rows)
    # The best of several is known when all of them are.
    decisive = attempts if assignment.attempts == "best" else [chosen] if chosen else []
    final = not any(known[attempt.submission].has_errors for attempt in decisive)
    return PersonScore(
        id=first.id,
        name=first.name,
        email=first.email,
        section=first.section,
        status="excused" if excused else "missing" if chosen is None else _status(final),
        submission=chosen.submission if chosen else "",
        before=chosen.before if chosen else 0.0,
        after=chosen.after if chosen else 0.0,
        attempts=tuple(attempts),
    )


def _status(final: bool) -> str:
    return "graded" if final else "not final"


def _chosen(attempts: Sequence[Attempt], assignment: Assignment) -> Attempt | None:
    """The attempt that counts; of equals the later one."""
    if not attempts:
        return None
    if assignment.attempts == "last":
        return max(enumerate(attempts), key=lambda each: (each[1].submitted_at, each[0]))[1]
    return max(enumerate(attempts), key=lambda each: (each[1].after, each[0]))[1]


def _attempt(row: Entry, submission: SubmissionResult, assignment: Assignment) -> Attempt:
    before = sum(
        exercise.earned * assignment.weight(exercise.exercise) for exercise in submission.exercises
    )
    late = dt.timedelta()
    if assignment.due is not None and row.submitted_at is not None:
        # In UTC: of two times in one zone Python compares the clocks, whatever they were put to.
        due = assignment.due.astimezone(dt.UTC) + row.extension
        late = row.submitted_at.astimezone(dt.UTC) - due
    share = assignment.late.share(late)
    return Attempt(
        submission=row.folder,
        submitted_at=row.submitted_at.astimezone(dt.UTC).isoformat() if row.submitted_at else "",
        late_seconds=max(0, int(late.total_seconds())),
        before=_rounded(before),
        after=_rounded(before * share),
    )


def _rounded(points: float) -> float:
    return round(points, 6)
