"""What a larger deployment of the tracker would do: a server that follows, and partitions."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import (
    CheckViolation,
    FeatureNotSupported,
    InvalidForeignKey,
    ReadOnlySqlTransaction,
)
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from pglab.scratch import Database, Scratch
from pglab.servers import Server, open_server
from pglab.servers.account import server_account
from pglab.servers.binaries import runnable_binaries
from pglab.servers.cluster import environment, postgres_command
from pglab.servers.embedded import free_port
from pglab.urls import database_url
from tracker import migrations
from tracker.db import make_engine, make_sessions
from tracker.models import User

PATIENCE_S = 120.0


@dataclass
class Follower:
    """A server that repeats what another one does."""

    socket_dir: Path
    port: int

    def url(self, of: str) -> str:
        """Where the database is, that a URL names on the server that is followed."""
        told = conninfo_to_dict(of)
        return database_url(
            str(told["dbname"]),
            user=str(told["user"]),
            password=str(told["password"]),
            host=str(self.socket_dir),
            port=self.port,
        )


def eventually(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def leader(tmp_path: Path) -> Iterator[Server]:
    """A server to be followed: embedded, whatever the other tests run on, for its programs."""
    with open_server("embedded", home=tmp_path, disposable=True) as started:
        yield started


@pytest.fixture
def followed(leader: Server) -> Iterator[Database]:
    """The tracker's tables on the server that is followed."""
    with Scratch(leader, prefix="tracker") as scratch:
        database = scratch.clone("template0")
        migrations.upgrade(database.url)
        yield database


@pytest.fixture
def follower(leader: Server) -> Iterator[Follower]:
    """A replica, made as one makes them: copied, and started as a standby."""
    account = server_account()
    folder = Path(tempfile.mkdtemp(prefix="kit-f-"))
    folder.chmod(0o755)
    account.own(folder)
    programs = runnable_binaries(int(leader.version.partition(".")[0]), folder, account)
    data, sockets = folder / "data", folder / "s"
    sockets.mkdir()
    account.own(sockets)
    started = None
    try:
        subprocess.run(
            [programs.program("pg_basebackup"), "--dbname", leader.admin_url, "--pgdata", data,
             "--write-recovery-conf", "--checkpoint", "fast"],
            check=True, env=environment(), cwd="/", **account.popen_arguments(),
        )  # fmt: skip
        follower = Follower(sockets, free_port())
        started = subprocess.Popen(
            postgres_command(
                programs, data, socket_dir=sockets, port=follower.port, disposable=True
            ),
            env=environment(), cwd="/", stderr=subprocess.DEVNULL, **account.popen_arguments(),
        )  # fmt: skip
        eventually(lambda: answers(follower.url(leader.admin_url)))
        yield follower
    finally:
        if started is not None:
            started.terminate()
            started.wait(PATIENCE_S)
        shutil.rmtree(folder)


def somebody(email: str) -> User:
    name = email.partition("@")[0]
    return User(email=email, username=name, password_hash="$argon2id$not-a-real-hash")


