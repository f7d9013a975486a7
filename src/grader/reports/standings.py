"""Who gets what, for the gradebooks of other systems."""

from __future__ import annotations

import datetime as dt

from grader.assignment import Assignment
from grader.people import PersonScore, Scores
from grader.reports.options import Options
from grader.reports.score_words import assignment_of
from grader.reports.text import one_line
from grader.results import Grading
from grader.scores import scores


def class_scores(grading: Grading) -> Scores:
    """The scores of the assignment; where none was given, each submission is a person's."""
    return grading.scores or scores(grading, Assignment(title=grading.course))


def assignment_title(grading: Grading, options: Options) -> str:
    """What the assignment is called where the points go."""
    return one_line(options.title or assignment_of(grading) or grading.course) or "Grading"


def shown_name(person: PersonScore) -> str:
    """The person's name, or what else is known of them."""
    return person.name or person.id or person.submission


def has_points(person: PersonScore) -> bool:
    """Whether there are points to pass on: not where the kit was at fault, nor for the excused."""
    return person.status in ("graded", "missing")


def moment(text: str) -> dt.datetime | None:
    """A time of the results, in UTC; None where it is empty or no time."""
    try:
        found = dt.datetime.fromisoformat(text)
        return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None


def submitted_at(person: PersonScore) -> dt.datetime | None:
    """When the attempt that counts was handed in, where that is known."""
    times = [a.submitted_at for a in person.attempts if a.submission == person.submission]
    return moment(times[0]) if times else None


def graded_at(grading: Grading) -> dt.datetime:
    """When the grading began; now, where the results do not say it."""
    return moment(str(grading.timings.get("started", ""))) or dt.datetime.now(dt.UTC)
