"""``lti.json``: scores of LTI's Assignment and Grade Services 2.0, to be sent by whoever may.

A list: each element is the body of one POST to the line item's ``/scores``. Without points, the
object says so in ``gradingProgress`` and carries no score, as the specification has it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.people import PersonScore, Scores
from grader.reports.documents import write_json
from grader.reports.items import KIT_FAILED
from grader.reports.standings import class_scores, graded_at, has_points
from grader.reports.text import number, one_line
from grader.results import Grading

NAME = "lti.json"


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the file; see `grader.reports.write_reports`."""
    return [write_json(out / NAME, documents(grading))]


def documents(grading: Grading) -> list[dict[str, Any]]:
    """One score for each person."""
    known = class_scores(grading)
    timestamp = graded_at(grading).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [
        {"userId": one_line(person.id), "timestamp": timestamp, **_progress(person, known)}
        for person in known.people
    ]


def _progress(person: PersonScore, known: Scores) -> dict[str, Any]:
    activity = "Submitted" if person.submission else "Initialized"
    if person.status == "not final":
        return {"activityProgress": activity, "gradingProgress": "Failed", "comment": KIT_FAILED}
    if not has_points(person) or known.maximum <= 0:
        return {"activityProgress": activity, "gradingProgress": "NotReady"}
    late = ""
    if person.after < person.before:
        late = f" {number(person.before)} before lateness was taken off."
    return {
        "activityProgress": activity,
        "gradingProgress": "FullyGraded",
        "scoreGiven": person.after,
        "scoreMaximum": known.maximum,
        "comment": f"{number(person.after)} of {number(known.maximum)} points.{late}",
    }
