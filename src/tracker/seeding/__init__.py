"""Demo data: the same for the same number, as often as you like, and checked afterwards."""

from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.errors import SeedingError
from tracker.models import (
    Base,
    Certificate,
    Enrollment,
    Lesson,
    LessonProgress,
    Payment,
    Track,
    TrackProgress,
    User,
)
from tracker.seeding.checks import checksum, problems
from tracker.seeding.plan import DEMO_PASSWORD, SIZES, Plan, Row, make_plan

__all__ = ["DEMO_PASSWORD", "SIZES", "Seeded", "checksum", "seed"]


@dataclass(frozen=True)
class Seeded:
    """What a run of the seeder did."""

    inserted: dict[str, int]  # new rows by table; all zero when everything was there already


def seed(session: Session, number: int = 1, size: str = "small") -> Seeded:
    """Fill the tables with demo data, in one transaction.

    A row that is there already is left as it is, so a second run changes nothing, and neither
    does it undo what somebody has edited since. Seeding is not a reset.

    Arguments:
        number: which demo data; the same number gives the same rows on every machine.
        size: how much of it, one of `SIZES`.

    Raises:
        SeedingError: a demo user's email address or username belongs to somebody else, or the data
            in the tables is not what it should be; nothing was changed.
    """
    if size not in SIZES:
        raise SeedingError(f"There is no size {size!r}. Choose one of: {', '.join(SIZES)}.")
    plan = make_plan(number, SIZES[size])
    with unit_of_work(session):
        inserted = _insert_all(session, plan)
        if found := problems(session, plan):
            raise SeedingError("The demo data is not right. " + " ".join(found))
    return Seeded(inserted)


def _insert_all(session: Session, plan: Plan) -> dict[str, int]:
    inserted = {"users": _insert_missing(session, User, plan.users)}
    _require_users(session, plan.users)
    inserted["tracks"] = _insert_missing(session, Track, plan.tracks)
    inserted["lessons"] = _insert_missing(session, Lesson, plan.lessons, key=["id"])
    inserted["enrollments"] = _insert_missing(session, Enrollment, plan.enrollments)
    inserted["track_progress"] = _insert_missing(session, TrackProgress, plan.track_progress)
    inserted["lesson_progress"] = _insert_missing(session, LessonProgress, plan.lesson_progress)
    inserted["certificates"] = _insert_missing(session, Certificate, plan.certificates)
    inserted["payments"] = _insert_missing(session, Payment, plan.payments)
    return inserted


def _insert_missing(
    session: Session, model: type[Base], rows: list[Row], *, key: list[str] | None = None
) -> int:
    """Insert the rows that are not there yet, in one statement, and return how many.

    Arguments:
        key: the columns that say that a row is there; by default those of any unique constraint. A
            table with a deferrable constraint needs it: ON CONFLICT cannot wait for that one.
    """
    table = cast(Table, model.__table__)
    statement = insert(table).on_conflict_do_nothing(index_elements=key).returning(table.c.id)
    return len(session.execute(statement, rows).all())


def _require_users(session: Session, rows: list[Row]) -> None:
    """Make sure that a demo user was not left out because somebody else has the name or address."""
    ids = [row["id"] for row in rows]
    present = set(session.scalars(select(User.id).where(User.id.in_(ids))))
    missing = [row["username"] for row in rows if row["id"] not in present]
    if missing:
        raise SeedingError(
            f"These usernames or email addresses belong to other users: {', '.join(missing)}. "
            "Seed an empty database, or reset this one first."
        )
