# misconception: restore-over-live-data
# fails: test_live_data
"""The nightly job: a backup in one file, the way back, and the proof that there is one.

A backup is a line with the checksum of all that follows: the rows of each table, as COPY writes
them, in a JSON object.
"""

import json
from hashlib import sha256
from pathlib import Path

import psycopg
from problems import BackupDamaged, DatabaseNotEmpty
from psycopg import IsolationLevel
from psycopg.sql import SQL, Identifier

TABLES = ("users", "lessons", "visits")  # those that others point to come first
HAS_ROWS = "SELECT EXISTS (TABLE users)"
OUT = SQL("COPY (SELECT * FROM {} ORDER BY id) TO STDOUT")
BACK = SQL("COPY {} FROM STDIN")
GO_ON = SQL("SELECT setval(pg_get_serial_sequence(%s, 'id'), max(id)) FROM {}")


def back_up(url: str, path: Path) -> None:
    """Write every row of the three tables into one file, which is whole or not there at all."""
    body = json.dumps(_rows(url)).encode()
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_bytes(_digest(body) + b"\n" + body)
    unfinished.replace(path)


def restore(path: Path, url: str) -> None:
    """Put the rows of a backup into a database whose tables are empty: all of them, or none."""
    backup = _read(path)
    with psycopg.connect(url) as connection:
        [has_rows] = connection.execute(HAS_ROWS).fetchone()
        if has_rows:
            raise DatabaseNotEmpty("The tables have rows. Restore into a new database.")
        for table, rows in backup.items():
            with connection.cursor().copy(BACK.format(Identifier(table))) as copy:
                copy.write(rows)
            connection.execute(GO_ON.format(Identifier(table)), [table])


def is_same(path: Path, url: str) -> bool:
    """Return whether the tables hold the rows of a backup, and nothing else."""
    return _read(path) == _rows(url)


def _rows(url: str) -> dict[str, str]:
    """All rows of each table at one moment, in the order of their ids."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        return {table: _copied(connection, table) for table in TABLES}


def _copied(connection: psycopg.Connection, table: str) -> str:
    with connection.cursor().copy(OUT.format(Identifier(table))) as copy:
        return b"".join(copy).decode()


def _read(path: Path) -> dict[str, str]:
    """The rows in a file, if it is what `back_up` wrote."""
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise BackupDamaged(f"{path} cannot be read: {error.strerror}.") from error
    if digest != _digest(body):
        raise BackupDamaged(f"{path} is not what was written there. Take an older backup.")
    return json.loads(body)


def _digest(body: bytes) -> bytes:
    return sha256(body).hexdigest().encode()
