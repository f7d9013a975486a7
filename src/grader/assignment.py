"""What was asked of a class, by when, and what coming late costs: the tables of ``course.toml``.

::

    [assignment.week3]
    exercises = ["04_repository", "08_n_plus_one"]
    weights = { 08_n_plus_one = 2 }     # its points count twice; 1 where nothing is said
    due = 2026-11-20T23:59:00
    time_zone = "Europe/Berlin"
    attempts = "best"                   # or "last"

    [assignment.week3.late]
    grace_minutes = 15
    percent_per_day = 10                # for every day begun, of the points that were earned
    days = 3                            # after so many days nothing counts any more
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.errors import CatalogError
from grader.tomlfile import Table

_KEYS = {"title", "exercises", "weights", "due", "time_zone", "attempts", "late"}
_LATE_KEYS = {"grace_minutes", "percent_per_day", "days"}
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """What coming late costs. Without any of it coming late costs nothing."""

    grace: dt.timedelta = dt.timedelta()
    percent_per_day: float = 0
    """Of the points that were earned, for every day begun, grace apart: the first day begins at the
    due date."""
    days: int | None = None
    """After so many days nothing counts any more."""

    def share(self, late: dt.timedelta) -> float:
        """The share of the points that is left, from 0 to 1.

        Args:
            late: how long after the due date; negative where it was in time.
        """
        if late <= self.grace:
            return 1.0
        begun = -(-late // _DAY)
        if self.days is not None and begun > self.days:
            return 0.0
        return max(0.0, 1 - begun * self.percent_per_day / 100)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What was asked for."""

    name: str = ""
    title: str = ""
    exercises: tuple[str, ...] = ()
    """Names; empty for all of the course."""
    weights: Mapping[str, float] = field(default_factory=dict)
    due: dt.datetime | None = None
    """With its time zone."""
    time_zone: dt.tzinfo = dt.UTC
    """Of times that do not say theirs."""
    late: LatePolicy = LatePolicy()
    attempts: str = "best"
    """Which of several submissions counts: ``best`` or ``last``."""

    def weight(self, exercise: str) -> float:
        """What an exercise's points are multiplied by."""
        return self.weights.get(exercise, 1.0)


def read_assignment(name: str, table: Table, course: frozenset[str]) -> Assignment:
    """One table of ``course.toml``.

    Args:
        course: names of the exercises that there are.

    Raises:
        CatalogError: it is not well formed; the message names the file and the key.
    """
    table.only(_KEYS)
    exercises = table.texts("exercises", [])
    weights = table.get("weights", dict, {})
    for exercise in (*exercises, *weights):
        if exercise not in course:
            raise table.error("exercises", f"names {exercise!r}, which this course does not have.")
    for exercise, weight in weights.items():
        if exercises and exercise not in exercises:
            raise table.error("weights", f"names {exercise!r}, which is not asked for.")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
            raise table.error("weights", f"must be numbers from 0 up, not {weight!r}.")
    attempts = table.get("attempts", str, "best")
    if attempts not in ("best", "last"):
        raise table.error("attempts", f'is "best" or "last", not {attempts!r}.')
    zone = _zone(table)
    return Assignment(
        name=name,
        title=table.text("title", "") or name,
        exercises=exercises,
        weights={exercise: float(weight) for exercise, weight in weights.items()},
        due=_due(table, zone),
        time_zone=zone or dt.UTC,
        late=_late(table),
        attempts=attempts,
    )


def _zone(table: Table) -> dt.tzinfo | None:
    name = table.get("time_zone", str, "")
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise table.error(
            "time_zone", f"{name!r} is not known. Write it like Europe/Berlin."
        ) from error


def _due(table: Table, zone: dt.tzinfo | None) -> dt.datetime | None:
    due: dt.datetime = table.get("due", dt.datetime, dt.datetime.min)
    if due == dt.datetime.min:
        return None
    if due.tzinfo is None and zone is None:
        raise table.error("due", 'has no time zone. Add one: time_zone = "Europe/Berlin".')
    return due if due.tzinfo else due.replace(tzinfo=zone)


def _late(table: Table) -> LatePolicy:
    late = table.table("late", {})
    late.only(_LATE_KEYS)
    percent = late.number("percent_per_day", 0, highest=100)
    days = late.number("days", -1)
    return LatePolicy(
        grace=dt.timedelta(minutes=late.number("grace_minutes", 0)),
        percent_per_day=percent,
        days=None if days < 0 else int(days),
    )


def parse_time(text: str, zone: dt.tzinfo) -> dt.datetime:
    """A time in ISO 8601, in ``zone`` where it does not say its own.

    Raises:
        CatalogError: it is none.
    """
    try:
        time = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise CatalogError(
            f"{text!r} is no time. Write it like 2026-11-20T23:59:00+01:00."
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=zone)
