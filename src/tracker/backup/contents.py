"""What is in a database, as far as a backup is concerned."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from tracker.db import sqlalchemy_url
from tracker.errors import BackupError, DatabaseUnavailable


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """Give a connection whose failures are the tracker's errors.

    Raises:
        DatabaseUnavailable: the server does not answer, or went away.
        BackupError: it refused.
    """
    plain = sqlalchemy_url(url).set(drivername="postgresql")
    try:
        with psycopg.connect(
            plain.render_as_string(hide_password=False), application_name="tracker backup"
        ) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(str(error).strip()) from error
    except psycopg.Error as error:
        raise BackupError(f"PostgreSQL refused: {str(error).strip()}") from error


def one(connection: psycopg.Connection, query: LiteralString) -> tuple[Any, ...]:
    """Return the one row of a query that has one."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def count_rows(connection: psycopg.Connection) -> dict[str, int]:
    """Return how many rows each table has; a view has none of its own."""
    names = [name for (name,) in connection.execute(_TABLES)]
    return {
        name: connection.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
        ).fetchall()[0][0]
        for name in names
    }


def revision_of(connection: psycopg.Connection) -> str | None:
    """Return the revision of the schema, or None where no migration has run."""
    (exists,) = one(connection, "SELECT to_regclass('alembic_version') IS NOT NULL")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if exists else ()
    return str(row[0]) if row else None


def is_empty(connection: psycopg.Connection) -> bool:
    """Return whether nobody has made anything here; what extensions brought does not count."""
    (found,) = one(connection, _SOMETHING)
    return not found


_TABLES = """
SELECT relname FROM pg_class
 WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
   AND NOT relispartition
 ORDER BY relname
"""

# Indexes, and the types of rows and arrays, come and go with what they belong to.
_SOMETHING = """
SELECT EXISTS (
    SELECT FROM (
        SELECT 'pg_class'::regclass AS kind, oid, relnamespace AS namespace FROM pg_class
         WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
        UNION ALL
        SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
        UNION ALL
        SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type
         WHERE typtype IN ('b', 'd', 'e', 'r') AND typcategory <> 'A') AS thing
     WHERE namespace NOT IN (
               'pg_catalog'::regnamespace, 'information_schema'::regnamespace,
               'pg_toast'::regnamespace)
       AND NOT EXISTS (
           SELECT FROM pg_depend
            WHERE classid = kind AND objid = thing.oid AND deptype = 'e'))
"""
