"""From a number to rows: the demo data as plain dictionaries, before any database is asked.

Every random choice has a generator of its own, named after what it decides. So a further learner,
or a further column, changes nothing about the rows that were there before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

from argon2.low_level import Type, hash_secret

from tracker.identifiers import uuid7_from
from tracker.models import Role
from tracker.repositories.certificates import NUMBER_ALPHABET, certificate_number
from tracker.seeding.content import TRACKS, DemoTrack
from tracker.seeding.people import CAST, Person, learners
from tracker.slugs import slugify

DEMO_PASSWORD = "correct horse battery staple"  # noqa: S105 (printed in the documentation)

# The last moment of the demo data. Fixed, or the same number would give other rows tomorrow.
UNTIL = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

Row = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much demo data."""

    learners: int


SIZES = {"small": Size(learners=20)}


@dataclass
class Plan:
    """All rows of the demo data, by table."""

    users: list[Row] = field(default_factory=list)
    tracks: list[Row] = field(default_factory=list)
    lessons: list[Row] = field(default_factory=list)
    enrollments: list[Row] = field(default_factory=list)
    track_progress: list[Row] = field(default_factory=list)
    lesson_progress: list[Row] = field(default_factory=list)
    certificates: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)


def make_plan(number: int, size: Size) -> Plan:
    """Return the demo data that belongs to a number: always the same, on every machine."""
    plan = Plan()
    people = [*CAST, *learners(number, size.learners)]
    plan.users = _users(number, people)
    user_ids = {user["username"]: user["id"] for user in plan.users}
    for track in TRACKS:
        _add_track(plan, number, track, user_ids[track.author])
    for person in people:
        if person.role is Role.STUDENT:
            _add_progress(plan, number, person, user_ids[person.username])
    return plan


def _random(number: int, *name: object) -> Random:
    return Random("/".join(str(part) for part in (number, *name)))  # noqa: S311 (not secret)


def _identifier(random: Random, moment: datetime) -> UUID:
    return uuid7_from(int(moment.timestamp()) * 1_000_000_000, random.getrandbits(62))


def _row(random: Random, created_at: datetime, **columns: Any) -> Row:
    return {
        "id": _identifier(random, created_at),
        **columns,
        "created_at": created_at,
        "updated_at": created_at,
    }


def _users(number: int, people: Iterable[Person]) -> list[Row]:
    password_hash = demo_password_hash(number)
    rows = []
    for person in people:
        random = _random(number, "user", person.username)
        joined = UNTIL - timedelta(minutes=random.randrange(200, 400) * 24 * 60)
        rows.append(
            _row(
                random,
                joined,
                email=person.email,
                username=person.username,
                password_hash=password_hash,
                first_name=person.first_name,
                last_name=person.last_name,
                bio=person.bio,
                role=person.role,
                is_active=person.is_active,
            )
        )
    return rows


def demo_password_hash(number: int) -> str:
    """Hash the demo password once for all demo users: argon2 is slow on purpose.

    The salt is made from the number, where a real one is random: the same number must give the same
    rows. Nothing is lost by that, since the password itself is public.
    """
    salt = sha256(f"demo/{number}".encode()).digest()[:16]
    return hash_secret(
        DEMO_PASSWORD.encode(),
        salt,
        time_cost=3,
        memory_cost=65536,
        parallelism=4,
        hash_len=32,
        type=Type.ID,
    ).decode()


def _add_track(plan: Plan, number: int, track: DemoTrack, author_id: UUID) -> None:
    random = _random(number, "track", track.title)
    written = UNTIL - timedelta(days=random.randrange(150, 200), minutes=random.randrange(1440))
    row = _row(
        random,
        written,
        title=track.title,
        description=track.description,
        difficulty=track.difficulty,
        tags=list(track.tags),
        estimated_hours=track.hours,
        is_published=track.is_published,
        published_at=written if track.is_published else None,
        slug=slugify(track.title),
        price_cents=track.price_cents,
        author_id=author_id,
    )
    plan.tracks.append(row)
    for position, lesson in enumerate(track.lessons, start=1):
        plan.lessons.append(
            _row(
                _random(number, "lesson", track.title, lesson.title),
                written + timedelta(hours=position),
                title=lesson.title,
                content=lesson.content,
                duration_minutes=lesson.minutes,
                position=position,
                is_preview=position == 1,
                is_published=track.is_published,
                track_id=row["id"],
            )
        )


