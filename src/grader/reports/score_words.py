"""How scores are told, wherever they are shown."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

from grader.people import PersonScore, Scores
from grader.reports.text import counted, number, one_line
from grader.results import Grading

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One person's score in words."""

    id: str
    name: str
    section: str
    submission: str
    late: str
    before: str
    after: str
    """Empty where nothing is to be counted: excused, or not final."""
    percent: str
    note: str


def score_rows(scores: Scores) -> list[ScoreRow]:
    """Everybody's row, in the order of ids."""
    return [_row(person, scores.maximum) for person in scores.people]


def score_lines(scores: Scores) -> list[str]:
    """What an instructor must not overlook, a line each; none where all is as expected."""
    missing = [_called(p) for p in scores.people if p.status == "missing"]
    late = [_called(p) for p in scores.people if _late_seconds(p)]
    lines = []
    if missing:
        lines.append(f"Handed in nothing: {', '.join(missing)}.")
    if late:
        lines.append(f"Late: {', '.join(late)}.")
    if scores.strangers:
        lines.append(f"Not in the roster: {', '.join(map(one_line, scores.strangers))}.")
    return lines


def told_to(student: str, grading: Grading) -> list[str]:
    """What a student's own page says about lateness and attempts, a sentence each."""
    if grading.scores is None:
        return []
    said = []
    for person in grading.scores.people:
        mine = [a for a in person.attempts if a.submission == student]
        if not mine or person.status == "excused":
            continue
        if mine[0].late_seconds:
            said.append(
                f"Handed in {duration(mine[0].late_seconds)} late: {number(mine[0].before)} points"
                f" became {number(mine[0].after)}."
            )
        if person.submission != student:
            said.append("Another of your submissions counts, not this one.")
    return list(dict.fromkeys(said))


def assignment_of(grading: Grading) -> str:
    """The title of what was graded; empty where it is the course as a whole."""
    scores = grading.scores
    return grading.assignment or (scores.title or scores.assignment if scores else "")


def due_date(scores: Scores) -> str:
    """When it was due, as people write it: ``30 November 2026, 23:59 CET``; empty where it was not.

    Seconds are told where there are any, and the time zone by its abbreviation where it has one.
    """
    try:
        due = dt.datetime.fromisoformat(scores.due)
    except ValueError:
        return one_line(scores.due)
    clock = f"{due:%H:%M:%S}" if due.second else f"{due:%H:%M}"
    zone = one_line(scores.due_zone) or _offset(due.utcoffset())
    return f"{due.day} {calendar.month_name[due.month]} {due.year}, {clock} {zone}".rstrip()


def _offset(offset: dt.timedelta | None) -> str:
    """``UTC``, ``UTC+1``, ``UTC-3:30``."""
    if not offset:
        return "UTC" if offset is not None else ""
    hours, minutes = divmod(abs(int(offset.total_seconds())) // 60, 60)
    sign = "-" if offset < dt.timedelta() else "+"
    return f"UTC{sign}{hours}{f':{minutes:02}' if minutes else ''}"


def roster_names(student: str, grading: Grading) -> list[str]:
    """Who handed a submission in, by the roster's names; those that it does not name are left
    out, as are names that only repeat the submission's.
    """
    people = grading.scores.people if grading.scores else ()
    found = [
        one_line(person.name)
        for person in people
        if any(attempt.submission == student for attempt in person.attempts)
    ]
    return [name for name in dict.fromkeys(found) if name and name != one_line(student)]


def duration(seconds: int) -> str:
    """A time span in its largest unit, rounded up: nobody is told of being late by 0 hours."""
    for size, word in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= size or size == _MINUTE:
            return counted(-(-seconds // size), word)
    raise AssertionError(seconds)


def _row(person: PersonScore, maximum: float) -> ScoreRow:
    counts = person.status in ("graded", "missing")
    late = _late_seconds(person)
    return ScoreRow(
        id=person.id,
        name=person.name,
        section=person.section,
        submission=person.submission,
        late=duration(late) if late else "",
        before=number(person.before) if person.submission else "",
        after=number(person.after) if counts else "",
        percent=number(round(100 * person.after / maximum, 1)) if counts and maximum else "",
        note=_note(person),
    )


def _note(person: PersonScore) -> str:
    if person.status == "missing":
        return "handed in nothing"
    if person.status != "graded":
        return person.status
    attempts = len(person.attempts)
    return f"one of {attempts} submissions" if attempts > 1 else ""


def _late_seconds(person: PersonScore) -> int:
    chosen = [a for a in person.attempts if a.submission == person.submission]
    return chosen[0].late_seconds if chosen else 0


def _called(person: PersonScore) -> str:
    return one_line(person.name or person.id)
