"""``kit db`` on a real server."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from kit import database
from kit.cli.db import command as kit_db
from pglab.errors import PglabError
from pglab.servers.durable import DurableServer
from pglab.urls import with_database
from tests.kit.conftest import Ended, Kit

Db = Callable[..., Ended]


@pytest.fixture
def nothing(server: DurableServer) -> None:
    """The server has no course's database yet."""
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS tracker WITH (FORCE)")


def names(server: DurableServer) -> set[str]:
    with psycopg.connect(server.admin_url) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


@pytest.mark.usefixtures("nothing")
def test_up_makes_the_database_with_tables_and_example_data(db: Db, server: DurableServer) -> None:
    ended = db("up")
    assert ended.code == 0
    assert "is up, with the database tracker" in ended.out
    assert "Making the database tracker" in ended.err
    with psycopg.connect(server.url("tracker")) as connection:
        users = connection.execute("SELECT count(*) FROM users").fetchone()
    assert users is not None
    assert users[0] > 0


@pytest.mark.usefixtures("nothing")
def test_up_without_seed_leaves_the_tables_empty(db: Db, server: DurableServer) -> None:
    assert db("up", "--no-seed").code == 0
    with psycopg.connect(server.url("tracker")) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


@pytest.mark.usefixtures("nothing")
def test_up_fills_an_empty_database_that_others_made(db: Db, server: DurableServer) -> None:
    """As `docker run -e POSTGRES_DB=tracker` does, or a provider whose roles make no databases."""
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE tracker")
        connection.execute("COMMENT ON DATABASE tracker IS 'by others'")
    ended = db("up")
    assert ended.code == 0
    assert "tracker is there and empty. Making its tables and example data." in ended.err
    with psycopg.connect(server.url("tracker")) as connection:
        users = connection.execute("SELECT count(*) FROM users").fetchone()
        comment = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE datname = current_database()"
        ).fetchone()
    assert users is not None
    assert users[0] > 0
    assert comment == ("by others",), "it was filled in its place, and not replaced"


@pytest.mark.usefixtures("nothing")
def test_up_leaves_a_database_with_only_a_function_as_it_is(db: Db, server: DurableServer) -> None:
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE tracker")
    with psycopg.connect(server.url("tracker"), autocommit=True) as connection:
        connection.execute("CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1")
    assert "Making" not in db("up").err
    with psycopg.connect(server.url("tracker")) as connection:
        assert connection.execute("SELECT to_regclass('users')").fetchone() == (None,)


def test_up_again_leaves_what_is_there(db: Db, tracker: psycopg.Connection) -> None:
    tracker.execute("CREATE TABLE IF NOT EXISTS my_notes ()")
    ended = db("up")
    assert ended.code == 0
    assert "Making" not in ended.err
    assert tracker.execute("SELECT to_regclass('my_notes')").fetchone() == ("my_notes",)


@pytest.mark.usefixtures("nothing")
def test_what_a_killed_command_left_half_made_is_replaced(db: Db, server: DurableServer) -> None:
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE tracker_unfinished")
    assert db("up").code == 0
    assert "tracker" in names(server)
    assert "tracker_unfinished" not in names(server)


def test_status_tells_people_and_programs_what_is_there(
    db: Db, tracker: psycopg.Connection, learners_home: Path
) -> None:
    told = db("status").out
    assert "embedded PostgreSQL 18" in told
    assert "at the newest migration" in told
    data = json.loads(db("status", "--json").out)
    assert data["running"] is True
    assert data["database"]["revision"] == data["database"]["head"]
    assert data["data_dir"].startswith(str(learners_home))


def test_status_never_shows_the_password(
    db: Db, tracker: psycopg.Connection, server: DurableServer
) -> None:
    password = tracker.info.password
    assert len(password) > 10
    for ended in (db("status"), db("status", "--json")):
        assert password not in ended.out + ended.err


