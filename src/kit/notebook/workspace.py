"""The learner's database, as cells use it: one engine for the whole kernel."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from kit import client_programs as programs
from kit import database, home
from kit.errors import KitError
from kit.notebook.errors import NotConnected
from pglab.errors import PglabError
from pglab.servers import Server, open_server
from pglab.urls import masked
from tracker import migrations
from tracker.db import make_engine, make_sessions
from tracker.errors import TrackerError


@dataclass(frozen=True)
class Workspace:
    """A server that runs, and the course's database on it."""

    server: Server
    url: str
    engine: Engine
    sessions: sessionmaker[Session]

    def __repr__(self) -> str:
        return f"<Workspace {self.server.kind} {masked(self.url)}>"


_open: Workspace | None = None


def open_workspace(say: Callable[[str], None] = print) -> Workspace:
    """The learner's server, started if need be, with the course's database made and migrated.

    The server is the one that ``DATABASE_URL`` names, else the learner's own embedded one. The
    first call of a process does the work, later ones return what it made.

    Args:
        say: told, in a line each, what is done where something is.

    Raises:
        NotConnected: there is no server, or no database, to work with.
    """
    global _open  # noqa: PLW0603 - one engine for the whole kernel
    if _open is None:
        try:
            _open = _make_workspace(say)
        except (KitError, PglabError, TrackerError) as error:
            raise NotConnected(masked(str(error))) from error
    return _open


def close_workspace() -> None:
    """Close every connection of the workspace; the learner's server goes on."""
    global _open  # noqa: PLW0603
    if _open is not None:
        _open.engine.dispose()
        _open.server.close()
        _open = None


atexit.register(close_workspace)


def _make_workspace(say: Callable[[str], None]) -> Workspace:
    server = open_server("auto", home=home.prepare(), disposable=False, say=say)
    url = database.ensure(server, say=say)
    _migrate(url, say)
    engine = make_engine(url)
    return Workspace(server, url, engine, make_sessions(engine))


def _migrate(url: str, say: Callable[[str], None]) -> None:
    """Bring the database to the newest migration, unless it is at one that we do not know."""
    at = migrations.current(url)
    if at == migrations.head():
        return
    try:
        database.migrate(url)
    except Exception as error:
        say(f"The database is at migration {at} and could not be brought to the newest: {error}")
    else:
        say(f"The database was at migration {at or 'none'}; it is at the newest one now.")


def engine() -> Engine:
    """The SQLAlchemy engine on your database: one for the whole notebook, with its pool."""
    return open_workspace().engine


def session() -> Session:
    """A new SQLAlchemy session on your database; use it with ``with`` so that it is closed."""
    return open_workspace().sessions()


def url() -> str:
    """The URL of your database, with its password: ``postgresql://…``. Do not print it."""
    return open_workspace().url


def server() -> Server:
    """Your PostgreSQL server."""
    return open_workspace().server


def client_programs() -> Path | None:
    """Where ``pg_dump`` is that fits your server, with its like; None: where PATH finds them."""
    return programs.directory(server().version)
