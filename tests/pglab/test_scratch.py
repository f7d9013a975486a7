"""Templates, clones and roles on real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pglab.errors import CapabilityMissing, ScratchError, ServerUnavailable
from pglab.scratch import Database, Role, Scratch
from pglab.servers import Server, open_server
from pglab.servers.url import UrlServer

Query = Callable[..., list[tuple[object, ...]]]
KIT_NAMES = """
    SELECT datname FROM pg_database WHERE datname LIKE 'kit\\__\\_________\\_%'
    UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'kit\\__\\_________\\_%'
"""


def names_of(scratch: Scratch, query: Query) -> list[object]:
    """The clones and roles of one owner that are on the server now."""
    mark = f"_{scratch._owner:08x}_"
    return [name for (name,) in query(KIT_NAMES) if mark in str(name)]


def test_a_clone_has_what_the_template_has(clone: Database, student: Role) -> None:
    with psycopg.connect(clone.url_for(student)) as connection:
        assert connection.execute("SELECT * FROM notes").fetchall() == [(1, "first")]


def test_a_clone_never_sees_another_clones_rows(
    scratch: Scratch, notes: str, student: Role
) -> None:
    one, other = (scratch.clone(notes, grantee=student.name) for _ in range(2))
    with psycopg.connect(one.url_for(student)) as connection:
        connection.execute("INSERT INTO notes VALUES (2, 'mine')")
    with psycopg.connect(other.url_for(student)) as connection:
        assert connection.execute("SELECT id FROM notes").fetchall() == [(1,)]


def test_a_clone_is_made_on_each_version_and_strategy(each_server: Server) -> None:
    with Scratch(each_server) as scratch:
        template = scratch.template("empty", lambda url: None)
        for strategy in ("FILE_COPY", "WAL_LOG"):
            scratch._strategy = strategy
            database = scratch.clone(template)
            with psycopg.connect(database.url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            database.drop()


def test_the_strategy_follows_whether_the_server_waits_for_the_disk(scratch: Scratch) -> None:
    assert scratch._strategy == "FILE_COPY"


def test_the_admin_url_of_a_clone_is_the_administrators(clone: Database) -> None:
    with psycopg.connect(clone.url) as connection:
        row = connection.execute("SELECT current_user, current_database()").fetchone()
    assert row == ("postgres", clone.name)


def test_nobody_but_the_grantee_can_enter_a_clone(
    scratch: Scratch, notes: str, clone: Database, student: Role
) -> None:
    stranger = scratch.role(member_of="kit_test_students")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(clone.url_for(stranger))
    unopened = scratch.make_clone(scratch._connection, notes)
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        psycopg.connect(scratch.server.url(unopened, student.name, student.password))


@pytest.mark.parametrize("database", ["postgres", "template1", "template0", "notes template"])
def test_a_role_cannot_enter_any_other_database(
    scratch: Scratch, notes: str, student: Role, database: str
) -> None:
    name = notes if database == "notes template" else database
    with pytest.raises(
        psycopg.OperationalError, match=r"permission denied|not currently accepting"
    ):
        psycopg.connect(scratch.server.url(name, student.name, student.password))


def test_a_role_can_do_nothing_to_the_server(clone: Database, student: Role, notes: str) -> None:
    with psycopg.connect(clone.url_for(student), autocommit=True) as connection:
        for attempt in (
            "CREATE DATABASE mine",
            "CREATE ROLE friend",
            "CREATE EXTENSION vector",
            "CREATE SCHEMA mine",
            "CREATE TABLE mine (id int)",
            "SET ROLE postgres",
            "SET SESSION AUTHORIZATION postgres",
            "ALTER ROLE CURRENT_USER SUPERUSER",
            "ALTER ROLE CURRENT_USER CONNECTION LIMIT 100",
            "ALTER ROLE postgres PASSWORD 'x'",
            "ALTER SYSTEM SET fsync = on",
            f"DROP DATABASE {notes}",
            f"ALTER DATABASE {notes} IS_TEMPLATE false",
            "COPY (SELECT 1) TO '/tmp/x'",
            "COPY (SELECT 1) TO PROGRAM 'id'",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT pg_ls_dir('/')",
            "SELECT lo_import('/etc/passwd')",
            "SELECT rolpassword FROM pg_authid",
            "SET temp_file_limit = -1",
            "SET log_statement = 'none'",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attempt.encode())


def test_a_role_has_the_limits_that_were_asked_for(scratch: Scratch, notes: str) -> None:
    role = scratch.role(
        connection_limit=2,
        statement_timeout_ms=1234,
        idle_in_transaction_timeout_ms=4321,
        temp_file_limit_kb=1024,
        deadlock_timeout_ms=50,
    )
    database = scratch.clone(notes, grantee=role.name)
    url = database.url_for(role)
    with psycopg.connect(url, autocommit=True) as first, psycopg.connect(url):
        shown = [
            first.execute(f"SHOW {name}".encode()).fetchone()
            for name in (
                "statement_timeout",
                "idle_in_transaction_session_timeout",
                "temp_file_limit",
                "log_statement",
                "deadlock_timeout",
            )
        ]
        assert shown == [("1234ms",), ("4321ms",), ("1MB",), ("all",), ("50ms",)]
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(url)
        first.execute("SET statement_timeout = 0")
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
            first.execute(
                "SELECT count(*) FROM (SELECT g FROM generate_series(1, 500000) g ORDER BY -g) s"
            )


def test_a_group_is_made_once_and_kept(scratch: Scratch, query: Query) -> None:
    for _ in range(2):
        role = scratch.role(member_of="kit_test_group")
        scratch.drop_role(role)
    found = query("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'kit_test_group'")
    assert found == [(False,)]


def test_a_role_can_join_a_group_of_postgresql_itself(scratch: Scratch, query: Query) -> None:
    role = scratch.role(member_of="pg_read_all_data")
    assert query("SELECT pg_has_role(%s, 'pg_read_all_data', 'USAGE')", role.name) == [(True,)]


def test_no_password_reaches_the_log_or_a_printed_object(
    scratch: Scratch, query: Query, clone: Database
) -> None:
    role = scratch.role()
    assert role.password not in repr(role)
    assert "password" not in repr(clone)
    log = query("SELECT pg_read_file(pg_current_logfile('jsonlog'))")[0][0]
    assert role.password not in str(log)


def test_a_dropped_clone_is_gone_whoever_was_connected(
    clone: Database, student: Role, query: Query
) -> None:
    with psycopg.connect(clone.url_for(student)) as busy, psycopg.connect(clone.url) as admin:
        busy.execute("INSERT INTO notes VALUES (2, 'open transaction')")
        clone.drop()
        for connection in (busy, admin):
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
    assert query("SELECT 1 FROM pg_database WHERE datname = %s", clone.name) == []
    clone.drop()


def test_a_client_that_connects_again_and_again_does_not_stop_the_drop(
    clone: Database, student: Role, query: Query
) -> None:
    over = threading.Event()
    url = clone.url_for(student)

    def pester() -> None:
        while not over.is_set():
            try:
                psycopg.connect(url).execute("SELECT 1")
            except psycopg.Error:
                continue

    threads = [threading.Thread(target=pester) for _ in range(3)]
    for thread in threads:
        thread.start()
    clone.drop()
    over.set()
    for thread in threads:
        thread.join()
    assert query("SELECT 1 FROM pg_database WHERE datname = %s", clone.name) == []


def test_a_dropped_role_takes_along_what_it_owned_in_clones_that_are_there(
    scratch: Scratch, notes: str, query: Query
) -> None:
    role = scratch.role()
    for _ in range(2):
        database = scratch.clone(notes, grantee=role.name)
        with psycopg.connect(database.url, autocommit=True) as admin:
            admin.execute(f"GRANT CREATE ON SCHEMA public TO {role.name}".encode())
        with psycopg.connect(database.url_for(role), autocommit=True) as connection:
            connection.execute("CREATE TABLE mine (id int)")
    scratch.drop_role(role)
    scratch.drop_role(role)
    assert query("SELECT 1 FROM pg_roles WHERE rolname = %s", role.name) == []
    with psycopg.connect(database.url) as admin:
        assert admin.execute("SELECT to_regclass('mine')").fetchone() == (None,)


def test_roles_are_dropped_while_their_databases_are(scratch: Scratch, notes: str) -> None:
    with scratch.pool(notes) as pool:
        for _ in range(60):
            role = scratch.role()
            pool.take(role.name).drop()
            scratch.drop_role(role)


def test_closing_leaves_nothing(server: Server, query: Query, notes: str) -> None:
    scratch = Scratch(server)
    role = scratch.role()
    scratch.clone(notes, grantee=role.name)
    scratch.clone(notes)
    assert len(names_of(scratch, query)) == 3
    scratch.close()
    scratch.close()
    assert names_of(scratch, query) == []


def test_sweeping_takes_what_a_killed_process_left(
    server: Server, scratch: Scratch, notes: str, query: Query
) -> None:
    child = _child_with_a_clone(server, notes)
    assert scratch.sweep() == []
    assert query("SELECT 1 FROM pg_database WHERE datname = %s", child.database) == [(1,)]
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    swept: list[str] = []
    while not swept:  # the server notices a moment later that the client is gone
        swept = scratch.sweep()
    assert sorted(swept) == sorted([child.database, child.role])
    assert query("SELECT 1 FROM pg_database WHERE datname = %s", child.database) == []
    assert query("SELECT 1 FROM pg_roles WHERE rolname = %s", child.role) == []


def test_sweeping_spares_the_living_and_the_foreign(
    server: Server, scratch: Scratch, clone: Database, student: Role, query: Query
) -> None:
    foreign = ["kit_c_zzzzzzzz_1", "kit_c_1", "kitchen", "kit_c_0000000g_1", "other_c_00000001_1"]
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        for name in foreign:
            admin.execute(f"CREATE ROLE {name}".encode())
        try:
            with Scratch(server) as other:
                assert other.sweep() == []
            kept = [str(name) for (name,) in query("SELECT rolname FROM pg_roles")]
            assert {*foreign, student.name} <= set(kept)
            assert query("SELECT 1 FROM pg_database WHERE datname = %s", clone.name) == [(1,)]
        finally:
            for name in foreign:
                admin.execute(f"DROP ROLE {name}".encode())


class _Child:
    def __init__(self, process: subprocess.Popen[str], database: str, role: str) -> None:
        self.process, self.database, self.role = process, database, role


def _child_with_a_clone(server: Server, template: str) -> _Child:
    source = """
