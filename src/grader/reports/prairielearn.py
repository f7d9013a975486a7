"""PrairieLearn's ``results.json`` of an external grader, one for each student.

``gradable`` is false, and there is no score, where the kit failed or the submission could not be
read: PrairieLearn then takes no attempt away.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.reports.documents import encoded, write_each
from grader.reports.items import KIT_FAILED, Asked, Item, items
from grader.reports.text import legible, number
from grader.results import Grading, Outcome, SubmissionResult

MAX_BYTES = 1_000_000
"""Of a document: PrairieLearn refuses more than 1 MiB as a whole."""
_TEXTS = (20_000, 4000, 1000, 200)
"""How much of a text is shown: the first at which everything fits."""


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the files; see `grader.reports.write_reports`."""
    return write_each("prairielearn", grading, out, document)


def document(submission: SubmissionResult, asked: Asked) -> dict[str, Any]:
    """What PrairieLearn reads of one submission."""
    if submission.has_errors:
        return {"gradable": False, "message": KIT_FAILED, "format_errors": [KIT_FAILED]}
    if submission.problem:
        said = f"The submission could not be read: {legible(submission.problem)}"
        return {"gradable": False, "message": said, "format_errors": [said]}
    for most in _TEXTS:
        found = _document(submission, asked, most)
        if len(encoded(found)) <= MAX_BYTES:
            break
    return found


def _document(submission: SubmissionResult, asked: Asked, most: int) -> dict[str, Any]:
    points = asked.points
    return {
        "gradable": True,
        "score": min(submission.earned / points, 1.0) if points > 0 else 0.0,
        "message": f"{number(submission.earned)} of {number(points)} points.",
        "output": "",
        "images": [],
        "tests": [_test(item, most) for item in items(submission, asked)],
    }


def _test(item: Item, most: int) -> dict[str, Any]:
    return {
        "name": item.title,
        "description": item.exercise,
        "points": item.earned,
        "max_points": item.points,
        "message": "Right." if item.outcome is Outcome.PASSED else legible(item.text, most),
        "output": legible(item.output, most),
        "images": [],
    }
