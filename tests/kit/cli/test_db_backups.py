"""``kit db``: backups on a real server."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from kit import client_programs
from pglab.servers.binaries import find_binaries
from pglab.servers.durable import DurableServer
from tests.kit.conftest import Ended, Kit

Db = Callable[..., Ended]


@pytest.fixture
def folder(db: Db, tracker: psycopg.Connection, tmp_path: Path) -> Path:
    """A backup of the course's database."""
    ended = db("backup", "--to", str(tmp_path / "backups"))
    assert ended.code == 0
    return Path(ended.out.strip())


@pytest.fixture
def other(server: DurableServer) -> Iterator[str]:
    """The name of a database that is not there, and is gone afterwards."""
    yield "put_back"
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS put_back WITH (FORCE)")


def names(server: DurableServer) -> set[str]:
    with psycopg.connect(server.admin_url) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


def users(server: DurableServer, name: str = "tracker") -> int:
    with psycopg.connect(server.url(name)) as connection:
        row = connection.execute("SELECT count(*) FROM users").fetchone()
    assert row is not None
    return int(row[0])


def damage(folder: Path) -> None:
    dump = folder / "tracker.dump"
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)


def test_a_backup_is_kept_in_the_kits_home_unless_told_otherwise(
    db: Db, tracker: psycopg.Connection, learners_home: Path
) -> None:
    ended = db("backup")
    assert ended.code == 0
    assert Path(ended.out.strip()).parent == learners_home / "backups"
    assert " rows, " in ended.err


