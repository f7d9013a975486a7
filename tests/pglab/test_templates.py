"""A template is made once, whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import psycopg
import pytest

from pglab.scratch import Scratch
from pglab.servers import Server

Query = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def own(server: Server) -> Iterator[Scratch]:
    """A scratch with a prefix of its own, whose templates are dropped at the end."""
    with Scratch(server, prefix="tpl") as scratch:
        yield scratch
        with psycopg.connect(server.admin_url) as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE 'tpl\\_t\\_%'"
            ).fetchall()
        for (name,) in rows:
            scratch.drop_database(name)


def build_nothing(url: str) -> None:
    del url


def test_a_template_is_built_once_for_each_key(own: Scratch) -> None:
    built: list[str] = []
    first = own.template("one", built.append)
    assert own.template("one", built.append) == first
    assert own.template("two", built.append) != first
    assert len(built) == 2
    assert first in built[0]


def test_nobody_can_connect_to_a_template_that_is_whole(own: Scratch) -> None:
    name = own.template("one", build_nothing)
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        psycopg.connect(own.server.url(name))


def test_a_clone_has_the_file_that_makes_its_first_connection_quick(own: Scratch) -> None:
    name = own.clone(own.template("quick", build_nothing)).name
    with psycopg.connect(own.server.admin_url) as connection:
        size = connection.execute(
            "SELECT (pg_stat_file(format('base/%%s/pg_internal.init', oid), true)).size > 0 "
            "FROM pg_database WHERE datname = %s",
            (name,),
        ).fetchone()
    assert size == (True,)


def test_a_clone_is_smaller_than_what_createdb_makes(own: Scratch, query: Query) -> None:
    name = own.clone(own.template("small", build_nothing)).name
    (sizes,) = query("SELECT pg_database_size(%s::name), pg_database_size('template0')", name)
    assert sizes[0] < 0.95 * sizes[1]


def test_templates_share_the_work_of_making_them_small(own: Scratch, query: Query) -> None:
    names = {own.template(key, build_nothing) for key in ("one", "two")}
    rows = query(
        "SELECT datname FROM pg_database WHERE datname LIKE 'tpl\\_t\\_%' AND datistemplate"
    )
    assert len({name for (name,) in rows} - names) == 1


def test_a_session_that_the_builder_left_open_does_not_spoil_the_template(own: Scratch) -> None:
    left: list[psycopg.Connection] = []
    name = own.template("left open", lambda url: left.append(psycopg.connect(url)))
    own.clone(name)
    with pytest.raises(psycopg.OperationalError):
        left[0].execute("SELECT 1")


def test_what_the_builder_raises_is_passed_on_and_nothing_stays(own: Scratch, query: Query) -> None:
    def fail(url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE half (id int)")
            connection.execute("SELEC")

    own.template("whole", build_nothing)
    before = query("SELECT datname FROM pg_database ORDER BY 1")
    with pytest.raises(psycopg.errors.SyntaxError):
        own.template("broken", fail)
    assert query("SELECT datname FROM pg_database ORDER BY 1") == before
    assert own.clone(own.template("broken", build_nothing)).name


def test_what_a_killed_builder_left_half_made_is_built_anew(own: Scratch, server: Server) -> None:
    name = own.template("half", build_nothing)
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} IS_TEMPLATE false ALLOW_CONNECTIONS true".encode())
    with psycopg.connect(server.url(name)) as inside:
        inside.execute("CREATE TABLE half (id int)")

    built: list[str] = []
    assert own.template("half", built.append) == name
    assert len(built) == 1
    with psycopg.connect(own.clone(name).url) as connection:
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)


def test_processes_that_ask_at_once_get_one_template_built_by_one(own: Scratch) -> None:
    source = """
import sys
from pglab.scratch import Scratch
from pglab.servers.url import UrlServer
built = []
with Scratch(UrlServer(sys.argv[1]).start(), prefix="tpl") as scratch:
    print(scratch.template("race", built.append), len(built))
"""
    command = [sys.executable, "-c", source, own.server.admin_url]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [racer.communicate()[0].split() for racer in racers]
    assert len({name for name, _ in answers}) == 1
    assert sorted(built for _, built in answers) == ["0", "0", "1"]


def test_a_template_that_nobody_used_for_a_month_is_swept(own: Scratch, server: Server) -> None:
    old, fresh = own.template("old", build_nothing), own.template("fresh", build_nothing)
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        for name, days in ((old, 31), (fresh, 30)):
            row = admin.execute("SELECT 'used ' || (current_date - %s)", (days,)).fetchone()
            assert row is not None
            admin.execute(f"COMMENT ON DATABASE {name} IS '{row[0]}'".encode())
    assert own.sweep() == [old]
    own.template("fresh", build_nothing)
    with psycopg.connect(server.admin_url) as admin:
        noted = admin.execute(
            "SELECT shobj_description(oid, 'pg_database') = 'used ' || current_date "
            "FROM pg_database WHERE datname = %s",
            (fresh,),
        ).fetchone()
    assert noted == (True,)
