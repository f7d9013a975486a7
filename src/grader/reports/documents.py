"""Reports that are JSON: one document for each student, or one for the class."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.reports.files import write_whole
from grader.reports.items import Asked
from grader.reports.names import page_names
from grader.results import Grading, SubmissionResult


def write_each(
    kind: str,
    grading: Grading,
    out: Path,
    document: Callable[[SubmissionResult, Asked], dict[str, Any]],
) -> list[Path]:
    """Write ``results.KIND.json`` for a single submission, ``KIND/STUDENT.json`` for a class.

    Args:
        kind: the format's name.
        grading: what was found.
        out: the folder for reports.
        document: makes a submission's document.
    """
    submissions, asked = grading.submissions, Asked.of(grading)
    if len(submissions) == 1:
        return [write_json(out / f"results.{kind}.json", document(submissions[0], asked))]
    pages = page_names(submission.student for submission in submissions)
    return [
        write_json(out / kind / f"{pages[submission.student]}.json", document(submission, asked))
        for submission in submissions
    ]


def write_json(path: Path, value: Any) -> Path:
    """Write a document that people can read too, whole or not at all."""
    return write_whole(path, [encoded(value)])


def encoded(value: Any) -> bytes:
    """The document's bytes."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    return text.encode("utf-8", errors="replace") + b"\n"
