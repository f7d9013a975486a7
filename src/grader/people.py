"""What people get for an assignment, as data: `grader.scores` makes it, reports show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Attempt:
    """One submission of a person, as it counts for an assignment."""

    submission: str
    """`SubmissionResult.student`."""
    submitted_at: str
    """ISO 8601, UTC; empty where it is not known, which is never late."""
    late_seconds: int
    """After the person's due date, extension included."""
    before: float
    """Points by the assignment's weights."""
    after: float
    """What is left of them when lateness has been taken off."""


@dataclass(frozen=True, slots=True)
class PersonScore:
    """What one person gets for an assignment."""

    id: str
    name: str
    email: str
    section: str
    status: str
    """``graded``, ``not final`` (the kit was at fault somewhere), ``missing`` or ``excused``."""
    submission: str
    """The attempt that counts; empty where there is none."""
    before: float
    after: float
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """What a class gets for an assignment; see `grader.scores`."""

    assignment: str
    title: str
    due: str
    """ISO 8601 with its time zone; empty where there is none."""
    maximum: float
    people: tuple[PersonScore, ...]
    """Sorted by id."""
    strangers: tuple[str, ...] = ()
    """Submissions that the roster does not know."""
    due_zone: str = ""
    """Abbreviation of the due date's time zone, such as ``CET``; empty where it has none."""


def scores_from_json(data: Mapping[str, Any]) -> Scores:
    """The scores that a ``results.json`` holds.

    Raises:
        KeyError, TypeError: they are not well formed.
    """
    people = tuple(
        PersonScore(**{**person, "attempts": tuple(Attempt(**a) for a in person["attempts"])})
        for person in data["people"]
    )
    return Scores(**{**data, "people": people, "strangers": tuple(data["strangers"])})
