"""The schema is what the migrations build, and the models describe the same one."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pglab.scratch import Database
from tracker import migrations
from tracker.db import make_engine, make_sessions
from tracker.errors import MigrationError
from tracker.models import Base
from tracker.seeding import seed

# Everything that a schema consists of, whatever the order in which it was made.
DESCRIPTIONS = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attgenerated, pg_get_expr(d.adbin, d.adrelid)
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p')
           AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated
          FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "enums": """
        SELECT t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
          FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY 1""",
    "functions": """
        SELECT pg_get_functiondef(p.oid) FROM pg_proc p
         WHERE p.pronamespace = 'public'::regnamespace""",
    "views": "SELECT matviewname, definition FROM pg_matviews WHERE schemaname = 'public'",
    "policies": "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies",
    "row-level security": """
        SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'""",
    "grants": """
        SELECT table_name, privilege_type FROM information_schema.table_privileges
         WHERE grantee = 'tracker_app'""",
}


def describe(url: str) -> dict[str, list[str]]:
    with psycopg.connect(url) as connection:
        found = {
            kind: sorted(json.dumps(row) for row in connection.execute(query))
            for kind, query in DESCRIPTIONS.items()
        }
    return {
        kind: [row for row in rows if "alembic_version" not in row] for kind, rows in found.items()
    }


def test_the_models_and_the_migrated_database_agree(database: Database) -> None:
    assert migrations.drift(database.url) == []


def test_drift_names_what_differs(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("ALTER TABLE users DROP COLUMN bio")
        connection.execute("ALTER TABLE lessons DROP CONSTRAINT ck_lessons_position_positive")
        connection.execute("ALTER TABLE lessons ALTER title DROP NOT NULL")
        connection.execute("ALTER TABLE tracks DROP CONSTRAINT fk_tracks_author_id")
        connection.execute("CREATE TABLE notes ()")
        connection.execute("CREATE INDEX words ON lessons (content)")
    assert sorted(migrations.drift(database.url)) == [
        "column users.bio is in the models and not in the database.",
        "constraint lessons.ck_lessons_position_positive is in the models and not in the database.",
        "foreign key tracks.fk_tracks_author_id is in the models and not in the database.",
        "index lessons.words is in the database and not in the models.",
        "nullable of lessons.title: True in the database, False in the models.",
        "table notes is in the database and not in the models.",
    ]


def test_migrations_build_exactly_what_create_all_builds(
    database: Database, empty_database: Database
) -> None:
    engine = make_engine(empty_database.url)
    Base.metadata.create_all(engine)
    engine.dispose()
    assert describe(database.url) == describe(empty_database.url)


def test_nothing_is_left_after_going_all_the_way_down(database: Database) -> None:
    migrations.downgrade(database.url, "base")
    assert {kind: rows for kind, rows in describe(database.url).items() if rows} == {}
    assert migrations.current(database.url) is None


def test_three_upgrades_at_once_all_succeed(empty_database: Database) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: migrate_in_a_process(empty_database.url), range(3)))
    assert migrations.current(empty_database.url) == migrations.head()
    assert migrations.drift(empty_database.url) == []


def migrate_in_a_process(url: str) -> None:
    # Alembic's context is one a process, so two upgrades at once are two processes.
    program = "import sys; from tracker import migrations; migrations.upgrade(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, url], check=True, capture_output=True)


def test_an_upgrade_waits_for_another_and_then_finds_nothing_to_do(database: Database) -> None:
    with psycopg.connect(database.url) as other:
        other.execute("SET application_name = 'deployment'")
        other.execute("SELECT pg_advisory_xact_lock(%s)", [migrations.LOCK])
        with ThreadPoolExecutor(1) as pool:
            upgrade = pool.submit(migrations.upgrade, database.url)
            wait_until_somebody_waits_for_an_advisory_lock(database.url)
            assert not upgrade.done()
            holder, waiting = migrations.lock_sessions(database.url)
            assert (holder.holds, waiting.holds) == (True, False)
            assert (holder.pid, holder.application) == (other.info.backend_pid, "deployment")
            other.rollback()
            upgrade.result()
    assert migrations.lock_sessions(database.url) == []


