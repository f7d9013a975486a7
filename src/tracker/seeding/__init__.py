"""Demo data: the same for the same number, as often as you like, and checked afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import DDL, func, select
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.errors import SeedingError
from tracker.models import Base, User
from tracker.seeding import inserting, loading
from tracker.seeding.checks import checksum, missing, problems
from tracker.seeding.plan import Size, make_plan
from tracker.seeding.rows import DEMO_PASSWORD, Plan
from tracker.seeding.school import LargeSize, School

if TYPE_CHECKING:
    from tracker.caching import Cache

__all__ = ["DEMO_PASSWORD", "SIZES", "LargeSize", "Seeded", "Size", "checksum", "seed"]

SIZES: dict[str, Size | LargeSize] = {
    "small": Size(learners=20),
    "class": Size(learners=300),
    "large": LargeSize(users=50_000, tracks=1_000),
}


@dataclass(frozen=True)
class Seeded:
    """What a run of the seeder did."""

    inserted: dict[str, int]  # new rows by table; all zero when everything was there already


def seed(
    session: Session,
    number: int = 1,
    size: str | Size | LargeSize = "small",
    *,
    beside_others: bool = False,
    cache: Cache | None = None,
) -> Seeded:
    """Fill the tables with demo data and refresh the views, in one transaction.

    Afterwards the planner's statistics are gathered.

    A row that is there already is left as it is, so a second run changes nothing, and neither
    does it undo what somebody has edited since. Seeding is not a reset. A large size comes whole
    or not at all: if it is there, in whatever state, nothing is added.

    Arguments:
        number: which demo data; the same number gives the same rows on every machine.
        size: how much of it, one of `SIZES` by name, or a size of your own.
        beside_others: load a large size also where there are users who are not of the demo data.
        cache: forgets its answers, because COPY goes past the sessions that a cache watches.

    Raises:
        SeedingError: a demo user's email address or username belongs to somebody else, or the data
            in the tables is not what it should be; nothing was changed.
        DatabaseUnavailable: the connection was lost; nothing was changed.
    """
    chosen = _size(size) if isinstance(size, str) else size
    with unit_of_work(session):
        if isinstance(chosen, LargeSize):
            inserted = _seed_large(session, School(number, chosen), beside_others=beside_others)
        else:
            inserted = _seed_plan(session, make_plan(number, chosen))
        if found := problems(session):
            raise SeedingError("The demo data is not right. " + " ".join(found))
    if any(inserted.values()) and not isinstance(chosen, LargeSize):
        _gather_statistics(session)
    if cache is not None:
        cache.clear()
    return Seeded(inserted)


def _gather_statistics(session: Session) -> None:
    """Let the planner know the new rows at once, and not when autovacuum comes by.

    After the commit, and after the server has counted the new rows: those that it counts later
    would be changed since.
    """
    with unit_of_work(session):
        session.execute(select(func.pg_stat_force_next_flush()))
    with unit_of_work(session):
        for table in Base.metadata.sorted_tables:
            analyze: DDL = DDL("ANALYZE %(fullname)s")  # type: ignore[no-untyped-call]
            session.execute(analyze.against(table))


def _size(name: str) -> Size | LargeSize:
    if name not in SIZES:
        raise SeedingError(f"There is no size {name!r}. Choose one of: {', '.join(SIZES)}.")
    return SIZES[name]


def _seed_plan(session: Session, plan: Plan) -> dict[str, int]:
    inserted = inserting.insert_missing(session, plan)
    if found := missing(session, plan):
        raise SeedingError("The demo data is not right. " + " ".join(found))
    if any(inserted.values()):
        session.execute(select(func.refresh_analytics()))
    return inserted


def _seed_large(session: Session, school: School, *, beside_others: bool) -> dict[str, int]:
    if loading.is_loaded(session, school):
        return dict.fromkeys(loading.TABLES, 0)
    if not beside_others and (others := _others(session, school.number)):
        raise SeedingError(
            f"There are {others} users who are not of the demo data with the number "
            f"{school.number}. A large size belongs into a database of its own: reset this one "
            "first, or say that it shall stand beside them."
        )
    return loading.load(session, school)


def _others(session: Session, number: int) -> int:
    if session.scalar(select(User.id).limit(1)) is None:
        return 0  # without making a whole plan up only to compare it with nobody
    demo = [row["id"] for row in make_plan(number, Size(learners=300)).users]
    return session.scalar(select(func.count()).where(User.id.not_in(demo))) or 0
