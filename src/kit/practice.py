"""How far the learner is, as the tracker says; for showing, for programs, and to take away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.reports.files import write_whole
from grader.reports.gradebook import csv_row, inert
from kit.errors import WrongUsage
from kit.outline import exercise_slug
from kit.records import Records
from tracker.analytics import practice as figures
from tracker.analytics.practice import Calibration, LessonPractice, OpenMisconception
from tracker.repositories import lessons
from tracker.repositories import practice as stored

FORMATS = (".csv", ".json")
_COLUMNS = (
    "at", "what", "lesson", "earned", "points", "misconceptions", "rung", "question", "answer",
    "confidence", "is_correct",
)  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """What a learner did in a course."""

    course: str
    exercises: tuple[LessonPractice, ...]
    predictions: int
    """In all, compared or not."""
    calibration: Calibration
    open: tuple[OpenMisconception, ...]

    @property
    def done(self) -> int:
        """How many exercises had all points once."""
        return sum(one.completed for one in self.exercises)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "course": self.course,
            "done": self.done,
            "exercises": [_exercise(one) for one in self.exercises],
            "open_misconceptions": [
                {
                    "exercise": one.slug,
                    "misconception": one.misconception,
                    "attempts": one.attempts,
                    "first_seen_at": one.first_seen_at.isoformat(),
                }
                for one in self.open
            ],
            "predictions": {
                "made": self.predictions,
                "compared": self.calibration.predictions,
                "brier_score": _number(self.calibration.brier_score),
                "bins": [
                    {
                        "confidence": [one.lowest, one.highest],
                        "predictions": one.predictions,
                        "mean_confidence": _number(one.mean_confidence),
                        "percent_right": _number(one.percent_right),
                    }
                    for one in self.calibration.bins
                ],
            },
        }


def progress_of(records: Records, course: str, names: list[str]) -> Progress:
    """How far the learner is.

    Args:
        records: brought up to date.
        course: the course's title.
        names: of its exercises, in order.
    """
    session, user_id, track_id = records.session, records.user_id, records.track_id
    by_slug = {one.slug: one for one in figures.by_lesson(session, user_id, track_id)}
    return Progress(
        course,
        tuple(by_slug[exercise_slug(name)] for name in names),
        sum(one.predictions for one in by_slug.values()),
        figures.calibration(session, user_id, track_id),
        tuple(figures.open_misconceptions(session, user_id, track_id)),
    )


def refuse_unwritable(path: Path) -> None:
    """Find out early that nothing can be exported there.

    Raises:
        WrongUsage: it is neither .csv nor .json, or there is no such folder.
    """
    if path.suffix.lower() not in FORMATS:
        msg = f"{path} is neither .csv nor .json: its ending says what is written."
        raise WrongUsage(msg)
    if path.is_dir() or not path.absolute().parent.is_dir():
        msg = f"{path} cannot be written: name a file in a folder that is there."
        raise WrongUsage(msg)


def export(records: Records, path: Path) -> int:
    """Write everything that the learner did in the course to a file, whole or not at all.

    Args:
        records: brought up to date.
        path: ends in ``.csv`` (a line for each event) or ``.json`` (with every check).

    Returns:
        The number of events.

    Raises:
        ReportError: nothing can be written there.
    """
    events = sorted(_events(records), key=lambda event: (event["at"], event["what"]))
    text = _csv(events) if path.suffix.lower() == ".csv" else _json(events)
    write_whole(path, [text.encode()])
    return len(events)


def _events(records: Records) -> Iterator[dict[str, Any]]:
    session, user_id = records.session, records.user_id
    slugs = {one.id: one.slug for one in lessons.of_track(session, records.track_id)}
    for attempt in stored.attempts_of(session, user_id):
        if attempt.lesson_id in slugs:
            checks = [
                {
                    "name": check.name,
                    "title": check.title,
                    "points": float(check.points),
                    "earned": float(check.earned),
                    "outcome": check.outcome.value,
                    "misconception": check.misconception,
                }
                for check in attempt.checks
            ]
            yield {
                "at": _moment(attempt.attempted_at),
                "what": "attempt" if attempt.source == "check" else "grading",
                "lesson": slugs[attempt.lesson_id],
                "earned": float(attempt.earned),
                "points": float(attempt.points),
                "misconceptions": sorted(
                    {c.misconception for c in attempt.checks if c.misconception}
                ),
                "seed": attempt.seed,
                "kit_version": attempt.kit_version,
                "checks": checks,
            }
    for hint in stored.hints_of(session, user_id):
        if hint.lesson_id in slugs:
            yield {
                "at": _moment(hint.taken_at),
                "what": "hint",
                "lesson": slugs[hint.lesson_id],
                "misconceptions": [hint.misconception],
                "rung": hint.rung,
            }
    for made in stored.predictions_of(session, user_id):
        if made.lesson_id in slugs:
            yield {
                "at": _moment(made.predicted_at),
                "what": "prediction",
                "lesson": slugs[made.lesson_id],
                "question": made.question,
                "answer": made.answer,
                "confidence": made.confidence,
                "is_correct": made.is_correct,
            }


def _csv(events: list[dict[str, Any]]) -> str:
    lines = [csv_row(list(_COLUMNS))]
    for event in events:
        plain = event | {"misconceptions": " ".join(event.get("misconceptions", ()))}
        lines.append(csv_row([_cell(plain.get(column)) for column in _COLUMNS]))
    return "".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:g}"


def _json(events: list[dict[str, Any]]) -> str:
    return json.dumps(events, indent=2, ensure_ascii=False) + "\n"


def _exercise(one: LessonPractice) -> dict[str, Any]:
    return {
        "exercise": one.slug,
        "title": one.title,
        "completed": one.completed,
        "best_percent": _number(one.best_score),
        "attempts": one.attempts,
        "percents": [float(score) for score in one.scores],
        "earned": _number(one.earned),
        "points": _number(one.points),
        "hints": one.hints,
        "last_attempt_at": _moment(one.last_attempt_at) if one.last_attempt_at else None,
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _moment(at: datetime) -> str:
    return at.isoformat()
