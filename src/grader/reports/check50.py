"""check50's JSON (``check50 --output json``), one document for each student.

``passed`` is null for a check that could not be carried out; why is in its cause.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from grader.reports.documents import write_each
from grader.reports.items import KIT_FAILED, Asked, Item, items
from grader.reports.text import legible, one_line
from grader.results import Failure, Grading, Outcome, SubmissionResult

VERSION = "3.5.0"
"""Of check50: the one whose format this is."""

_PASSED = {Outcome.PASSED: True, Outcome.FAILED: False, Outcome.ERROR: None}


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the files; see `grader.reports.write_reports`."""
    return write_each("check50", grading, out, document)


def document(submission: SubmissionResult, asked: Asked) -> dict[str, Any]:
    """What readers of check50's JSON read of one submission."""
    return {
        "slug": re.sub(r"[^a-z0-9]+", "-", asked.grading.course.lower()).strip("-") or "course",
        "results": [_result(item) for item in items(submission, asked)],
        "version": VERSION,
    }


def _result(item: Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "description": f"{item.exercise}: {item.title}",
        "passed": _PASSED[item.outcome],
        "log": item.output.splitlines(),
        "cause": None if item.outcome is Outcome.PASSED else _cause(item),
        "data": {"points": item.points, "earned": item.earned, "hidden": not item.visible},
        "dependency": None,
    }


def _cause(item: Item) -> dict[str, Any]:
    failure = item.check.failure if item.check else None
    if item.outcome is Outcome.ERROR:
        return {"rationale": KIT_FAILED, "help": None, "error": _error(failure, item)}
    if failure is None:
        return {"rationale": item.text, "help": None}
    cause: dict[str, Any] = {
        "rationale": legible(failure.message),
        "help": legible(failure.question) or None,
    }
    if failure.expected or failure.actual:
        cause |= {"expected": legible(failure.expected), "actual": legible(failure.actual)}
    return cause


def _error(failure: Failure | None, item: Item) -> dict[str, Any]:
    return {
        "type": str(failure.reason) if failure else "kit",
        "value": one_line(failure.message if failure else item.text, 2000),
        "traceback": legible(failure.traceback).splitlines() if failure else [],
        "data": {},
    }
