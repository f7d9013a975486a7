"""The nightly job: a backup in one file, the way back, and the proof that there is one.

The old job was one line of shell, and every morning its file was there. What each function must do
is in README.md.
"""

from pathlib import Path

import psycopg
from problems import BackupDamaged, DatabaseNotEmpty  # noqa: F401 - you will want both
from psycopg.sql import SQL, Identifier

TABLES = ("users", "lessons", "visits")


def back_up(url: str, path: Path) -> None:
    """Write every row of the three tables into one file."""
    raise NotImplementedError


def restore(path: Path, url: str) -> None:
    """Put the rows of a backup into a database whose tables are empty: all of them, or none."""
    raise NotImplementedError


def is_same(path: Path, url: str) -> bool:
    """Return whether the tables hold the rows of a backup, and nothing else."""
    raise NotImplementedError


def copied_out(connection: psycopg.Connection, table: str) -> str:
    """All rows of a table, a line for each, as COPY writes them. Yours to use, or to replace."""
    statement = SQL("COPY (SELECT * FROM {} ORDER BY id) TO STDOUT").format(Identifier(table))
    with connection.cursor().copy(statement) as copy:
        return b"".join(copy).decode()


def copied_in(connection: psycopg.Connection, table: str, rows: str) -> None:
    """Put rows into a table that were copied out of it. Yours to use, or to replace."""
    statement = SQL("COPY {} FROM STDIN").format(Identifier(table))
    with connection.cursor().copy(statement) as copy:
        copy.write(rows)
