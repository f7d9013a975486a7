"""``kit db``: migrations on a real server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from pglab.servers.durable import DurableServer
from tests.kit.conftest import Ended, Kit
from tracker import migrations

Db = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("current")


@pytest.fixture
def current(tracker: psycopg.Connection, server: DurableServer) -> Iterator[None]:
    """The course's database is at the newest migration, afterwards too."""
    url = server.url("tracker")
    migrations.upgrade(url)
    yield
    migrations.upgrade(url)


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a copy of all migrations."""
    copy = tmp_path / "migrations"
    shutil.copytree(
        migrations.migrations_directory(), copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr(migrations, "migrations_directory", lambda: copy)
    return copy / "versions"


def test_migrate_says_where_the_database_was_and_is(db: Db, server: DurableServer) -> None:
    assert "at the newest migration already" in db("migrate").out
    migrations.downgrade(server.url("tracker"), "0014")
    assert db("migrate").out == f"Migrated from 0014 to {migrations.head()}.\n"


def test_three_migrates_at_once_all_succeed(
    kit: Kit, server: DurableServer, learners_home: Path
) -> None:
    migrations.downgrade(server.url("tracker"), "base")
    with ThreadPoolExecutor(3) as pool:
        ended = list(
            pool.map(lambda _: kit("db", "migrate", KIT_HOME=str(learners_home)), range(3))
        )
    assert [(each.code, each.err) for each in ended] == [(0, "")] * 3
    assert any(each.out.startswith("Migrated from nothing") for each in ended)
    assert migrations.drift(server.url("tracker")) == []


def test_history_marks_what_the_database_has_had(db: Db, server: DurableServer) -> None:
    migrations.downgrade(server.url("tracker"), "0002")
    ended = db("history")
    lines = ended.out.splitlines()
    assert len(lines) == len(migrations.history())
    assert [line.startswith("✓") for line in lines[:4]] == [True, True, False, False]
    assert "0003  Organizations" in lines[2]
    assert "kit db migrate" in ended.err
    data = json.loads(db("history", "--json").out)
    assert data["current"] == "0002"
    assert data["revisions"][2]["id"] == "0003"


def test_history_says_that_a_newer_kit_was_here(db: Db, tracker: psycopg.Connection) -> None:
    tracker.execute("UPDATE alembic_version SET version_num = '9999'")
    try:
        assert "a newer kit" in db("history").err
        ended = db("migrate")
        assert ended.code == 2
        assert "9999" in ended.err
    finally:
        assert db("stamp", "head").code == 0


def test_downgrade_asks_and_without_anybody_there_changes_nothing(
    db: Db, server: DurableServer
) -> None:
    ended = db("downgrade", "-1")
    assert ended.code == 2
    assert "takes the database back to -1" in ended.err
    assert "--yes" in ended.err
    assert migrations.current(server.url("tracker")) == migrations.head()


def test_downgrade_takes_the_database_back(db: Db, server: DurableServer) -> None:
    assert db("downgrade", "0013", "--yes").out == f"Taken back from {migrations.head()} to 0013.\n"
    assert db("downgrade", "-1", "--yes").out == "Taken back from 0013 to 0012.\n"
    assert migrations.current(server.url("tracker")) == "0012"


def test_downgrade_of_a_server_given_by_url_needs_yes_really(db: Db, server: DurableServer) -> None:
    ended = db("downgrade", "-1", "--yes", "--database", server.admin_url)
    assert ended.code == 2
    assert "--yes-really" in ended.err
    assert migrations.current(server.url("tracker")) == migrations.head()


@pytest.mark.parametrize("words", [("downgrade", "0099", "--yes"), ("stamp", "0099")])
def test_a_migration_that_is_not_there_is_wrong_usage(db: Db, words: tuple[str, ...]) -> None:
    ended = db(*words)
    assert ended.code == 2
    assert "0099" in ended.err
    assert "Traceback" not in ended.err


def test_stamp_notes_and_runs_nothing_and_check_finds_the_lie(
    db: Db, tracker: psycopg.Connection, server: DurableServer
) -> None:
    assert db("check").out == "The models and the database agree.\n"
    assert db("stamp", "0012").out == "Noted: the database is at 0012.\n"
    ended = db("check")
    assert ended.code == 1
    assert "at 0012 and not at" in ended.out
    assert db("stamp", "head").code == 0
    assert db("check").code == 0


def test_check_names_what_differs(db: Db, tracker: psycopg.Connection) -> None:
    tracker.execute("CREATE INDEX by_bio ON users (bio)")
    try:
        ended = db("check")
        data = json.loads(db("check", "--json").out)
    finally:
        tracker.execute("DROP INDEX by_bio")
    assert (ended.code, ended.err) == (1, "")
    assert ended.out == "index users.by_bio is in the database and not in the models.\n"
    assert data == {"agree": False, "differences": [ended.out.strip()]}


def test_revision_writes_a_script_for_what_the_models_have(
    db: Db, tracker: psycopg.Connection, scripts: Path
) -> None:
    tracker.execute("ALTER TABLE users ALTER bio SET NOT NULL")
    try:
        ended = db("revision", "Let users go without a bio")
    finally:
        tracker.execute("ALTER TABLE users ALTER bio DROP NOT NULL")
    assert ended.code == 0
    path = Path(ended.out.strip())
    assert path.parent == scripts
    assert "op.alter_column('users', 'bio'" in path.read_text(encoding="utf-8")


def test_revision_writes_nothing_where_nothing_differs(db: Db, scripts: Path) -> None:
    before = sorted(scripts.glob("*.py"))
    ended = db("revision", "Nothing")
    assert ended.code == 0
    assert "there is nothing to migrate" in ended.out
    assert sorted(scripts.glob("*.py")) == before
    assert db("revision", "By hand", "--empty").code == 0
    assert len(list(scripts.glob("*.py"))) == len(before) + 1


def test_revision_where_nothing_can_be_written_is_told(db: Db, scripts: Path) -> None:
    (scripts / f"{int(migrations.head()) + 1:04}_by_hand.py").mkdir()
    ended = db("revision", "By hand", "--empty")
    assert ended.code == 2
    assert "cannot be written" in ended.err


def test_revision_wants_words(db: Db, scripts: Path) -> None:
    ended = db("revision", "--", "?!")
    assert ended.code == 2
    assert "MESSAGE" in ended.err


def test_lock_shows_who_holds_it(db: Db, server: DurableServer) -> None:
    assert db("lock").out == "Nobody migrates this database.\n"
    with psycopg.connect(server.url("tracker"), application_name="deployment") as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [migrations.LOCK])
        ended = db("lock")
        (session,) = json.loads(db("lock", "--json").out)
        assert session["pid"] == other.info.backend_pid
    assert f"holds  process {session['pid']}, " in ended.out
    assert "deployment" in ended.out
    assert "pg_terminate_backend" in ended.err