def test_status_says_that_a_migration_is_missing(db: Db, tracker: psycopg.Connection) -> None:
    tracker.execute("UPDATE alembic_version SET version_num = '0000'")
    try:
        told = db("status").out
    finally:
        tracker.execute("DROP TABLE alembic_version")
        assert db("reset", "--yes").code == 0
    assert "at migration 0000 of" in told
    assert "kit db migrate" in told


def test_status_starts_nothing_and_makes_nothing(kit: Kit, kit_home: Path) -> None:
    ended = kit("db", "status")
    assert ended.code == 0
    assert "there is none yet" in ended.out
    assert not kit_home.exists()
    assert json.loads(kit("db", "status", "--json").out)["running"] is False


def test_down_on_a_home_without_a_server_says_so(kit: Kit) -> None:
    ended = kit("db", "down")
    assert (ended.code, ended.out) == (0, "The server was not up.\n")


def test_down_stops_the_server_and_keeps_its_data(
    db: Db, tracker: psycopg.Connection, server: DurableServer
) -> None:
    tracker.execute("CREATE TABLE IF NOT EXISTS kept ()")
    try:
        assert "Its data is kept" in db("down").out
        told = db("status").out
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.admin_url)
    finally:
        server.start()
    assert "down. kit db up starts it" in told
    with psycopg.connect(server.url("tracker")) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == ("kept",)


def test_url_prints_nothing_but_a_url_that_works(db: Db, tracker: psycopg.Connection) -> None:
    ended = db("url")
    assert ended.err == ""
    with psycopg.connect(ended.out.strip()) as connection:
        assert connection.info.dbname == "tracker"
    assert db("url", "--sqlalchemy").out.startswith("postgresql+psycopg://")


@pytest.fixture
def psql(kit: Kit, learners_home: Path) -> Db:
    """Runs ``kit db psql …`` as a process, because it becomes psql."""

    def run(*words: str, **environment: str) -> Ended:
        return kit("db", "psql", *words, KIT_HOME=str(learners_home), **environment)

    return run


def test_psql_gets_its_own_options_and_reaches_the_database(
    psql: Db, tracker: psycopg.Connection
) -> None:
    ended = psql("-A", "-t", "-c", "SELECT current_database()")
    assert (ended.code, ended.out) == (0, "tracker\n")


def test_psql_is_not_older_than_the_server(psql: Db, tracker: psycopg.Connection) -> None:
    ended = psql("-c", r"\l")
    assert (ended.code, ended.err) == (0, "")
    assert "tracker" in ended.out


def test_psqls_own_exit_code_is_kept(psql: Db, tracker: psycopg.Connection) -> None:
    ended = psql("-v", "ON_ERROR_STOP=1", "-c", "SELECT 1/0")
    assert ended.code == 1
    assert "division by zero" in ended.err


def test_psql_is_there_on_a_machine_without_postgresql(
    psql: Db, tracker: psycopg.Connection, tmp_path: Path
) -> None:
    ended = psql("-A", "-t", "-c", "SELECT 7", PATH=str(tmp_path))
    assert (ended.code, ended.out) == (0, "7\n")


def test_seed_twice_inserts_once(db: Db, tracker: psycopg.Connection) -> None:
    assert db("reset", "--yes", "--no-seed").code == 0
    first = json.loads(db("seed", "--json").out)
    assert first["inserted"]["users"] > 0
    assert db("seed").out == "All of the example data is there already. Nothing was changed.\n"


def test_a_class_is_more_of_the_same(db: Db, tracker: psycopg.Connection) -> None:
    assert db("reset", "--yes").code == 0
    inserted = json.loads(db("seed", "--size", "class", "--json").out)["inserted"]
    assert inserted["users"] == 280
    assert inserted["tracks"] == 0


def test_an_unknown_size_of_seed_is_wrong_usage(db: Db, tracker: psycopg.Connection) -> None:
    ended = db("seed", "--size", "huge")
    assert ended.code == 2
    assert "There is no size “huge”. There are: small" in ended.err


