"""A real PostgreSQL whose schema the migrations built.

`session` is for what one connection can show: whatever a test does in it, commits included, is
rolled back. `database` is a clone of its own, for tests that open a second connection, migrate or
break things.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker

from pglab.scratch import Database, Scratch
from pglab.servers import Server, open_server
from tracker import migrations
from tracker.db import make_engine, make_sessions
from tracker.models import Lesson, Role, Track, User


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A throw-away server; another one or another version where the environment says so."""
    with open_server(
        os.environ.get("TRACKER_TEST_SERVER", "embedded"),
        home=tmp_path_factory.mktemp("home"),
        disposable=True,
        version=int(os.environ.get("TRACKER_TEST_VERSION", "18")),
    ) as started:
        yield started


@pytest.fixture(scope="session")
def scratch(server: Server) -> Iterator[Scratch]:
    owner = Scratch(server, prefix="tracker")
    yield owner
    owner.close()


@pytest.fixture(scope="session")
def template(scratch: Scratch) -> str:
    """A database that the migrations have built, to be cloned."""
    scripts = sorted(Path(migrations.migrations_directory()).rglob("*.py"))
    key = hashlib.sha256(b"".join(script.read_bytes() for script in scripts)).hexdigest()
    return scratch.template(key, migrations.upgrade)


@pytest.fixture
def empty_database(scratch: Scratch) -> Iterator[Database]:
    """A database without any table."""
    database = scratch.clone("template0")
    yield database
    database.drop()


@pytest.fixture
def database(scratch: Scratch, template: str) -> Iterator[Database]:
    """A clone of the migrated template, for this test alone."""
    database = scratch.clone(template)
    yield database
    database.drop()


@pytest.fixture
def sessions(database: Database) -> Iterator[sessionmaker[Session]]:
    """Sessions on the test's own clone, each with a connection of its own."""
    engine = make_engine(database.url, pool_size=20, max_overflow=20)
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def shared_engine(scratch: Scratch, template: str) -> Iterator[Engine]:
    database = scratch.clone(template)
    engine = make_engine(database.url)
    yield engine
    engine.dispose()
    database.drop()


@pytest.fixture
def connection(shared_engine: Engine) -> Iterator[Connection]:
    """A connection whose work is rolled back at the end of the test."""
    with shared_engine.connect() as connection:
        outer = connection.begin()
        yield connection
        outer.rollback()


@pytest.fixture
def session(connection: Connection) -> Iterator[Session]:
    """A session whose commits and rollbacks end at a savepoint of the test's own."""
    with Session(
        connection, join_transaction_mode="create_savepoint", expire_on_commit=False
    ) as session:
        yield session


@pytest.fixture
def make_user(session: Session) -> Callable[..., User]:
    numbers = count(1)

    def make(**fields: Any) -> User:
        number = next(numbers)
        user = User(
            **{
                "email": f"user{number}@example.com",
                "username": f"user{number}",
                "password_hash": "$argon2id$not-a-real-hash",
                **fields,
            }
        )
        session.add(user)
        session.flush()
        return user

    return make


@pytest.fixture
def make_track(session: Session, make_user: Callable[..., User]) -> Callable[..., Track]:
    def make(lessons: int = 0, **fields: Any) -> Track:
        fields.setdefault("title", "SQL 101")
        if "author" not in fields and "author_id" not in fields:
            fields["author"] = make_user(role=Role.INSTRUCTOR)
        fields.setdefault("is_published", True)
        if fields["is_published"]:
            fields.setdefault("published_at", datetime(2026, 1, 1, tzinfo=UTC))
        track = Track(**fields)
        track.lessons = [
            Lesson(
                title=f"Lesson {position}",
                content="…",
                duration_minutes=30,
                position=position,
                is_published=True,
            )
            for position in range(1, lessons + 1)
        ]
        session.add(track)
        session.flush()
        return track

    return make


@pytest.fixture
def statements(shared_engine: Engine) -> Callable[[], AbstractContextManager[list[str]]]:
    """Count what is sent: ``with statements() as sent: …; assert len(sent) == 2``."""

    @contextmanager
    def collect() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_c: object, _k: object, statement: str, *_: object) -> None:
            if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
                sent.append(statement)

        event.listen(shared_engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(shared_engine, "before_cursor_execute", note)

    return collect


@pytest.fixture
def stranger() -> UUID:
    """An identifier that no row has."""
    return UUID("00000000-0000-7000-8000-000000000000")
