"""A backup holds everything, comes back whole or not at all, and tells when it is damaged."""

import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from pglab.urls import parameters_of, with_database
from tests.tracker.test_migrations import columns_of, describe, rows_of
from tracker import backup, migrations
from tracker.backup import Backup
from tracker.errors import BackupBroken, BackupError, DatabaseUnavailable, TargetNotEmpty
from tracker.models import Base


def test_what_comes_back_is_what_was_there(
    filled: str, empty: str, tmp_path: Path, programs: Path | None
) -> None:
    made = backup.create(filled, tmp_path, programs=programs)
    backup.restore(empty, made, programs=programs)
    assert describe(empty) == describe(filled)
    assert rows_of(empty, columns_of(empty)) == rows_of(filled, columns_of(filled))
    assert migrations.drift(empty) == []


def test_the_manifest_says_what_is_in_the_dump(
    filled: str, tmp_path: Path, programs: Path | None
) -> None:
    before = datetime.now(UTC)
    made = backup.create(filled, tmp_path, programs=programs)
    manifest = backup.open_backup(made.folder).manifest
    assert manifest == made.manifest
    assert before <= manifest.created_at <= datetime.now(UTC)
    assert manifest.revision == migrations.head()
    tables = {table.name for table in Base.metadata.tables.values() if not table.is_view}
    assert manifest.rows.keys() == tables | {"alembic_version"}
    assert manifest.rows["tracks"] == 4
    assert manifest.size_bytes == made.dump.stat().st_size
    with psycopg.connect(filled) as connection:
        version = connection.execute("SHOW server_version").fetchone()
    assert version == (manifest.server_version,)


def test_backups_are_found_newest_first_and_nothing_else_is(
    filled: str, tmp_path: Path, programs: Path | None
) -> None:
    first, second = (backup.create(filled, tmp_path / "new", programs=programs) for _ in range(2))
    (tmp_path / "new" / "2026 holidays").mkdir()
    (tmp_path / "new" / ".unfinished-x").mkdir()
    assert backup.find(tmp_path / "new") == [second, first]
    assert backup.find(tmp_path / "nowhere") == []


def test_the_counts_are_of_the_snapshot_that_was_dumped(
    filled: str, empty: str, tmp_path: Path, programs: Path | None
) -> None:
    """Somebody who writes all the time is never half in a backup."""
    done = threading.Event()

    def write() -> None:
        with psycopg.connect(filled, autocommit=True) as connection:
            while not done.is_set():
                connection.execute(
                    "INSERT INTO organizations (name, slug) SELECT 'x', 'o' || nextval('n')"
                )

    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE n")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = backup.create(filled, tmp_path, programs=programs)
    finally:
        done.set()
        writer.join()
    backup.verify(made, programs=programs, scratch_url=empty)
    with psycopg.connect(empty) as connection:
        count = connection.execute("SELECT count(*) FROM organizations").fetchone()
    assert count == (made.manifest.rows["organizations"],)


@pytest.fixture
def made(filled: str, tmp_path: Path, programs: Path | None) -> Backup:
    return backup.create(filled, tmp_path / "backups", programs=programs)


def test_a_backup_that_is_as_it_was_made_is_good(
    made: Backup, empty: str, programs: Path | None
) -> None:
    backup.verify(made, programs=programs)
    backup.verify(made, programs=programs, scratch_url=empty)