def test_only_its_owner_can_read_a_backup(folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0


def test_a_backup_without_a_database_is_wrong_usage(
    db: Db, server: DurableServer, tmp_path: Path
) -> None:
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS tracker WITH (FORCE)")
    ended = db("backup", "--to", str(tmp_path / "backups"))
    assert ended.code == 2
    assert "kit db up makes it" in ended.err
    assert not (tmp_path / "backups").exists()


def test_restore_makes_another_database(
    db: Db, server: DurableServer, folder: Path, other: str
) -> None:
    ended = db("restore", str(folder), "--into", other)
    assert (ended.code, ended.err) == (0, "")
    assert users(server, other) == users(server) > 0


def test_restore_fills_the_course_s_database_where_there_is_none(
    db: Db, server: DurableServer, folder: Path
) -> None:
    before = users(server)
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE tracker WITH (FORCE)")
        connection.execute("CREATE DATABASE tracker")  # empty is as good as missing
    assert db("restore", str(folder)).code == 0
    assert users(server) == before
    assert db("check").code == 0


def test_restore_never_mixes(db: Db, server: DurableServer, folder: Path) -> None:
    before = users(server)
    ended = db("restore", str(folder))
    assert ended.code == 2
    assert "not empty" in ended.err
    assert "--replace" in ended.err
    assert users(server) == before


def test_restore_replaces_what_is_there_if_asked_twice(
    db: Db, server: DurableServer, folder: Path, tracker: psycopg.Connection
) -> None:
    before = users(server)
    tracker.execute("DELETE FROM users")
    ended = db("restore", str(folder), "--replace")
    assert ended.code == 2
    assert "nobody is there to be asked" in ended.err
    assert users(server) == 0
    ended = db("restore", str(folder), "--replace", "--yes")
    assert ended.code == 0
    assert "sessions on the old one were ended" in ended.err
    assert users(server) == before


def test_replacing_on_a_server_given_by_url_needs_yes_really(
    db: Db, server: DurableServer, folder: Path
) -> None:
    ended = db("restore", str(folder), "--replace", "--yes", "--database", server.admin_url)
    assert ended.code == 2
    assert "--yes-really" in ended.err


def test_replace_and_into_are_not_for_one_command(db: Db, folder: Path) -> None:
    assert db("restore", str(folder), "--replace", "--into", "x").code == 2


def test_a_broken_dump_is_found_and_nothing_is_half_restored(
    db: Db, server: DurableServer, folder: Path, other: str
) -> None:
    damage(folder)
    before, rows = names(server), users(server)
    assert db("verify", str(folder)).code == 1
    for words in (("--into", other), ("--replace", "--yes")):
        ended = db("restore", str(folder), *words)
        assert ended.code == 1
        assert "checksum" in ended.err
    assert names(server) == before
    assert users(server) == rows


def test_verify_tells_what_it_looked_at(db: Db, server: DurableServer, folder: Path) -> None:
    before = names(server)
    assert "Size and checksum are right" in db("verify", str(folder)).out
    assert "It was restored and counted" in db("verify", str(folder), "--restore").out
    assert names(server) == before
    data = json.loads(db("verify", str(folder), "--json").out)
    assert data["rows"]["users"] == users(server)


def test_a_folder_that_is_no_backup_is_told(db: Db, tmp_path: Path) -> None:
    ended = db("verify", str(tmp_path))
    assert ended.code == 1
    assert "manifest.json" in ended.err
    assert db("verify", str(tmp_path / "nowhere")).code == 2


def test_only_the_backups_that_are_wanted_are_kept(
    db: Db, tracker: psycopg.Connection, tmp_path: Path
) -> None:
    to = ("--to", str(tmp_path))
    made = [json.loads(db("backup", *to, "--json").out) for _ in range(2)]
    last = json.loads(db("backup", *to, "--keep", "1", "0", "0", "--json").out)
    assert {Path(each["folder"]).name for each in made} == set(last["deleted"])
    assert [path.name for path in tmp_path.iterdir()] == [Path(last["folder"]).name]
    assert "1 older backups were deleted" in db("backup", *to, "--keep", "1", "1", "1").err


def test_an_upload_that_fails_is_told_and_the_backup_is_there(
    db: Db, tracker: psycopg.Connection, tmp_path: Path
) -> None:
    to = ("--to", str(tmp_path))
    assert db("backup", *to, "--upload", "copy it somewhere").code == 3
    assert list(tmp_path.iterdir()) == []
    program = "import sys; sys.exit('no room on ' + sys.argv[1])"
    command = shlex.join([sys.executable, "-c", program, "{name}", "{folder}"])
    ended = db("backup", *to, "--upload", command)
    assert ended.code == 3
    (made,) = tmp_path.iterdir()
    assert f"no room on {made.name}" in ended.err
    assert db("verify", str(made)).code == 0


def test_a_folder_that_cannot_be_written_is_told(
    db: Db, tracker: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    ended = db("backup", "--to", str(tmp_path / "file"))
    assert ended.code == 3
    assert "No backup can be written to" in ended.err
    assert "Traceback" not in ended.err


def test_an_older_pg_dump_than_the_server_is_told(
    db: Db, tracker: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = find_binaries(16).program("pg_dump").parent
    monkeypatch.setattr(client_programs, "directory", lambda _version: old)
    ended = db("backup", "--to", str(tmp_path))
    assert ended.code == 3
    assert "pg_dump is of version 16, and the server of version 18" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_the_programs_are_of_the_servers_version_or_the_next_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sixteen, eighteen = (find_binaries(n).program("pg_dump").parent for n in (16, 18))
    assert client_programs.directory("18.4") == eighteen
    assert client_programs.directory("17.2 (Debian 17.2-1)") == eighteen
    assert client_programs.directory("15.18") == sixteen
    assert client_programs.directory("19beta1") is None
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 17.1 (Debian 17.1-1)'\n")
    program.chmod(0o755)
    assert client_programs.directory("17.2") is None  # the one on the PATH
    assert client_programs.directory("18.4") == eighteen


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups to interrupt")
def test_ctrl_c_in_the_middle_of_a_backup_leaves_nothing(
    kit: Kit, tracker: psycopg.Connection, server: DurableServer, learners_home: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    with psycopg.connect(server.url("tracker")) as blocker:
        blocker.execute("CREATE SCHEMA slow CREATE TABLE t ()")
        blocker.commit()
        blocker.execute("LOCK TABLE slow.t")  # pg_dump waits for it
        with subprocess.Popen(
            kit.command("db", "backup", "--to", str(tmp_path / "backups")),
            env=kit.environment | {"KIT_HOME": str(learners_home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            wait_for_pg_dump(tracker, process)
            assert len(list((tmp_path / "backups").iterdir())) == 1
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (130, "")
        assert err.endswith("Stopped.\n")
        assert "Traceback" not in err
        assert list((tmp_path / "backups").iterdir()) == []
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)  # no process of the group is left
        blocker.execute("DROP SCHEMA slow CASCADE")


def wait_for_pg_dump(connection: psycopg.Connection, process: subprocess.Popen[str]) -> None:
    """Return when a pg_dump on the server waits for a lock."""
    query = """
        SELECT count(*) FROM pg_stat_activity
         WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"""
    until = time.monotonic() + 60
    while connection.execute(query).fetchone() == (0,):
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            pytest.fail(f"no pg_dump was seen: {process.communicate()}")
        time.sleep(0.02)
