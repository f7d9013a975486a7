"""A zygote practises in the database that it meets, and leaves nothing there."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.exc import ProgrammingError

from grader.worker import engines
from grader.worker.practice import practise
from pglab.scratch import Database, Role, Scratch
from pglab.servers import Server
from pglab.urls import database_url, sqlalchemy_url


@pytest.fixture
def database(scratch: Scratch, student_role: Role) -> Iterator[Database]:
    template = scratch.template("nothing in it", lambda url: None)
    database = scratch.clone(template, grantee=student_role.name)
    yield database
    database.drop()


@pytest.fixture
def url(server: Server, student_role: Role, database: Database) -> str:
    """SQLAlchemy's URL of the database, for the student's role."""
    return sqlalchemy_url(
        database_url(
            database.name,
            user=student_role.name,
            password=student_role.password,
            host=str(server.socket_dir),
            port=server.port,
        )
    )


def relations(database: Database) -> int:
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_class").fetchone()
        return int(row[0]) if row else 0


def is_deserted(server: Server, database: Database) -> bool:
    """Whether all sessions end; one that was closed lives on for a moment."""
    deadline = time.monotonic() + 10
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            found = connection.execute(
                "SELECT FROM pg_stat_activity WHERE datname = %s", (database.name,)
            )
            if not found.rowcount:
                return True
    return False


def test_practising_leaves_no_table_and_no_session(
    server: Server, database: Database, url: str
) -> None:
    before = relations(database)
    practise(create_engine(url))
    assert relations(database) == before
    assert is_deserted(server, database)


def test_a_server_is_met_where_practising_is_forbidden(
    monkeypatch: pytest.MonkeyPatch, server: Server, database: Database, url: str
) -> None:
    monkeypatch.setattr(engines, "_met", [])
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        forbid = sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC")
        admin.execute(forbid.format(sql.Identifier(database.name)))
    forbidden = create_engine(url)
    with pytest.raises(ProgrammingError, match="permission denied to create temporary tables"):
        practise(forbidden)
    forbidden.dispose()
    engines.meet(url)
    (engine,) = engines._met
    assert engine.dialect.server_version_info
    assert is_deserted(server, database)
