"""Databases that a notebook works on: the learner's own, and scratch ones that may be broken."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session, sessionmaker

from kit.notebook import console, traffic, workspace
from kit.notebook.errors import NotebookError
from kit.notebook.traffic import KITS_OWN
from pglab.errors import PglabError
from pglab.scratch import Database, Scratch
from tracker.db import make_engine, make_sessions


@dataclass(frozen=True)
class ScratchDatabase:
    """A database of the lesson's own, to be filled, migrated or broken; gone with the kernel."""

    name: str
    url: str = field(repr=False)
    engine: Engine = field(repr=False)
    _sessions: sessionmaker[Session] = field(repr=False)
    _database: Database = field(repr=False)

    def session(self) -> Session:
        """A new SQLAlchemy session on it."""
        return self._sessions()

    def drop(self) -> None:
        """Close its engine's connections, end all its sessions, and drop it; safe to call twice."""
        self.engine.dispose()
        self._database.drop()
        if _current[-1] is self:
            use(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.drop()


Where = tuple[str, int, str]

_laboratory: list[Scratch] = []
_current: list[Any] = [None]
"""What `use` was given last; None for the learner's own database."""


def scratch(*, copy: bool = False) -> ScratchDatabase:
    """A new scratch database on the learner's server, dropped when the kernel ends.

    Args:
        copy: with the tracker's tables and its demo data, as a new learner finds them; else it is
            empty.

    Raises:
        CapabilityMissing: the role of this server may not make databases.
    """
    server = workspace.server()
    if not _laboratory:
        _laboratory.append(Scratch(server))
        atexit.register(close_scratch)
    laboratory = _laboratory[-1]
    aside = traffic.start()  # a template is made once, and is not what a cell is about
    try:
        made = laboratory.clone(
            laboratory.template(f"lesson{_sources()}", _fill)
            if copy
            else laboratory.template("empty", lambda _url: None)
        )
    finally:
        traffic.stop(aside)
    engine = make_engine(made.url)
    return ScratchDatabase(made.name, made.url, engine, make_sessions(engine), made)


def close_scratch() -> None:
    """Drop every scratch database of this process."""
    if _current[-1] is not None:
        use(None)
    while _laboratory:
        with contextlib.suppress(PglabError):  # the server may be gone before us
            _laboratory.pop().close()


def use(place: Any) -> None:
    """Make a database the one that magics ask; None for the learner's own."""
    url = None if place is None else url_of(place)
    _current[-1] = place
    if console.connected():
        console.connect(url or workspace.url())


def url_of(place: Any = None) -> str:
    """The libpq URL of a database, however it is given.

    Args:
        place: a scratch database, an engine, a session, a connection of SQLAlchemy or psycopg, or
            a URL; None for the one that `use` named last.

    Raises:
        NotebookError: that is none of these.
    """
    place = _current[-1] if place is None else place
    if place is None:
        return workspace.url()
    if isinstance(place, str):
        return place
    if isinstance(place, psycopg.Connection):
        return _url_of_psycopg(place)
    if isinstance(place, Session):
        place = place.get_bind()
    if isinstance(place, Connection):
        place = place.engine
    found = getattr(place, "url", None)
    if found is None:
        msg = (
            f"{type(place).__name__} is no database. Give a scratch database, an engine, a session "
            "or a URL."
        )
        raise NotebookError(msg)
    if isinstance(found, str):
        return found
    plain = found.set(drivername="postgresql")
    return str(plain.render_as_string(hide_password=False))


def watcher(place: Any = None) -> psycopg.Connection[Any]:
    """A connection of the kit's own, in autocommit, that no receipt counts."""
    return psycopg.connect(
        url_of(place), autocommit=True, application_name=KITS_OWN.decode(), connect_timeout=10
    )


def where(connection: psycopg.Connection[Any]) -> Where:
    """Which database a connection leads to, however its URL was written."""
    info = connection.info
    return info.host, info.port, info.dbname


def _url_of_psycopg(connection: psycopg.Connection[Any]) -> str:
    info = connection.info
    return psycopg.conninfo.make_conninfo(
        host=info.host, port=info.port, dbname=info.dbname, user=info.user, password=info.password
    )


def _fill(url: str) -> None:
    from kit import database

    database.migrate(url)
    database.fill(url, number=1)


def _sources() -> str:
    """A name for what the tracker's tables and demo data are made of."""
    import tracker
    from tracker import migrations

    digest = hashlib.sha256()
    folders = [Path(tracker.__file__).parent / "seeding", migrations.migrations_directory()]
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