def wait_until_somebody_waits_for_an_advisory_lock(url: str) -> None:
    query = """
        SELECT count(*) FROM pg_locks
         WHERE locktype = 'advisory' AND NOT granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    with psycopg.connect(url, autocommit=True) as watcher:
        while watcher.execute(query).fetchone() == (0,):
            pass


def rows_of(url: str, columns: dict[str, list[str]]) -> dict[str, list[object]]:
    """The values of the named columns of each table, ordered."""
    with psycopg.connect(url) as connection:
        return {
            table: sorted(
                connection.execute(
                    sql.SQL("SELECT jsonb_build_array({})::text FROM {}").format(
                        sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table)
                    )
                )
            )
            for table, names in columns.items()
        }


def columns_of(url: str) -> dict[str, list[str]]:
    with psycopg.connect(url) as connection:
        return dict(
            connection.execute(
                "SELECT table_name, array_agg(column_name::text ORDER BY column_name::text)"
                "  FROM information_schema.columns JOIN information_schema.tables"
                " USING (table_schema, table_name)"
                " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
                "   AND table_name <> 'alembic_version' GROUP BY 1"
            ).fetchall()
        )


@pytest.mark.parametrize("revision", [revision.id for revision in migrations.history()[1:]])
def test_a_migration_undone_and_done_again_keeps_every_row(
    database: Database, revision: str
) -> None:
    seeded(database.url)
    migrations.downgrade(database.url, revision)
    schema, columns = describe(database.url), columns_of(database.url)
    migrations.downgrade(database.url, "-1")
    columns_below = {
        table: sorted(set(names) & set(columns[table]))
        for table, names in columns_of(database.url).items()
        if table in columns
    }
    before = rows_of(database.url, columns_below)
    migrations.upgrade(database.url, revision)
    assert describe(database.url) == schema
    assert rows_of(database.url, columns_below) == before
    migrations.upgrade(database.url)
    assert migrations.drift(database.url) == []


def test_the_whole_schema_can_be_taken_down_and_built_again_under_rows(database: Database) -> None:
    schema = describe(database.url)
    seeded(database.url)
    migrations.downgrade(database.url, "base")
    migrations.upgrade(database.url)
    assert describe(database.url) == schema


def seeded(url: str) -> None:
    engine = make_engine(url)
    with make_sessions(engine)() as session:
        seed(session)
    engine.dispose()


def test_history_tells_what_each_migration_is_for() -> None:
    first, *_, last = migrations.history()
    assert first == migrations.Revision(
        "0001", "Users, their tracks with lessons, and who has learned what"
    )
    assert last.id == migrations.head()


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a copy of all migrations."""
    copy = tmp_path / "migrations"
    shutil.copytree(
        migrations.migrations_directory(), copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr(migrations, "migrations_directory", lambda: copy)
    return copy / "versions"


def test_a_new_migration_gets_the_next_number_and_holds_what_the_models_lack(
    database: Database, scripts: Path
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("ALTER TABLE users DROP COLUMN bio")
    path = migrations.new(database.url, "Give users a bio")
    number = f"{int(migrations.history()[-2].id) + 1:04}"
    assert path == scripts / f"{number}_give_users_a_bio.py"
    assert "op.add_column('users', sa.Column('bio'" in path.read_text(encoding="utf-8")
    migrations.upgrade(database.url)
    assert migrations.current(database.url) == number
    assert migrations.drift(database.url) == []


def test_where_nothing_differs_no_migration_is_written(database: Database, scripts: Path) -> None:
    before = set(scripts.iterdir())
    assert migrations.new(database.url, "Nothing") is None
    assert {path for path in scripts.iterdir() if path.suffix == ".py"} <= before
    empty = migrations.new(database.url, "By hand", autogenerate=False)
    assert empty
    assert empty.read_text(encoding="utf-8").endswith("pass\n")


def test_no_migration_is_written_by_a_database_that_is_behind(
    database: Database, scripts: Path
) -> None:
    migrations.downgrade(database.url, "-1")
    with pytest.raises(MigrationError, match="not up to date"):
        migrations.new(database.url, "Too early")
    with pytest.raises(MigrationError, match="not up to date"):
        migrations.drift(database.url)
    assert not list(scripts.glob("*too_early*"))


def test_an_installation_gets_no_new_migrations(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "migrations_directory", lambda: tmp_path / "_migrations")
    with pytest.raises(MigrationError, match="checkout"):
        migrations.new(database.url, "x")


def test_a_revision_that_is_not_there_is_refused_by_name(database: Database) -> None:
    for go in (migrations.upgrade, migrations.downgrade, migrations.stamp):
        with pytest.raises(MigrationError, match="9999"):
            go(database.url, "9999")
    with pytest.raises(MigrationError, match="-99"):
        migrations.downgrade(database.url, "-99")
    assert migrations.current(database.url) == migrations.head()


def test_a_stamp_notes_a_revision_and_runs_nothing(database: Database) -> None:
    schema = describe(database.url)
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'gone'")
    with pytest.raises(MigrationError, match="gone"):
        migrations.upgrade(database.url)
    migrations.stamp(database.url, "0014")
    assert migrations.current(database.url) == "0014"
    assert describe(database.url) == schema


def test_no_ini_file_is_needed(
    empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    migrations.upgrade(empty_database.url)
    assert migrations.current(empty_database.url) == migrations.head()


def test_the_sql_of_all_migrations_can_be_printed_without_a_database() -> None:
    printed = migrations.sql()
    assert "CREATE TABLE users" in printed
    assert "BEGIN;" in printed
    assert "COMMIT;" in printed


def test_the_printed_sql_builds_what_the_migrations_build(
    database: Database, empty_database: Database
) -> None:
    with psycopg.connect(empty_database.url, autocommit=True) as connection:
        connection.execute(migrations.sql().encode())
    assert describe(empty_database.url) == describe(database.url)
    assert migrations.current(empty_database.url) == migrations.head()


def test_the_alembic_command_works_in_a_checkout(database: Database) -> None:
    root = migrations.migrations_directory().parent
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "check"],
        cwd=root,
        env={**os.environ, "DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "No new upgrade operations detected" in done.stdout
