"""What reports of the hostile class have to show, and the reports that are looked at."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.assignment import Assignment
from grader.reports import names_of
from grader.results import Grading
from grader.scores import scores
from tests.security.conftest import result_of

NAMES = ("HYPERLINK(forged)", "onerror=alert(1)>forged", "=forged;", "@SUM(forged)")
"""Of students, without what makes more of them than names."""
FAILURES = (
    "<img src=x onerror=alert('forged')>",
    "<b>forgedbold</b><script>alert('forged')</script>",
    "</testcase><testcase name='forged'/>",
    "error file=a.py::forgedraised",
    "set-output name=points::10",
    "=1+forged",
)
PRINTED = ("error file=a.py::forgedprinted", "document.title='forged'", "@SUM(A1)")
SHOWN: Mapping[str, tuple[str, ...]] = {
    "json": (*NAMES, *FAILURES, *PRINTED),
    "csv": NAMES[:2],
    "scores": NAMES[:2],
    "junit": (*NAMES, *FAILURES, *PRINTED),
    "html": (*NAMES, *FAILURES, *PRINTED),
    "gradescope": (*FAILURES, *PRINTED),
    "exercism": FAILURES,
    "prairielearn": (*FAILURES, *PRINTED),
    "check50": (FAILURES[0], *PRINTED),
    "github": (*NAMES, *FAILURES, *PRINTED),
    "canvas": NAMES[:2],
    "moodle": NAMES[:2],
    "nbgrader": NAMES[:2],
    "lti": NAMES,
    "xapi": NAMES,
}
"""What each format has to show, as its reader sees it: an empty report would be harmless too."""
ALONE = ("prints_marks", "prints_unencodable_text", "=HYPERLINK(forged)")
"""Some formats say more where there is one submission."""


def worksheet(grading: Grading, path: Path) -> Path:
    """A grading worksheet as Moodle exports it, with everybody in it."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["Identifier", "Full name", "Status", "Grade", "Maximum Grade"])
    for number, submission in enumerate(grading.submissions):
        rows.writerow([f"Participant {number}", submission.student, "", "", "100.00"])
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def gradings(whole: Grading) -> Iterator[Grading]:
    """The class, and some of its submissions alone, with the scores of an assignment."""
    alone = (dataclasses.replace(whole, submissions=(result_of(whole, n),)) for n in ALONE)
    for grading in (whole, *alone):
        yield dataclasses.replace(grading, scores=scores(grading, Assignment()))


def files_of(name: str, folder: Path) -> Iterator[Path]:
    """What a format has written."""
    for place in sorted(names_of([name])):
        yield from (p for p in (folder / place, *folder.glob(f"{place}/*")) if p.is_file())


def plain(text: str) -> str:
    """The text with what stands in for characters that would be obeyed."""
    return text.replace("\ua789", ":").replace("\u266f", "#")
