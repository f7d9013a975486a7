"""Rows of a small school, made so that every careless figure about them comes out wrong."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from grader.checks.data import Data

Rows = list[dict[str, Any]]
_FIRST_MONTH = 2026 * 12 + 1
_CENTS = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class School:
    """Rows to be stored, by topic; ids are unique within each.

    In every school there are

    - somebody who is enrolled nowhere, a track without lessons, a track that nobody takes, and two
      tracks that are equally popular;
    - people with several tracks, lessons and payments, so that joining all of them multiplies;
    - lessons of 0 minutes and lessons whose minutes are NULL; scores of 0, scores that are NULL,
      and somebody all of whose scores are;
    - progress that was begun and not completed, and shares that are no whole numbers;
    - payments with cents, refunded, pending and paid, at the first and last moment of a month, and
      a month without any.
    """

    users: Rows = field(default_factory=list)
    """``id``, ``name``, ``email``."""
    tracks: Rows = field(default_factory=list)
    """``id``, ``title``, ``price``, ``is_published``."""
    lessons: Rows = field(default_factory=list)
    """``id``, ``track_id``, ``title``, ``position`` (from 1), ``minutes`` (or None)."""
    enrollments: Rows = field(default_factory=list)
    """``id``, ``user_id``, ``track_id``, ``enrolled_at``."""
    progress: Rows = field(default_factory=list)
    """``id``, ``user_id``, ``lesson_id``, ``completed``, ``score`` (0 to 100, or None)."""
    payments: Rows = field(default_factory=list)
    """``id``, ``user_id``, ``track_id``, ``amount``, ``status`` (``paid``, ``refunded``,
    ``pending``), ``paid_at``."""


def make_school(data: Data, *, users: int = 7, tracks: int = 6, months: int = 5) -> School:
    """A school of these sizes.

    Args:
        data: where chance comes from.
        users: 5 or more.
        tracks: 5 or more.
        months: of payments, 4 or more.
    """
    if users < 5 or tracks < 5 or months < 4:
        msg = "a school takes 5 users, 5 tracks and 4 months at least"
        raise ValueError(msg)
    school = School()
    for number in range(1, users + 1):
        person = {"id": number, "name": f"{data.name()} {data.word()}", "email": data.email()}
        school.users.append(person)
    for number in range(1, tracks + 1):
        price = Decimal(data.number(1000, 9900)) * _CENTS
        title = f"{data.word()} {data.word()}".capitalize()
        published = number != tracks - 2
        school.tracks.append(
            {"id": number, "title": title, "price": price, "is_published": published}
        )
    _add_lessons(school, data)
    _add_enrollments(school, data)
    _add_progress(school, data)
    _add_payments(school, data, months)
    return school


def _add_lessons(school: School, data: Data) -> None:
    """Three lessons or more each; none in the last track."""
    for track in school.tracks[:-1]:
        length = data.number(3, 5)
        for position in range(1, length + 1):
            minutes = {1: data.number(5, 90), 2: 0, 3: None}.get(position, data.number(5, 90))
            school.lessons.append(
                {
                    "id": len(school.lessons) + 1,
                    "track_id": track["id"],
                    "title": f"{data.word()} {data.word()}".capitalize(),
                    "position": position,
                    "minutes": minutes,
                }
            )


def _add_enrollments(school: School, data: Data) -> None:
    """All but the last user in the first track; in the second and third equally many; nobody in the
    last but one; somebody in the one without lessons.
    """
    active = [user["id"] for user in school.users[:-1]]
    taking: dict[int, list[int]] = {track["id"]: [] for track in school.tracks}
    numbers = list(taking)
    taking[numbers[0]] = active
    taking[numbers[1]] = active[:2]
    taking[numbers[2]] = [active[0], active[2]]
    taking[numbers[-1]] = active[1:2]
    for number in numbers[3:-2]:
        taking[number] = sorted(data.rng.sample(active, data.number(1, len(active) - 1)))
    for track, people in taking.items():
        for person in people:
            when = _moment(_FIRST_MONTH, data.number(1, 28), data.number(0, 23))
            school.enrollments.append(
                {
                    "id": len(school.enrollments) + 1,
                    "user_id": person,
                    "track_id": track,
                    "enrolled_at": when,
                }
            )


def _add_progress(school: School, data: Data) -> None:
    """One lesson of each enrolment is completed and one begun; the fourth user has no score."""
    for enrollment in school.enrollments:
        lessons = [x for x in school.lessons if x["track_id"] == enrollment["track_id"]]
        for lesson in lessons[: data.number(2, len(lessons))] if lessons else []:
            position = lesson["position"]
            score = {1: data.number(1, 100), 2: 0, 3: None}.get(position, data.number(1, 100))
            school.progress.append(
                {
                    "id": len(school.progress) + 1,
                    "user_id": enrollment["user_id"],
                    "lesson_id": lesson["id"],
                    "completed": position != 2,
                    "score": None if enrollment["user_id"] == 4 else score,
                }
            )


def _add_payments(school: School, data: Data, months: int) -> None:
    """One for each enrolment in a track with a price, and the edges of months; none in the second
    month.
    """
    offsets = [0, *range(2, months)]
    prices = {track["id"]: track["price"] for track in school.tracks}

    def pay(enrollment: dict[str, Any], status: str, when: dt.datetime) -> None:
        school.payments.append(
            {
                "id": len(school.payments) + 1,
                "user_id": enrollment["user_id"],
                "track_id": enrollment["track_id"],
                "amount": prices[enrollment["track_id"]],
                "status": status,
                "paid_at": when,
            }
        )

    for number, enrollment in enumerate(school.enrollments):
        status = ("paid", "paid", "refunded", "paid", "pending")[number % 5]
        month = _FIRST_MONTH + offsets[number % len(offsets)]
        pay(enrollment, status, _moment(month, data.number(2, 27), data.number(0, 23)))
    pay(school.enrollments[0], "paid", _moment(_FIRST_MONTH + 2, 1, 0))
    last = _moment(_FIRST_MONTH + 4, 1, 0) - dt.timedelta(microseconds=1)
    pay(school.enrollments[1], "paid", last)


def _moment(month: int, day: int, hour: int) -> dt.datetime:
    """A moment in UTC; months are counted from the year 0."""
    year, index = divmod(month - 1, 12)
    return dt.datetime(year, index + 1, day, hour, tzinfo=dt.UTC)
