"""``results.json`` of Exercism's test runner interface, version 3, one for each student.

Its ``error`` means that no test was executed. A submission that could not be read, or at which the
kit failed, is told so: what is known of the other checks is no verdict until all were run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.reports.documents import write_each
from grader.reports.items import KIT_FAILED, Asked, Item, items
from grader.reports.text import legible
from grader.results import Grading, Outcome, SubmissionResult

MAX_MESSAGE = 65_535
MAX_OUTPUT = 500
_CUT = "… (cut)"


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the files; see `grader.reports.write_reports`."""
    return write_each("exercism", grading, out, document)


def document(submission: SubmissionResult, asked: Asked) -> dict[str, Any]:
    """What Exercism reads of one submission."""
    if submission.has_errors:
        return _error(KIT_FAILED)
    if submission.problem:
        return _error(f"The submission could not be read: {legible(submission.problem)}")
    if not any(exercise.handed_in for exercise in submission.exercises):
        return _error("Nothing was handed in.")
    tests = [_test(item) for item in items(submission, asked)]
    passed = all(test["status"] == "pass" for test in tests)
    return {"version": 3, "status": "pass" if passed else "fail", "tests": tests}


def _error(message: str) -> dict[str, Any]:
    return {"version": 3, "status": "error", "message": _cut(message, MAX_MESSAGE), "tests": []}


def _test(item: Item) -> dict[str, Any]:
    passed = item.outcome is Outcome.PASSED
    found: dict[str, Any] = {
        "name": item.title,
        # The code of a check is not part of the results; its name finds it.
        "test_code": item.name,
        "status": "pass" if passed else "fail",
        "task_id": int(item.number.partition(".")[0]),
    }
    if not passed:
        found["message"] = _cut(item.text, MAX_MESSAGE)
    if item.output:
        found["output"] = _cut(item.output, MAX_OUTPUT)
    return found


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - len(_CUT)]}{_CUT}"
