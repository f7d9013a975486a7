"""``scores.csv``: one row per person of the roster, with what lateness took off."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from grader.people import Scores
from grader.reports.files import write_whole
from grader.reports.gradebook import csv_row, inert
from grader.reports.score_words import score_rows
from grader.reports.text import number
from grader.results import Grading

NAME = "scores.csv"
_HEADS = "id name email section submission submitted_at late before score max percent note"


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the file, where an assignment or a roster was given."""
    if grading.scores is None:
        return []
    return [write_whole(out / NAME, (row.encode() for row in _rows(grading.scores)))]


def _rows(scores: Scores) -> Iterator[str]:
    yield csv_row(_HEADS.split())
    for person, row in zip(scores.people, score_rows(scores), strict=True):
        times = {a.submission: a.submitted_at for a in person.attempts}
        cells = dataclasses.asdict(row)
        yield csv_row(
            [
                *(inert(cells[key]) for key in ("id", "name")),
                inert(person.email),
                *(inert(cells[key]) for key in ("section", "submission")),
                inert(times.get(person.submission, "")),
                *(cells[key] for key in ("late", "before", "after")),
                number(scores.maximum),
                row.percent,
                row.note,
            ]
        )