def answers(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
        return True
    return False


@pytest.mark.slow
def test_a_replica_answers_reads_is_a_moment_old_and_refuses_writes(
    followed: Database, leader: Server, follower: Follower
) -> None:
    first = make_engine(followed.url)
    second = make_engine(follower.url(followed.url))
    admin = psycopg.connect(follower.url(leader.admin_url), autocommit=True)
    with contextlib.closing(admin):

        def emails(engine: Engine) -> set[str]:
            with make_sessions(engine)() as session:
                return set(session.scalars(select(User.email)))

        def store(email: str) -> None:
            with make_sessions(first)() as session:
                session.add(somebody(email))
                session.commit()

        eventually(lambda: answers(follower.url(followed.url)))
        store("ada@example.org")
        eventually(lambda: emails(second) == {"ada@example.org"})

        admin.execute("SELECT pg_wal_replay_pause()")
        eventually(
            lambda: (
                admin.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",)
            )
        )
        store("eve@example.org")
        assert emails(first) == {"ada@example.org", "eve@example.org"}
        assert emails(second) == {"ada@example.org"}, "one's own write is not there yet"
        admin.execute("SELECT pg_wal_replay_resume()")
        eventually(lambda: emails(second) == emails(first))

        with make_sessions(second)() as session:
            session.add(somebody("zoe@example.org"))
            with pytest.raises(DBAPIError) as refused:
                session.commit()
        assert isinstance(refused.value.orig, ReadOnlySqlTransaction)
    first.dispose()
    second.dispose()


MONTHS = ("2026-09", "2026-10", "2026-11", "2026-12")
BY_MONTH = """
CREATE TABLE attempts_by_month (LIKE exercise_attempts INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (attempted_at)
"""


@pytest.fixture
def by_month(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The table of attempts as a large deployment may have it: cut by months, with 9,000 rows."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(BY_MONTH)
        for month, following in itertools.pairwise(MONTHS):
            name = month.replace("-", "_")
            connection.execute(
                f"CREATE TABLE attempts_{name} PARTITION OF attempts_by_month"
                f" FOR VALUES FROM ('{month}-01Z') TO ('{following}-01Z')"
            )
        connection.execute("ALTER TABLE attempts_by_month ADD PRIMARY KEY (id, attempted_at)")
        connection.execute("CREATE INDEX ON attempts_by_month (user_id, lesson_id, attempted_at)")
        connection.execute(
            "INSERT INTO attempts_by_month"
            " (id, source, attempted_at, earned, points, seed, kit_version, user_id, lesson_id)"
            " SELECT gen_random_uuid(), 'check', timestamptz '2026-09-01Z' + n * interval '14 min',"
            " 1, 2, 7, '1', ('00000000-0000-7000-8000-' || lpad((n % 90)::text, 12, '0'))::uuid,"
            " '00000000-0000-7000-8000-000000000001' FROM generate_series(0, 8999) n"
        )
        connection.execute("ANALYZE attempts_by_month")
        yield connection


def looked_at(connection: psycopg.Connection[Any], where: str) -> set[str]:
    """The partitions that PostgreSQL looks into for a question."""
    explain = f"EXPLAIN (FORMAT JSON) SELECT count(*) FROM attempts_by_month WHERE {where}"
    row = connection.execute(explain).fetchone()
    assert row is not None
    return set(re.findall(r'"Relation Name": "(\w+)"', json.dumps(row[0])))


def test_attempts_cut_by_months_answer_about_a_week_from_one_and_about_a_learner_from_all(
    by_month: psycopg.Connection[Any],
) -> None:
    week = "attempted_at >= '2026-11-02Z' AND attempted_at < '2026-11-09Z'"
    assert looked_at(by_month, week) == {"attempts_2026_11"}
    learner = "user_id = '00000000-0000-7000-8000-000000000007'"
    assert looked_at(by_month, learner) == {f"attempts_2026_{m}" for m in ("09", "10", "11")}


def test_a_month_goes_without_a_row_being_looked_at_and_the_next_must_be_made_in_time(
    by_month: psycopg.Connection[Any],
) -> None:
    by_month.execute("ALTER TABLE attempts_by_month DETACH PARTITION attempts_2026_09")
    by_month.execute("DROP TABLE attempts_2026_09")
    oldest = by_month.execute("SELECT min(attempted_at) >= '2026-10-01Z' FROM attempts_by_month")
    assert oldest.fetchone() == (True,)
    with pytest.raises(CheckViolation, match="no partition of relation"):
        by_month.execute(
            "INSERT INTO attempts_by_month SELECT id, source, '2027-01-05Z', earned, points,"
            " work_sha256, seed, kit_version, user_id, lesson_id FROM attempts_by_month LIMIT 1"
        )


def test_the_key_of_what_is_cut_by_months_has_the_month_in_it_and_so_has_who_points_there(
    by_month: psycopg.Connection[Any], database: Database
) -> None:
    with pytest.raises(FeatureNotSupported, match="must include all partitioning columns"):
        by_month.execute("ALTER TABLE attempts_by_month ADD UNIQUE (id)")
    with pytest.raises(InvalidForeignKey, match="no unique constraint"):
        by_month.execute(
            "ALTER TABLE check_results"
            " ADD FOREIGN KEY (attempt_id) REFERENCES attempts_by_month (id)"
        )
