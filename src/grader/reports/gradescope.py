"""Gradescope's ``results.json``, one for each student.

The fields are those of Gradescope's autograder specification. Hidden checks show themselves after
the due date. Where the kit failed there is no score at all, neither a whole one nor parts:
Gradescope then says that the autograder failed, and records nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.reports.documents import write_each
from grader.reports.items import KIT_FAILED, Asked, Item, items, seconds
from grader.reports.text import counted, number, one_line
from grader.results import Grading, Outcome, SubmissionResult

_STATUS = {Outcome.PASSED: "passed", Outcome.FAILED: "failed"}


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the files; see `grader.reports.write_reports`."""
    return write_each("gradescope", grading, out, document)


def document(submission: SubmissionResult, asked: Asked) -> dict[str, Any]:
    """What Gradescope reads of one submission."""
    final = not submission.has_errors
    evidence = asked.grading.evidence
    found: dict[str, Any] = {
        "output": _summary(submission, asked) if final else KIT_FAILED,
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        # What `kit grade` prints is for the instructor.
        "stdout_visibility": "hidden",
        "tests": [_test(item, final=final) for item in items(submission, asked)],
        "extra_data": {
            "sha256": submission.sha256,
            "kit_version": one_line(evidence.kit_version),
            "seed": evidence.seed,
            "sandbox": one_line(evidence.sandbox),
            "server": one_line(f"{evidence.server} {evidence.server_version}"),
        },
    }
    if final:
        found["score"] = submission.earned
    if (took := seconds(submission, asked.grading)) is not None:
        found["execution_time"] = took
    return found


def _summary(submission: SubmissionResult, asked: Asked) -> str:
    told = f"{number(submission.earned)} of {number(asked.points)} points."
    shown = {m for exercise in submission.exercises for m in exercise.misconceptions}
    if not shown:
        return told
    return f"{told} {counted(len(shown), 'misconception')} to look at: the tests below name them."


def _test(item: Item, *, final: bool) -> dict[str, Any]:
    output = [item.text]
    if item.output:
        output.append(f"Your code printed:\n{item.output}")
    found: dict[str, Any] = {
        "name": f"{item.exercise}: {item.title}",
        "name_format": "text",
        "number": item.number,
        "output": "\n\n".join(part for part in output if part),
        "output_format": "text",
        "visibility": "visible" if item.visible else "after_due_date",
    }
    if item.outcome in _STATUS:
        found["status"] = _STATUS[item.outcome]
    if final:
        found |= {"score": item.earned, "max_score": item.points}
    failure = item.check.failure if item.check else None
    if failure and failure.misconception:
        found["tags"] = [one_line(failure.misconception)]
    return found