def _add_progress(plan: Plan, number: int, person: Person, user_id: UUID) -> None:
    """Enroll a learner in some tracks, and let them complete the lessons up to some point."""
    random = _random(number, "progress", person.username)
    published = [track for track in plan.tracks if track["is_published"]]
    for track in random.sample(published, k=random.randint(1, 3)):
        lessons = [lesson for lesson in plan.lessons if lesson["track_id"] == track["id"]]
        enrolled = UNTIL - timedelta(days=random.randrange(20, 140), minutes=random.randrange(1440))
        finished = random.randint(0, len(lessons))
        if track["price_cents"]:
            _add_payment(plan, random, user_id, track, enrolled - timedelta(minutes=1))
        moment = enrolled
        for index, lesson in enumerate(lessons):
            row = _row(
                random,
                enrolled,
                user_id=user_id,
                lesson_id=lesson["id"],
                completed=False,
                completed_at=None,
                time_spent_minutes=0,
                score=None,
                last_accessed_at=enrolled,
            )
            if index < finished:
                moment += timedelta(hours=random.randint(2, 72))
                row |= _completion(random, min(moment, UNTIL), lesson["duration_minutes"])
            plan.lesson_progress.append(row)
        _add_enrollment(
            plan,
            random,
            user_id,
            track,
            enrolled=enrolled,
            last=min(moment, UNTIL),
            finished=finished,
            total=len(lessons),
        )


def _add_enrollment(
    plan: Plan,
    random: Random,
    user_id: UUID,
    track: Row,
    *,
    enrolled: datetime,
    last: datetime,
    finished: int,
    total: int,
) -> None:
    completed_at = last if finished == total else None
    shared = {
        "user_id": user_id,
        "track_id": track["id"],
        "completed_at": completed_at,
    }
    enrollment = _row(
        random,
        enrolled,
        **shared,
        status="completed" if completed_at else "active",
        enrolled_at=enrolled,
    )
    progress = _row(
        random,
        enrolled,
        **shared,
        completed_lessons=finished,
        total_lessons=total,
        started_at=enrolled,
        last_accessed_at=last,
    )
    plan.enrollments.append(enrollment | {"updated_at": last})
    plan.track_progress.append(progress | {"updated_at": last})
    if completed_at:
        certificate = _row(
            random,
            completed_at,
            user_id=user_id,
            track_id=track["id"],
            track_title=track["title"],
            number=certificate_number("".join(random.choices(NUMBER_ALPHABET, k=9))),
            issued_at=completed_at,
        )
        plan.certificates.append(certificate)


def _add_payment(plan: Plan, random: Random, user_id: UUID, track: Row, moment: datetime) -> None:
    plan.payments.append(
        _row(
            random,
            moment,
            user_id=user_id,
            track_id=track["id"],
            track_title=track["title"],
            amount_cents=track["price_cents"],
            currency="USD",
            status="completed",
            provider="demo",
            provider_payment_id=f"demo-{random.getrandbits(64):016x}",
            completed_at=moment,
        )
    )


def _completion(random: Random, moment: datetime, minutes: int) -> Row:
    score = min(100.0, max(0.0, random.gauss(80, 12)))
    return {
        "completed": True,
        "completed_at": moment,
        "last_accessed_at": moment,
        "time_spent_minutes": round(minutes * random.uniform(0.7, 1.6)),
        "score": Decimal(round(score * 2)) / 2,  # to half a percent
        "updated_at": moment,
    }