def test_example_data_of_another_seed_beside_the_first_is_refused_with_the_way_out(
    db: Db, tracker: psycopg.Connection
) -> None:
    assert db("reset", "--yes").code == 0
    ended = db("seed", "--seed", "7")
    assert ended.code == 2
    assert "reset" in ended.err


@pytest.mark.usefixtures("tracker")
def test_reset_asks_and_without_anybody_there_changes_nothing(
    db: Db, server: DurableServer
) -> None:
    mark(server)
    ended = db("reset")
    assert ended.code == 2
    assert "--yes" in ended.err
    assert marked(server)


@pytest.mark.usefixtures("tracker")
def test_reset_gives_a_new_database_with_example_data(db: Db, server: DurableServer) -> None:
    mark(server)
    with psycopg.connect(server.url("tracker")):
        ended = db("reset", "--yes", "--seed", "3")
    assert ended.code == 0
    assert ended.out == "The database tracker is new.\n"
    assert "sessions on the old one were ended" in ended.err
    assert not marked(server)


@pytest.mark.usefixtures("tracker")
def test_reset_of_a_server_given_by_url_needs_yes_really(db: Db, server: DurableServer) -> None:
    mark(server)
    for environment, option in (
        ({}, server.admin_url),
        ({"DATABASE_URL": server.admin_url}, "auto"),
    ):
        ended = db("reset", "--yes", "--database", option, **environment)
        assert ended.code == 2
        assert "--yes-really" in ended.err
        assert server.admin_url not in ended.err
        assert marked(server)
    assert db("reset", "--yes-really", "--database", server.admin_url).code == 0
    assert not marked(server)


@pytest.mark.usefixtures("tracker")
def test_a_reset_that_fails_leaves_the_old_database(db: Db, server: DurableServer) -> None:
    mark(server)
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS modest")
        connection.execute("CREATE ROLE modest LOGIN PASSWORD 'x'")
        connection.execute("GRANT CONNECT ON DATABASE postgres TO modest")
    url = with_database(server.admin_url, "postgres", "modest", "x")
    ended = db("reset", "--yes-really", "--database", url)
    assert ended.code == 3
    assert "may not make databases" in ended.err
    assert marked(server)


@pytest.mark.usefixtures("tracker")
def test_a_reset_that_is_broken_off_leaves_the_old_database_and_nothing_else(
    db: Db, server: DurableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark(server)
    before = names(server)

    def stop(_url: str, **_data: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(database, "fill", stop)
        assert db("reset", "--yes").code == 130
    assert names(server) == before
    assert marked(server)


def test_a_server_that_does_not_answer_is_the_machines_fault(db: Db) -> None:
    ended = db("status", "--database", "postgresql://me:hunter2@127.0.0.1:1/x")
    assert ended.code == 3
    assert ended.err.startswith("Error: ")
    assert "hunter2" not in ended.err
    assert "Traceback" not in ended.err


def test_a_server_that_is_neither_a_kind_nor_a_url_is_wrong_usage(db: Db) -> None:
    ended = db("status", "--database", "mysql://x")
    assert ended.code == 2
    assert "postgresql://" in ended.err


def test_every_command_of_db_is_known_by_a_test() -> None:
    tests = Path(__file__).parent.glob("test_db*.py")
    source = "".join(path.read_text(encoding="utf-8") for path in tests)
    for name in kit_db.commands:
        assert f'db("{name}"' in source or f'kit("db", "{name}"' in source


@pytest.fixture(autouse=True)
def _nothing_precious(server: DurableServer) -> Iterator[None]:
    """Other tests share the server, and compare its tables with the models."""
    yield
    with (
        contextlib.suppress(psycopg.Error, PglabError),
        psycopg.connect(server.url("tracker"), autocommit=True) as connection,
    ):
        connection.execute("DROP TABLE IF EXISTS precious")


def mark(server: DurableServer) -> None:
    with psycopg.connect(server.url("tracker"), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS precious ()")


def marked(server: DurableServer) -> bool:
    with psycopg.connect(server.url("tracker")) as connection:
        row = connection.execute("SELECT to_regclass('precious') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])
