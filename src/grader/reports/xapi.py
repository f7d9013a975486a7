"""``xapi.json``: a list of xAPI 1.0.3 statements, which a learning record store takes in one POST.

For each student and each exercise that was handed in: *scored*, or, where the kit failed,
*attempted* without a result. The id of a statement is made from what it says, so that sending the
file twice stores nothing twice.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from grader.people import PersonScore
from grader.reports.documents import write_json
from grader.reports.options import Options
from grader.reports.standings import class_scores, graded_at, shown_name, submitted_at
from grader.reports.text import legible, one_line
from grader.results import ExerciseResult, Grading

NAME = "xapi.json"
NOWHERE = "https://kit.invalid"
"""The site where none is named: an address that can belong to nobody (RFC 2606)."""

_VERBS = "http://adlnet.gov/expapi/verbs/"
_ASSESSMENT = "http://adlnet.gov/expapi/activities/assessment"
_NAMESPACE = uuid.UUID("6f1f0b5e-6a0e-5c07-9a35-0c5f5f3f6d0a")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def write(grading: Grading, out: Path, options: Options) -> list[Path]:
    """Write the file; see `grader.reports.write_reports`."""
    return [write_json(out / NAME, list(statements(grading, options)))]


def statements(grading: Grading, options: Options) -> Iterator[dict[str, Any]]:
    """What everybody did, sorted by person and exercise."""
    submissions = {submission.student: submission for submission in grading.submissions}
    worth = grading.maximum
    site = (options.site or NOWHERE).rstrip("/")
    for person in class_scores(grading).people:
        submission = submissions.get(person.submission)
        for exercise in submission.exercises if submission else ():
            if exercise.handed_in:
                found = _statement(person, exercise, grading, site)
                if not exercise.has_errors:
                    most = worth[exercise.exercise]
                    found["result"] = _result(person, exercise, grading, most)
                yield {"id": _id(found), **found}


def _id(statement: dict[str, Any]) -> str:
    said = json.dumps(statement, sort_keys=True)
    return str(uuid.uuid5(_NAMESPACE, said))


def _statement(
    person: PersonScore, exercise: ExerciseResult, grading: Grading, site: str
) -> dict[str, Any]:
    verb = "attempted" if exercise.has_errors else "scored"
    name = legible(exercise.exercise)
    return {
        "actor": _actor(person, site),
        "verb": {"id": f"{_VERBS}{verb}", "display": {"en": verb}},
        "object": {
            "objectType": "Activity",
            "id": f"{site}/exercises/{quote(name, safe='', errors='replace')}",
            "definition": {"type": _ASSESSMENT, "name": {"en": one_line(exercise.title)}},
        },
        "timestamp": (submitted_at(person) or graded_at(grading)).isoformat(),
    }


def _actor(person: PersonScore, site: str) -> dict[str, Any]:
    actor = {"objectType": "Agent", "name": one_line(shown_name(person))}
    if _EMAIL.fullmatch(person.email):
        return {**actor, "mbox": f"mailto:{person.email}"}
    return {**actor, "account": {"homePage": site, "name": one_line(person.id)}}


def _result(
    person: PersonScore, exercise: ExerciseResult, grading: Grading, worth: float
) -> dict[str, Any]:
    score: dict[str, float] = {"raw": exercise.earned, "min": 0, "max": worth}
    if worth > 0:
        score["scaled"] = min(exercise.earned / worth, 1.0)
    else:
        # A maximum has to be above the minimum.
        score = {"raw": exercise.earned}
    found: dict[str, Any] = {
        "score": score,
        "success": exercise.earned >= worth,
        "completion": True,
    }
    seconds = [
        grading.seconds(person.submission, exercise.exercise, check.name)
        for check in exercise.checks
    ]
    measured = [took for took in seconds if took is not None]
    if measured:
        found["duration"] = f"PT{sum(measured):.2f}S"
    return found
