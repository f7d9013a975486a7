"""``nbgrader.csv``: the gradebook as ``nbgrader export`` writes it.

Where points are not final, and for the excused, the cells for points are empty.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from grader.reports.files import write_whole
from grader.reports.gradebook import csv_row, inert
from grader.reports.options import Options
from grader.reports.standings import (
    assignment_title,
    class_scores,
    has_points,
    moment,
    submitted_at,
)
from grader.reports.text import number
from grader.results import Grading

NAME = "nbgrader.csv"
COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def write(grading: Grading, out: Path, options: Options) -> list[Path]:
    """Write the file; see `grader.reports.write_reports`."""
    return [write_whole(out / NAME, (row.encode() for row in rows(grading, options)))]


def rows(grading: Grading, options: Options) -> Iterator[str]:
    """The file's rows, heading first."""
    known = class_scores(grading)
    title = inert(assignment_title(grading, options))
    yield csv_row([*COLUMNS])
    for person in known.people:
        final = has_points(person)
        points = (person.before, max(0.0, person.before - person.after), person.after)
        yield csv_row(
            [
                title,
                _time(moment(known.due)),
                _time(submitted_at(person)),
                inert(person.id),
                # Which part of a name is the family's cannot be told from the name.
                inert(person.name),
                "",
                inert(person.email),
                *(number(value) if final else "" for value in points),
                number(known.maximum),
            ]
        )


def _time(moment: dt.datetime | None) -> str:
    """As nbgrader writes it: in UTC, and without saying so."""
    return str(moment.replace(tzinfo=None)) if moment else ""
