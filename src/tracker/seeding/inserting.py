"""Inserting the rows of a plan that are not there yet."""

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tracker.errors import SeedingError
from tracker.models import Base, User
from tracker.seeding.rows import Plan, Row


def insert_missing(session: Session, plan: Plan) -> dict[str, int]:
    """Insert the rows that are not there, a table at a time, and return how many, by table.

    Raises:
        SeedingError: a demo user's email address or username belongs to somebody else.
    """
    inserted = {}
    for name, rows in plan.tables().items():
        inserted[name] = _insert(session, Base.metadata.tables[name], rows)
        if name == User.__tablename__:
            _require_users(session, rows)
    return inserted


def _insert(session: Session, table: Table, rows: list[Row]) -> int:
    """Insert the rows that are not there yet, in one statement, and return how many."""
    # A row is there if any unique constraint says so. But ON CONFLICT cannot wait for a deferrable
    # one; then only the identifier is asked.
    deferrable = any(getattr(constraint, "deferrable", None) for constraint in table.constraints)
    key = ["id"] if deferrable else None
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