@pytest.mark.parametrize("damage", ["a changed byte", "a lost end", "no dump at all"])
def test_a_damaged_dump_is_found_and_not_restored(
    made: Backup, empty: str, programs: Path | None, damage: str
) -> None:
    content = bytearray(made.dump.read_bytes())
    if damage == "a changed byte":
        content[len(content) // 2] ^= 1
        made.dump.write_bytes(content)
    elif damage == "a lost end":
        made.dump.write_bytes(content[:-100])
    else:
        made.dump.unlink()
    with pytest.raises(BackupBroken, match=r"tracker\.dump"):
        backup.verify(made, programs=programs)
    with pytest.raises(BackupBroken):
        backup.restore(empty, made, programs=programs)
    assert describe(empty)["columns"] == []


def test_a_dump_that_breaks_in_the_middle_leaves_the_database_empty(
    made: Backup, empty: str, programs: Path | None
) -> None:
    content = made.dump.read_bytes()
    made.dump.write_bytes(content[: len(content) * 9 // 10])
    fitting = made.manifest.model_copy(
        update={
            "size_bytes": made.dump.stat().st_size,
            "sha256": backup.manifest.sha256_of(made.dump),
        }
    )
    with pytest.raises(BackupError, match="pg_restore failed"):
        backup.restore(empty, Backup(made.folder, fitting), programs=programs)
    assert describe(empty)["columns"] == []
    assert describe(empty)["functions"] == []


def test_rows_that_are_missing_after_a_restore_are_told(
    made: Backup, empty: str, programs: Path | None
) -> None:
    wrong = made.manifest.model_copy(update={"rows": made.manifest.rows | {"users": 99}})
    with pytest.raises(BackupBroken, match="users has 2 rows and should have 99"):
        backup.verify(Backup(made.folder, wrong), programs=programs, scratch_url=empty)


@pytest.mark.parametrize("content", [None, "{}", "no JSON", '{"format": 1, "sha256": 5}'])
def test_a_folder_without_a_manifest_that_can_be_read_is_no_backup(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(BackupBroken, match=r"manifest\.json"):
        backup.open_backup(tmp_path)


@pytest.mark.parametrize(
    "something", ["CREATE TABLE t ()", "CREATE FUNCTION f() RETURNS int RETURN 1",
                  "CREATE TYPE mood AS ENUM ('glad')", "CREATE SCHEMA s CREATE TABLE t ()"]
)  # fmt: skip
def test_a_database_with_anything_in_it_is_refused(
    made: Backup, empty: str, programs: Path | None, something: str
) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute(something.encode())
    before = describe(empty)
    with pytest.raises(TargetNotEmpty, match="not empty"):
        backup.restore(empty, made, programs=programs)
    assert describe(empty) == before


def test_what_extensions_bring_along_does_not_count(
    made: Backup, empty: str, programs: Path | None
) -> None:
    with psycopg.connect(empty) as connection:
        available = connection.execute(
            # these need nothing but themselves, and bring types, tables or functions along
            "SELECT name FROM pg_available_extensions"
            " WHERE name IN ('citext', 'hstore', 'ltree', 'pg_trgm', 'seg', 'vector')"
        ).fetchall()
        assert available
        for (name,) in available:
            connection.execute(
                psycopg.sql.SQL("CREATE EXTENSION {}").format(psycopg.sql.Identifier(name))
            )
    backup.restore(empty, made, programs=programs)


def test_an_older_server_is_refused(made: Backup, empty: str, programs: Path | None) -> None:
    newer = made.manifest.model_copy(update={"server_version": "99.1"})
    with pytest.raises(BackupError, match=r"of PostgreSQL 99, and this server is 1[5-8]:"):
        backup.restore(empty, Backup(made.folder, newer), programs=programs)


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A directory whose pg_dump is of long ago, and tells what it was started with."""
    folder = tmp_path / "old" / "bin"
    folder.mkdir(parents=True)
    for name in ("pg_dump", "pg_restore"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) 9.6.24'\n")
        program.chmod(0o755)
    return folder


def test_an_older_program_than_the_server_is_refused(
    filled: str, empty: str, made: Backup, fake: Path, tmp_path: Path
) -> None:
    with pytest.raises(BackupError, match=r"pg_dump is of version 9, and the server of version 1"):
        backup.create(filled, tmp_path / "out", programs=fake)
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(BackupError, match="pg_restore is of version 9"):
        backup.restore(empty, made, programs=fake)


def test_without_the_programs_the_message_says_what_to_install(filled: str, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    with pytest.raises(BackupError, match=r"There is no pg_dump in .*postgresql-client"):
        backup.create(filled, tmp_path / "out", programs=tmp_path / "bin")


def test_no_password_is_in_the_words_of_a_command(filled: str, tmp_path: Path) -> None:
    """A pg_dump that writes down its words, and whether the password is in its environment."""
    program = tmp_path / "pg_dump"
    password = parameters_of(filled)["password"]
    program.write_text(
        f"#!{sys.executable}\nimport os, pathlib, sys\n"
        "if '--version' in sys.argv: print('pg_dump (PostgreSQL) 99.1'); sys.exit()\n"
        f"pathlib.Path({str(tmp_path / 'words')!r}).write_text(repr(sys.argv))\n"
        f"sys.exit('known' if os.environ['PGPASSWORD'] == {password!r} else 'unknown')\n"
    )
    program.chmod(0o755)
    with pytest.raises(BackupError, match="pg_dump failed: known"):
        backup.create(filled, tmp_path / "out", programs=tmp_path)
    words = (tmp_path / "words").read_text()
    assert "dbname=" in words
    assert password not in words


def test_a_folder_that_cannot_be_written_is_named(
    filled: str, tmp_path: Path, programs: Path | None
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupError, match=r"No backup can be written to .*file"):
        backup.create(filled, tmp_path / "file" / "backups", programs=programs)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such folder")
def test_a_read_only_folder_is_named(filled: str, tmp_path: Path, programs: Path | None) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):  # root may write everywhere but into what the kernel shows
        folder = Path("/proc/self/fdinfo")
    with pytest.raises(BackupError, match="No backup can be written"):
        backup.create(filled, folder, programs=programs)


def test_a_database_that_does_not_answer_is_told_and_leaves_nothing(
    tmp_path: Path, programs: Path | None
) -> None:
    with pytest.raises(DatabaseUnavailable):
        backup.create("postgresql://me:x@127.0.0.1:1/x", tmp_path, programs=programs)
    assert list(tmp_path.iterdir()) == []


def test_a_dump_that_fails_leaves_nothing(
    filled: str, tmp_path: Path, programs: Path | None
) -> None:
    parameters = parameters_of(filled)
    name, password = parameters["dbname"], parameters["password"]
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL(
                "DROP ROLE IF EXISTS no_reader; CREATE ROLE no_reader LOGIN PASSWORD {};"
                "GRANT CONNECT ON DATABASE {} TO no_reader"
            ).format(password, psycopg.sql.Identifier(name))
        )
        url = with_database(filled, name, "no_reader", password)
        try:
            with pytest.raises(BackupError, match="permission denied"):
                backup.create(url, tmp_path, programs=programs)
        finally:
            connection.execute("DROP OWNED BY no_reader; DROP ROLE no_reader")
    assert list(tmp_path.iterdir()) == []


def test_an_upload_gets_the_finished_backup(
    filled: str, tmp_path: Path, programs: Path | None
) -> None:
    given: list[Backup] = []
    made = backup.create(filled, tmp_path, programs=programs, upload=given.append)
    assert given == [made]


def copier(tmp_path: Path) -> str:
    program = tmp_path / "copy it.py"
    program.write_text(
        "import pathlib, shutil, sys\n"
        "source, target, name = sys.argv[1:]\n"
        "shutil.copytree(source, pathlib.Path(target) / name)\n"
    )
    return f"{sys.executable} '{program}' {{folder}}"


def test_a_command_uploads_without_a_shell(made: Backup, tmp_path: Path) -> None:
    far = tmp_path / "far; touch owned"
    backup.uploader(f"{copier(tmp_path)} '{far}' {{name}}")(made)
    assert backup.find(far)[0].manifest == made.manifest
    assert not Path("owned").exists()


def test_an_upload_that_fails_says_so_and_the_backup_stays(made: Backup, tmp_path: Path) -> None:
    far = tmp_path / "backups"  # where it is already
    with pytest.raises(BackupError, match=r"(?s)upload failed: .*File exists"):
        backup.uploader(f"{copier(tmp_path)} '{far}' {{name}}")(made)
    with pytest.raises(BackupError, match="upload failed: no-such-program"):
        backup.uploader("no-such-program {folder}")(made)
    assert backup.find(far) == [made]


@pytest.mark.parametrize("template", ["rclone copy", "rclone 'copy {folder}"])
def test_an_upload_command_that_cannot_work_is_refused_before_the_backup(template: str) -> None:
    with pytest.raises(BackupError, match="upload command"):
        backup.uploader(template)
