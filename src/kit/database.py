"""The course's database on the learner's own server: made whole, migrated, filled, reset."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg import sql

from kit import client_programs
from kit.errors import KitError, WrongUsage
from pglab.servers import Server

if TYPE_CHECKING:
    from tracker.backup import Backup

NAME = "tracker"
"""The database that lessons, notebooks and ``kit db`` use."""

_PARTIAL = "tracker_unfinished"
_LOCK = 6_214_118_091
"""Advisory lock of those who make the database; any number, the same in every process."""


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What is on the server under the name `NAME`."""

    exists: bool
    size_bytes: int = 0
    revision: str | None = None
    """The migration that it is at; None before the first."""
    head: str | None = None
    """The newest migration."""

    @property
    def is_current(self) -> bool:
        return self.exists and self.revision == self.head


def ensure(
    server: Server, *, seed: int | None = 1, say: Callable[[str], None], name: str = NAME
) -> str:
    """The URL of the course's database, which is made, migrated and filled if it is not there.

    One with anything in it is left as it is, whatever its migration: a learner may have good
    reasons. An empty one, as a container or a provider makes it, is filled in its place.

    Args:
        server: a running server.
        seed: what the example data of a new database grows from; None for no data.
        say: told what is done, where something is.
        name: another database with the same tables.

    Raises:
        KitError: this server's role may not make databases.
    """
    url = server.url(name)
    filled = "tables" if seed is None else "tables and example data"
    with _alone(server) as connection:
        if not _exists(connection, name):
            say(f"Making the database {name}, with its {filled}.")
            _build(server, connection, lambda new: _make(new, seed), name=name)
        elif _is_empty(url):
            say(f"The database {name} is there and empty. Making its {filled}.")
            _make(url, seed)
    return url


def existing(server: Server) -> str:
    """The URL of the course's database, which must be there.

    Args:
        server: a running server.

    Raises:
        WrongUsage: it is not.
    """
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        if not _exists(connection, NAME):
            msg = f"There is no database {NAME} on this server yet. kit db up makes it."
            raise WrongUsage(msg)
    return server.url(NAME)


def reset(server: Server, *, seed: int | None = 1) -> int:
    """Replace the course's database by a new one; the old one stays if the new one cannot be made.

    Args:
        server: a running server.
        seed: what the new example data grows from; None for no data.

    Returns:
        The number of sessions of others on the old database, which were ended.

    Raises:
        KitError: this server's role may not make databases.
    """
    with _alone(server) as connection:
        return _build(server, connection, lambda new: _make(new, seed))


def back_up(server: Server, folder: Path, upload: Callable[[Backup], None] | None) -> Backup:
    """Back the course's database up into ``folder``; see `tracker.backup.create`."""
    from tracker import backup

    programs = client_programs.directory(server.version)
    return backup.create(existing(server), folder, programs=programs, upload=upload)


def restore(server: Server, backup: Backup, *, into: str = NAME, replace: bool = False) -> int:
    """Put a backup into an empty database, which is made if it is not there: whole or not at all.

    Args:
        server: a running server.
        backup: what to put back.
        into: the database.
        replace: puts the backup in the place of whatever the database holds.

    Returns:
        The number of sessions of others on a database that was replaced, which were ended.

    Raises:
        TargetNotEmpty: there is something in the database, and it is not to be replaced.
        BackupError: the backup is broken or cannot be put back.
    """
    from tracker import backup as backups

    programs = client_programs.directory(server.version)

    def put_back(url: str) -> None:
        backups.restore(url, backup, programs=programs)

    with _alone(server) as connection:
        if _exists(connection, into) and not replace:
            put_back(server.url(into))
            return 0
        return _build(server, connection, put_back, name=into)


def verify(server: Server | None, backup: Backup) -> None:
    """Make sure that a backup is good; with a server, by restoring it into a scratch database.

    Raises:
        BackupError: it is not.
    """
    from pglab.scratch import Scratch
    from tracker import backup as backups

    if server is None:
        version = backup.manifest.server_version
        backups.verify(backup, programs=client_programs.directory(version))
        return
    programs = client_programs.directory(server.version)
    with Scratch(server) as scratch:
        empty = scratch.clone("template0")
        try:
            backups.verify(backup, programs=programs, scratch_url=empty.url)
        finally:
            empty.drop()


def fill(
    url: str, *, number: int = 1, size: str = "small", beside_others: bool = False
) -> dict[str, int]:
    """Insert the example data that is not there yet.

    Args:
        url: of a migrated database.
        number: what the data grows from; the same number gives the same data.
        size: one of `tracker.seeding.SIZES`.
        beside_others: load a large size also where users are who are not of the example data.

    Returns:
        The number of rows inserted, by table.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    from tracker.db import sqlalchemy_url
    from tracker.seeding import seed

    engine = create_engine(sqlalchemy_url(url))
    try:
        with Session(engine) as session:
            return dict(seed(session, number, size, beside_others=beside_others).inserted)
    finally:
        engine.dispose()


def migrate(url: str) -> tuple[str | None, str | None]:
    """Bring the database to the newest migration and return the ones before and after."""
    from tracker import migrations

    before = migrations.current(url)
    migrations.upgrade(url)
    return before, migrations.current(url)


def state(server: Server) -> DatabaseState:
    """What is there, changing nothing."""
    from tracker import migrations

    head = migrations.head()
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        if not _exists(connection, NAME):
            return DatabaseState(exists=False, head=head)
        size = connection.execute("SELECT pg_database_size(%s)", [NAME]).fetchone()
    return DatabaseState(True, size[0] if size else 0, migrations.current(server.url(NAME)), head)


def sessions(server: Server) -> int:
    """How many sessions other than this one's are on the server."""
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        return _count(
            connection,
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        )


def _make(url: str, seed: int | None) -> None:
    migrate(url)
    if seed is not None:
        fill(url, number=seed)


def _build(
    server: Server,
    connection: psycopg.Connection,
    make: Callable[[str], None],
    *,
    name: str = NAME,
) -> int:
    """Make a database under another name and give it its own when ``make`` has filled it."""
    try:
        _drop(connection, _PARTIAL)  # what a killed process may have left
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                sql.Identifier(_PARTIAL)
            )
        )
    except psycopg.errors.InsufficientPrivilege as error:
        msg = (
            f"The role of this server's URL may not make databases, and the course needs one "
            f"called {name}. Ask for CREATEDB, or use the embedded server: --database embedded."
        )
        raise KitError(msg) from error
    try:
        make(server.url(_PARTIAL))
        ended = _count(
            connection, "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        _drop(connection, name)
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(_PARTIAL), sql.Identifier(name)
            )
        )
    except BaseException:
        with contextlib.suppress(psycopg.Error):
            _drop(connection, _PARTIAL)
        raise
    return ended


@contextlib.contextmanager
def _alone(server: Server) -> Iterator[psycopg.Connection]:
    """A connection that no other process of the kit has at the same time on this server."""
    with psycopg.connect(server.admin_url, autocommit=True, application_name="kit") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        yield connection


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    )


def _exists(connection: psycopg.Connection, name: str) -> bool:
    return _count(connection, "SELECT count(*) FROM pg_database WHERE datname = %s", [name]) == 1


def _is_empty(url: str) -> bool:
    from tracker.backup.contents import is_empty

    with psycopg.connect(url, autocommit=True, application_name="kit") as connection:
        return is_empty(connection)


def _count(
    connection: psycopg.Connection, query: LiteralString, parameters: list[str] | None = None
) -> int:
    row = connection.execute(query, parameters).fetchone()
    return int(row[0]) if row else 0