import sys, time
from pglab.scratch import Scratch
from pglab.servers.url import UrlServer
scratch = Scratch(UrlServer(sys.argv[1]).start())
role = scratch.role()
print(scratch.clone(sys.argv[2], grantee=role.name).name, role.name, flush=True)
time.sleep(600)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", source, server.admin_url, template],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    database, role = process.stdout.readline().split()
    return _Child(process, database, role)


def test_another_prefix_keeps_to_itself(server: Server, notes: str, query: Query) -> None:
    with Scratch(server, prefix="lab") as lab:
        name = lab.clone(lab.template("empty", lambda url: None)).name
        assert name.startswith("lab_c_")
        with Scratch(server) as kit:
            assert kit.sweep() == []
        assert query("SELECT 1 FROM pg_database WHERE datname = %s", name) == [(1,)]


@pytest.mark.parametrize("prefix", ["", "Kit", "a b", "kit_", "x" * 17, "1kit", 'k"; DROP'])
def test_a_prefix_that_would_need_quoting_is_refused(server: Server, prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Scratch(server, prefix=prefix)


def test_a_role_without_the_right_to_make_databases_is_told_so(
    clone: Database, student: Role
) -> None:
    humble = UrlServer(clone.url_for(student)).start()
    with pytest.raises(CapabilityMissing, match="CREATEDB"):
        Scratch(humble)


def test_a_role_that_may_create_is_enough_on_a_server_of_others(
    scratch: Scratch, server: Server, query: Query
) -> None:
    """As in the cloud, where nobody is superuser: all works but the log."""
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE teacher LOGIN CREATEDB CREATEROLE PASSWORD 'taught'")
        admin.execute("GRANT CONNECT ON DATABASE postgres TO teacher")
    try:
        with Scratch(UrlServer(server.url("postgres", "teacher", "taught")).start()) as mine:
            role = mine.role(member_of="kit_test_teachers_students")
            template = mine.template("of the teacher", lambda url: None)
            database = mine.clone(template, grantee=role.name)
            with psycopg.connect(database.url_for(role)) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            mine.drop_database(template)
    finally:
        with psycopg.connect(server.admin_url, autocommit=True) as admin:
            admin.execute("DROP OWNED BY teacher")
            admin.execute("DROP ROLE kit_test_teachers_students")
            admin.execute("DROP ROLE teacher")


def test_a_template_that_is_not_there_is_an_error_of_ours(scratch: Scratch) -> None:
    with pytest.raises(ScratchError, match="kit_t_nothing"):
        scratch.clone("kit_t_nothing")


def test_a_server_that_went_away_is_an_error_of_ours(home: Path) -> None:
    with open_server("embedded", home=home, disposable=True) as server:
        scratch = Scratch(server)
        template = scratch.template("empty", lambda url: None)
        server.stop()
        with pytest.raises(ServerUnavailable, match="Start it again"):
            scratch.clone(template)
        scratch.close()


def test_many_threads_share_one_scratch(scratch: Scratch, notes: str) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            role = scratch.role(member_of="kit_test_students")
            database = scratch.clone(notes, grantee=role.name)
            with psycopg.connect(database.url_for(role)) as connection:
                connection.execute("INSERT INTO notes VALUES (2, 'x')")
            database.drop()
            scratch.drop_role(role)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
