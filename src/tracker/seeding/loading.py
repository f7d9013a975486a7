"""Loading the large demo data, in the caller's transaction."""

from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import select
from sqlalchemy.orm import Session

from tracker.analytics.views import VIEWS
from tracker.errors import DatabaseUnavailable, SeedingError
from tracker.models import User
from tracker.seeding.bulk import bare_tables, copy_packed, copy_rows, empty_anew
from tracker.seeding.large import STREAMS
from tracker.seeding.packed import COLUMNS, lesson_progress
from tracker.seeding.school import School

TABLES = (*STREAMS, "lesson_progress")
LONGEST_WAIT = "10s"  # for those who use the tables


def is_loaded(session: Session, school: School) -> bool:
    """Return whether the school is there already. Its first member came with all the others."""
    first = school.members[0].id
    return session.scalar(select(User.id).where(User.id == first)) is not None


def load(session: Session, school: School) -> dict[str, int]:
    """COPY all rows of the school into the tables, and return how many, by table.

    Nobody else can use the tables until the transaction ends.

    Raises:
        SeedingError: others use the tables just now, or hold what the school would hold.
        DatabaseUnavailable: the connection was lost.
    """
    connection = cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LONGEST_WAIT])
            copied = copy_school(cursor, school)
            for table in TABLES:  # or the planner goes on believing that they are empty
                cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
            fill_views(cursor)
            return copied
    except psycopg.errors.LockNotAvailable:
        raise SeedingError(
            f"Others are using the tables, and still were after {LONGEST_WAIT}: an open notebook "
            "or psql, say. Let them end their transactions, then try again. Nothing was changed."
        ) from None
    except psycopg.Error as error:
        if connection.broken:
            # SQLAlchemy has not seen this error, and would try to roll back.
            session.connection().invalidate()
            raise DatabaseUnavailable(
                "The connection was lost while rows were loaded. Nothing was changed."
            ) from error
        raise SeedingError(f"The rows cannot be loaded: {error}. Nothing was changed.") from error


def fill_views(cursor: psycopg.Cursor[Any]) -> None:
    """Compute the materialized views from nothing, which nobody can read until the end.

    `refresh_analytics` would compare every row with the old one for the sake of those who read.
    """
    for view in VIEWS:
        cursor.execute(_NOTE_REFRESH, [view])
        cursor.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(view)))


_NOTE_REFRESH = """
INSERT INTO view_refreshes (view_name, refreshed_at) VALUES (%s, clock_timestamp())
    ON CONFLICT (view_name) DO UPDATE SET refreshed_at = excluded.refreshed_at
"""


def copy_school(cursor: psycopg.Cursor[Any], school: School) -> dict[str, int]:
    """COPY all rows and then build keys and indexes; return the number of rows, by table."""
    with bare_tables(cursor, TABLES):
        empty = empty_anew(cursor, TABLES)
        copied = {
            table: copy_rows(cursor, table, rows(school), freeze=table in empty)
            for table, rows in STREAMS.items()
        }
        progress = copy_packed(
            cursor,
            "lesson_progress",
            COLUMNS,
            lesson_progress(school),
            freeze="lesson_progress" in empty,
        )
    return copied | {"lesson_progress": progress}
