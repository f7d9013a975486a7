"""Is the demo data what it should be? Asked of the database after seeding, not of the seeder."""

from hashlib import sha256
from uuid import UUID

from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.orm import Session

from tracker.models import Base, Role, Track, User, ViewRefresh
from tracker.seeding.rows import Plan


def checksum(session: Session) -> str:
    """Return one checksum over every row of every table of the tracker, timestamps included.

    Two databases with the same rows have the same checksum, in whatever order they were written.
    """
    parts = []
    for table in Base.metadata.sorted_tables:
        if table.is_view or table is ViewRefresh.__table__:
            continue  # a copy of what the tables say, and when that was last made
        # The whole row as PostgreSQL writes it, with its columns in the order of the model.
        row = cast(func.jsonb_build_array(*table.columns), Text)
        rows = session.scalars(select(func.md5(row)).order_by(func.md5(row)))
        parts.append(f"{table.name}: {' '.join(rows)}")
    return sha256("\n".join(parts).encode()).hexdigest()


def problems(session: Session) -> list[str]:
    """Return what is wrong with the data of whatever size, one sentence each; empty if nothing."""
    found = []
    if not _count(session, select(User.id).where(User.role == Role.ADMIN, User.is_active)):
        found.append("There is no active administrator.")
    if unhashed := _count(session, select(User.id).where(~User.password_hash.like("$argon2id$%"))):
        found.append(f"{unhashed} users have a password that is not an argon2id hash.")
    if empty := _count(session, select(Track.id).where(Track.is_published, ~Track.lessons.any())):
        found.append(f"{empty} published tracks have no lessons.")
    return found


def missing(session: Session, plan: Plan) -> list[str]:
    """Return what is not there of what a plan teaches and asks, one sentence each."""
    found = []
    for name in ("tracks", "modules", "lessons", "sections", "quizzes", "questions"):
        ids = [row["id"] for row in plan.tables()[name]]
        column = Base.metadata.tables[name].c.id
        if absent := len(ids) - _count(session, select(column).where(column.in_(ids))):
            found.append(f"{absent} of {len(ids)} {name} are missing.")
    return found


def _count(session: Session, rows: Select[UUID]) -> int:
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0
