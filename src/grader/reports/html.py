"""``report.html`` for a class and ``students/NAME.html`` for each student: no network, no script.

The pages carry their style with them. A content security policy forbids everything else, so that
whatever might get past the escaping stays dead text.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.reports.class_page import class_page, share
from grader.reports.files import write_whole
from grader.reports.marks import WHAT_HAPPENED
from grader.reports.score_words import assignment_of
from grader.reports.student_page import student_page
from grader.reports.summary import ClassSummary
from grader.reports.text import counted, legible, number, one_line
from grader.results import Grading

NAME = "report.html"
STUDENTS = "students"

_CODE = re.compile(r"`([^`\n]+)`")


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the pages; see `grader.reports.write_reports`."""
    summary = ClassSummary(grading)
    shown = {
        "course": grading.course or "Class",
        "assignment": assignment_of(grading),
        "evidence": grading.evidence,
    }
    student = _environment().get_template("student.html")
    pages = [
        write_whole(
            out / STUDENTS / f"{standing.page}.html",
            [student.render(shown, page=student_page(standing, summary)).encode()],
        )
        for standing in summary.standings
    ]
    report = _environment().get_template("class.html").generate(shown | class_page(summary))
    # The class last: while it is not there, nobody takes half the students for all of them.
    return [write_whole(out / NAME, (chunk.encode() for chunk in report)), *pages]


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grader.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "one_line": one_line,
        "prose": _prose,
        "urlencode": lambda name: quote(name, safe=""),
    }
    environment.globals |= {
        "counted": counted,
        "counted_points": lambda points: f"{number(points)} {'point' if points == 1 else 'points'}",
        "number": number,
        "share": share,
        "what_happened": WHAT_HAPPENED,
    }
    return environment


def _prose(text: str) -> Markup:
    """A sentence in which what stands between backticks is shown as code."""
    # Escaped first: the only markup in the result is ours.
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(legible(text)))))  # noqa: S704


def _shown(value: Any) -> Any:
    """What a template puts out: text made legible; it is escaped afterwards."""
    return legible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
