"""``gradebook.csv``: one row per student, for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from grader.reports.files import write_whole
from grader.reports.summary import ClassSummary, Standing
from grader.reports.text import counted, number, one_line
from grader.results import Grading, Outcome

NAME = "gradebook.csv"

# A spreadsheet that splits at another separator than ours starts cells in the middle of our text.
# OWASP, "CSV Injection", counts the full-width forms among the characters that start a formula.
_FORMULA = re.compile(r"""(^|[;,|"'])([\s"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])""")


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the file; see `grader.reports.write_reports`."""
    return [write_whole(out / NAME, (row.encode() for row in _rows(ClassSummary(grading))))]


def inert(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: one line, apostrophes before."""
    return _FORMULA.sub(r"\1\2'", one_line(text, 2000))


def _rows(summary: ClassSummary) -> Iterator[str]:
    heads = [inert(exercise.name) for exercise in summary.exercises]
    yield csv_row(["student", *heads, "total", "max", "percent", "misconceptions", "note"])
    for standing in summary.standings:
        yield csv_row(_cells(standing, summary))


def _cells(standing: Standing, summary: ClassSummary) -> list[str]:
    points = [_points(standing, exercise.name) for exercise in summary.exercises]
    # A total that is not final stays empty: nobody shall import points that the kit lost.
    final = standing.final and standing.percent is not None
    return [
        inert(standing.submission.student),
        *points,
        number(standing.submission.earned) if standing.final else "",
        number(summary.points),
        number(standing.percent or 0) if final else "",
        inert(", ".join(standing.misconceptions)),
        inert(" ".join(_notes(standing, summary))),
    ]


def _points(standing: Standing, exercise: str) -> str:
    result = standing.results.get(exercise)
    if result is not None and result.has_errors:
        return ""
    return number(result.earned if result else 0)


def _notes(standing: Standing, summary: ClassSummary) -> Iterator[str]:
    submission = standing.submission
    if submission.problem:
        yield f"Could not be read: {one_line(submission.problem)}"
    for exercise in submission.exercises:
        errors = sum(check.outcome is Outcome.ERROR for check in exercise.checks)
        if errors:
            yield f"Not final: the kit failed at {counted(errors, 'check')} of {exercise.exercise}."
    absent = [
        e.name
        for e in summary.exercises
        if (result := standing.results.get(e.name)) is None or not result.handed_in
    ]
    if absent and not submission.problem:
        yield f"Not handed in: {', '.join(absent)}."


def csv_row(cells: list[str]) -> str:
    """A line of CSV. Texts from outside must be `inert`."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
