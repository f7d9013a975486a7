"""``results.json``: all that is known, for programs; its schema is ``docs/results.schema.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.reports.files import write_whole
from grader.results import Grading, heading_to_json, submission_to_json

NAME = "results.json"


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the file; see `grader.reports.write_reports`."""
    return [write_whole(out / NAME, encoded(grading))]


def encoded(grading: Grading) -> Iterator[bytes]:
    """The file's bytes, piece by piece: a class need not fit into memory twice.

    A submission is a line, and keys are sorted: two gradings can be compared with ``diff``, and one
    submission more or less changes no byte of the other lines.
    """
    maximum, points = grading.maximum, grading.points
    heading = heading_to_json(grading)
    timings = heading.pop("timings")
    lead = b"{"
    for key, value in sorted(heading.items()):
        yield lead + _dumped(key) + b": " + _dumped(value)
        lead = b",\n"
    yield b',\n"submissions": ['
    lead = b"\n"
    for submission in grading.submissions:
        yield lead + _dumped(submission_to_json(submission, maximum, points))
        lead = b",\n"
    yield b'\n],\n"timings": ' + _dumped(timings) + b"}\n"


def _dumped(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    # The judge lets no lone surrogate through; if one comes, the file must still be readable.
    return text.encode("utf-8", errors="replace")
