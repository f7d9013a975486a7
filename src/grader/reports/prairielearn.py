"""PrairieLearn's ``results.json`` of an external grader, one for each student.

``gradable`` is false, and there is no score, where the kit failed or the submission could not be
read: PrairieLearn then takes no attempt away.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.reports.documents import write_each
from grader.reports.items import KIT_FAILED, Item, items
from grader.reports.text import legible, number
from grader.results import Grading, Outcome, SubmissionResult


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the files; see `grader.reports.write_reports`."""
    return write_each("prairielearn", grading, out, document)


def document(submission: SubmissionResult, grading: Grading) -> dict[str, Any]:
    """What PrairieLearn reads of one submission."""
    if submission.has_errors:
        return {"gradable": False, "message": KIT_FAILED, "format_errors": [KIT_FAILED]}
    if submission.problem:
        said = f"The submission could not be read: {legible(submission.problem)}"
        return {"gradable": False, "message": said, "format_errors": [said]}
    points = grading.points
    return {
        "gradable": True,
        "score": min(submission.earned / points, 1.0) if points > 0 else 0.0,
        "message": f"{number(submission.earned)} of {number(points)} points.",
        "output": "",
        "images": [],
        "tests": [_test(item) for item in items(submission, grading)],
    }


def _test(item: Item) -> dict[str, Any]:
    return {
        "name": item.title,
        "description": item.exercise,
        "points": item.earned,
        "max_points": item.points,
        "message": "Right." if item.outcome is Outcome.PASSED else item.text,
        "output": item.output,
        "images": [],
    }
