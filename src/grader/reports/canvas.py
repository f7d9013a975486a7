"""``canvas.csv``: points as Canvas imports them into its gradebook.

Canvas finds a student by ``ID``, ``SIS User ID`` or ``SIS Login ID``. With a roster, its id is the
SIS user id and its e-mail the login; without one the submission's name is taken for the login.
A student whose points are not final has no row, because an empty cell would delete a grade that
stands there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grader.people import PersonScore
from grader.reports.files import write_whole
from grader.reports.gradebook import csv_row, inert
from grader.reports.options import Options
from grader.reports.standings import assignment_title, class_scores, shown_name
from grader.reports.text import number
from grader.results import Grading

NAME = "canvas.csv"
EXCUSED = "EX"


def write(grading: Grading, out: Path, options: Options) -> list[Path]:
    """Write the file; see `grader.reports.write_reports`."""
    return [write_whole(out / NAME, (row.encode() for row in rows(grading, options)))]


def rows(grading: Grading, options: Options) -> Iterator[str]:
    """The file's rows, heading and possible points first."""
    known = class_scores(grading)
    title = inert(assignment_title(grading, options))
    yield csv_row(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title])
    yield csv_row(["Points Possible", "", "", "", "", number(known.maximum)])
    for person in known.people:
        if person.status != "not final":
            user, login = (person.id, person.email) if grading.scores else ("", person.id)
            yield csv_row(
                [
                    inert(shown_name(person)),
                    "",
                    inert(user),
                    inert(login),
                    inert(person.section),
                    _points(person),
                ]
            )


def _points(person: PersonScore) -> str:
    return EXCUSED if person.status == "excused" else number(person.after)
