"""What a role sent, as the server's own log tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import create_engine, text

from pglab.errors import StatementsLost, StatementsUnavailable, TooManyStatements
from pglab.scratch import Database, Role, Scratch
from pglab.servers import Server
from pglab.servers.url import UrlServer
from pglab.urls import sqlalchemy_url
from pglab.witness import Statement, Witness

Sent = Callable[[Callable[[psycopg.Connection], object]], list[Statement]]


@pytest.fixture
def sent(each_server: Server) -> Iterator[Sent]:
    """Runs what it is given as a student on an autocommit connection; the statements seen."""
    with Scratch(each_server) as scratch, Witness(each_server) as witness:
        template = scratch.template("empty", lambda url: None)
        role = scratch.role()
        database = scratch.clone(template, grantee=role.name)

        def run(work: Callable[[psycopg.Connection], object]) -> list[Statement]:
            since = witness.mark()
            with psycopg.connect(database.url_for(role), autocommit=True) as connection:
                work(connection)
            return witness.statements(since, role=role.name)

        yield run


def texts(statements: list[Statement]) -> list[str]:
    return [statement.text for statement in statements]


def test_statements_come_complete_and_in_order(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        for number in range(300):
            connection.execute(f"SELECT {number}".encode())

    assert texts(sent(work)) == [f"SELECT {number}" for number in range(300)]


def test_a_simple_statement_has_its_text_and_nothing_else(sent: Sent) -> None:
    (statement,) = sent(lambda c: c.execute("SELECT 'it''s é, $1 = NULL' AS \"naïve\""))
    assert statement.text == "SELECT 'it''s é, $1 = NULL' AS \"naïve\""
    assert statement.kind == "SELECT"
    assert statement.parameters == ()
    assert statement.sqlstate is None
    assert statement.error is None
    assert not statement.prepared
    assert not statement.truncated
    assert statement.role.startswith("kit_r_")
    assert statement.database.startswith("kit_c_")
    assert statement.timestamp.endswith("UTC")


def test_parameters_arrive_as_they_were_sent(sent: Sent) -> None:
    values = ["it's", "', $2 = 'x", "", "NULL", "two\nlines\tand \\ and \x01", "日本語 🐘", "…''…"]

    def work(connection: psycopg.Connection) -> None:
        marks = ", ".join(["%s::text"] * len(values)) + ", %s::int, %s::text"
        connection.execute(f"SELECT {marks}".encode(), [*values, 42, None])

    (statement,) = sent(work)
    assert statement.parameters == (*values, "42", None)
    assert statement.prepared
    assert statement.text.startswith("SELECT $1::text, $2::text")


def test_a_statement_prepared_by_the_driver_is_seen_each_time(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        for number in range(3):
            connection.execute("SELECT %s::int + 1", [number], prepare=True)

    found = sent(work)
    assert [(s.text, s.parameters) for s in found] == [
        ("SELECT $1::int + 1", ("0",)),
        ("SELECT $1::int + 1", ("1",)),
        ("SELECT $1::int + 1", ("2",)),
    ]


def test_an_error_is_attached_to_the_statement_that_failed(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        connection.execute("SELECT 1")
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / %s::int", [0])
        connection.execute("SELECT 2")

    assert [(s.text, s.sqlstate) for s in sent(work)] == [
        ("SELECT 1", None),
        ("SELECT 1 / $1::int", "22012"),
        ("SELECT 2", None),
    ]


@pytest.mark.parametrize("parameters", [None, [1]], ids=["simple", "extended"])
def test_a_statement_with_a_syntax_error_is_seen_once(
    sent: Sent, parameters: list[int] | None
) -> None:
    def work(connection: psycopg.Connection) -> None:
        with pytest.raises(psycopg.errors.SyntaxError):
            connection.execute("SELEC 1" if parameters is None else "SELEC %s", parameters)

    (statement,) = sent(work)
    assert statement.text == ("SELEC 1" if parameters is None else "SELEC $1")
    assert statement.sqlstate == "42601"
    assert statement.error == 'syntax error at or near "SELEC"'
    assert statement.prepared == (parameters is not None)


def test_a_failed_parse_does_not_blame_an_earlier_success_of_the_same_text(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        connection.execute("CREATE TEMP TABLE t (id int)")
        connection.execute("SELECT %s::int FROM t", [1])
        connection.execute("DROP TABLE t")
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT %s::int FROM t", [1])

    assert [(s.kind, s.sqlstate) for s in sent(work)] == [
        ("CREATE", None),
        ("SELECT", None),
        ("DROP", None),
        ("SELECT", "42P01"),
    ]


def test_a_parameter_that_is_refused_does_not_blame_an_earlier_success(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        connection.execute("SELECT %s::int", ["1"], prepare=True)
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT %s::int", ["one"], prepare=True)

    assert [(s.text, s.sqlstate) for s in sent(work)] == [
        ("SELECT $1::int", None),
        ("SELECT $1::int", "22P02"),
    ]


def test_an_error_at_the_end_of_a_statement_belongs_to_it(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        connection.execute("CREATE TEMP TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO t SELECT %s::int FROM generate_series(1, 2)", [7])
        connection.execute("BEGIN")
        connection.execute("INSERT INTO t VALUES (1), (1)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("COMMIT")

    assert [(s.kind, s.sqlstate) for s in sent(work)] == [
        ("CREATE", None),
        ("INSERT", "23505"),
        ("BEGIN", None),
        ("INSERT", None),
        ("COMMIT", "23505"),
    ]


def test_a_statement_in_a_failed_transaction_is_seen_as_refused(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        connection.execute("BEGIN")
        for statement in ("SELECT 1 / 0", "SELECT 1", "SELECT 1"):
            with pytest.raises(psycopg.Error):
                connection.execute(statement)
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT %s::int", [1])
        connection.execute("ROLLBACK")

    assert [(s.kind, s.sqlstate) for s in sent(work)] == [
        ("BEGIN", None),
        ("SELECT", "22012"),
        ("SELECT", "25P02"),
        ("SELECT", "25P02"),
        ("SELECT", "25P02"),
        ("ROLLBACK", None),
    ]


def test_a_statement_that_ran_too_long_is_seen_as_cancelled(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        connection.execute("SET statement_timeout = 10")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(%s)", [60])

    assert [(s.kind, s.sqlstate) for s in sent(work)] == [("SET", None), ("SELECT", "57014")]


def test_a_session_that_is_ended_leaves_its_statement_marked(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        with pytest.raises(psycopg.errors.AdminShutdown):
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(60)")

    (statement,) = sent(work)
    assert statement.sqlstate == "57P01"


def test_transaction_control_is_told_from_work(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        for statement in (
            "START TRANSACTION",
            "SAVEPOINT s",
            "ROLLBACK TO SAVEPOINT s",
            "RELEASE s",
            "END",
            "begin",
            "ABORT",
            "SELECT 1",
        ):
            connection.execute(statement)

    found = sent(work)
    assert [s.kind for s in found] == [
        *("BEGIN", "SAVEPOINT", "ROLLBACK", "RELEASE", "COMMIT", "BEGIN", "ROLLBACK", "SELECT")
    ]
    assert [s.is_transaction_control for s in found] == [True] * 7 + [False]


def test_several_statements_in_one_string_stay_one(sent: Sent) -> None:
    (statement,) = sent(lambda c: c.execute("SELECT 1; SELECT 2;\n-- done"))
    assert statement.text == "SELECT 1; SELECT 2;\n-- done"


def test_copy_and_cursors_are_seen(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        connection.execute("CREATE TEMP TABLE t (id int)")
        with connection.cursor().copy("COPY t FROM STDIN") as copy:
            copy.write_row([1])
        with connection.transaction(), connection.cursor("c") as cursor:
            cursor.execute("SELECT id FROM t")
            cursor.fetchall()

    assert [s.kind for s in sent(work)] == [
        *("CREATE", "COPY", "BEGIN", "DECLARE", "FETCH", "CLOSE", "COMMIT")
    ]


def test_pipelined_statements_are_all_seen(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        with connection.pipeline():
            for number in range(5):
                connection.execute("SELECT %s::int", [number])

    assert [s.parameters for s in sent(work)] == [(str(number),) for number in range(5)]


def test_a_fast_path_call_is_seen(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        from psycopg import pq

        # psycopg has no fast path, so it is asked for in the protocol's own bytes.
        assert connection.pgconn.status == pq.ConnStatus.OK
        oid = connection.execute("SELECT 'abs(int4)'::regprocedure::oid::int").fetchone()
        assert oid is not None
        _call_fastpath(connection, oid[0], 7)

    found = sent(work)
    assert found[-1].kind == "FASTPATH"
    assert '"abs"' in found[-1].text


def _call_fastpath(connection: psycopg.Connection, oid: int, argument: int) -> None:
    """Send a FunctionCall message (manual, "Message Formats") and read to ReadyForQuery."""
    import os
    import socket
    import struct

    body = struct.pack("!IHHHIiH", oid, 1, 1, 1, 4, argument, 1)
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.setblocking(True)
        wire.sendall(b"F" + struct.pack("!I", len(body) + 4) + body)
        answer = b""
        while not answer.endswith((b"I", b"T", b"E")) or b"Z\x00\x00\x00\x05" not in answer:
            answer += wire.recv(4096)
    assert answer.startswith(b"V")


def test_a_message_raised_by_the_student_is_not_a_statement(sent: Sent) -> None:
    forged = "statement: SELECT * FROM users FOR UPDATE"

    def work(connection: psycopg.Connection) -> None:
        connection.execute(f"DO $$ BEGIN RAISE LOG '{forged}'; END $$".encode())
        connection.execute(f"DO $$ BEGIN RAISE LOG 'execute <unnamed>: {forged}'; END $$".encode())

    assert [s.kind for s in sent(work)] == ["DO", "DO"]


def test_a_lying_name_of_a_prepared_statement_does_not_change_its_kind(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        pgconn = connection.pgconn
        pgconn.prepare(b"a: SELECT 1; --", b"CREATE TEMP TABLE t (id int)")
        pgconn.exec_prepared(b"a: SELECT 1; --", [])

    (statement,) = sent(work)
    assert statement.kind == "CREATE"


def test_the_student_cannot_stop_the_log(sent: Sent) -> None:
    def work(connection: psycopg.Connection) -> None:
        for attempt in (
            "SET log_statement = 'none'",
            "SET log_min_messages = 'panic'",
            "SET log_min_error_statement = 'panic'",
            "SET log_parameter_max_length = 0",
            "SET update_process_title = off",
            "ALTER ROLE CURRENT_USER SET log_statement = 'none'",
            "ALTER ROLE CURRENT_USER RESET log_statement",
            "ALTER SYSTEM SET log_statement = 'none'",
            "SELECT pg_rotate_logfile()",
            "SELECT pg_reload_conf()",
            "SELECT pg_read_file(pg_current_logfile())",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attempt)
        connection.execute("ALTER ROLE CURRENT_USER RESET ALL")
        connection.execute("RESET ALL")
        connection.execute("DISCARD ALL")
        connection.execute("SET client_min_messages = 'error'")
        connection.execute("SET application_name = 'statement: SELECT 1'")
        connection.execute("SELECT 'still here'")

    found = sent(work)
    assert len(found) == 17
    assert found[-1].text == "SELECT 'still here'"
    (again,) = sent(lambda connection: connection.execute("SELECT 'and in the next session'"))
    assert again.kind == "SELECT"


def test_a_statement_of_many_megabytes_is_seen(sent: Sent) -> None:
    large = "é'" * 700_000
    quoted = large.replace("'", "''")
    found = sent(
        lambda c: (c.execute(f"SELECT length('{quoted}')".encode()), c.execute("SELECT 1"))
    )
    assert texts(found) == [f"SELECT length('{quoted}')", "SELECT 1"]
    assert not found[0].truncated


def test_a_statement_beyond_all_measure_is_cut_and_says_so(sent: Sent) -> None:
    found = sent(
        lambda c: (
            c.execute(b"SELECT length('" + b"\\\xc3\xa9" * 3_000_000 + b"')"),
            c.execute("SELECT 1"),
        )
    )
    assert [s.truncated for s in found] == [True, False]
    assert found[0].text.startswith("SELECT length('\\é\\é")
    assert found[0].kind == "SELECT"
    assert 1_000_000 < len(found[0].text) < 6_000_000


def test_a_flood_of_statements_is_an_error_and_not_a_full_memory(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pglab.statements._TOTAL_LIMIT", 1 << 20)
    flood = b"SELECT length('" + b"x" * 300_000 + b"')"
    assert len(sent(lambda c: [c.execute(flood) for _ in range(3)])) == 3
    with pytest.raises(TooManyStatements, match="More than 1 MB"):
        sent(lambda c: [c.execute(flood) for _ in range(4)])


def test_a_long_parameter_is_cut_by_the_server(sent: Sent) -> None:
    (statement,) = sent(lambda c: c.execute("SELECT %s::text", ["x" * 100_000]))
    assert statement.parameters == ("x" * 65536 + "...",)


def test_sqlalchemy_sends_what_is_seen(witness: Witness, clone: Database, student: Role) -> None:
    engine = create_engine(sqlalchemy_url(clone.url_for(student)))
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.commit()
        since = witness.mark()
        connection.execute(text("INSERT INTO notes VALUES (:id, :body)"), {"id": 2, "body": "x"})
        connection.commit()
        found = witness.statements(since, role=student.name)
    engine.dispose()
    assert [s.kind for s in found] == ["BEGIN", "INSERT", "COMMIT"]
    assert found[1].parameters == ("2", "x")


def test_only_the_statements_of_the_role_and_database_that_were_asked_for(
    witness: Witness, scratch: Scratch, notes: str, student: Role
) -> None:
    one, other = (scratch.clone(notes, grantee=student.name) for _ in range(2))
    neighbour = scratch.role(member_of="kit_test_students")
    third = scratch.clone(notes, grantee=neighbour.name)
    since = witness.mark()
    for database, role in ((one, student), (other, student), (third, neighbour)):
        with psycopg.connect(database.url_for(role), autocommit=True) as connection:
            connection.execute(f"SELECT '{role.name} in {database.name}'".encode())
    until = witness.mark()

    def seen(**only: str) -> list[str]:
        return texts(witness.statements(since, until=until, **only))

    lines = [
        f"SELECT '{student.name} in {one.name}'",
        f"SELECT '{student.name} in {other.name}'",
        f"SELECT '{neighbour.name} in {third.name}'",
    ]
    assert seen() == lines
    assert seen(role=student.name) == lines[:2]
    assert seen(database=other.name) == lines[1:2]
    assert seen(role=neighbour.name, database=one.name) == []


def test_marks_divide_the_statements_between_them(
    witness: Witness, clone: Database, student: Role
) -> None:
    with psycopg.connect(clone.url_for(student), autocommit=True) as connection:
        marks = [witness.mark()]
        for number in range(4):
            connection.execute(f"SELECT {number}".encode())
            marks.append(witness.mark())
    for number in range(4):
        between = witness.statements(marks[number], until=marks[number + 1])
        assert texts(between) == [f"SELECT {number}"]


def test_two_sessions_of_a_role_are_told_apart(
    witness: Witness, clone: Database, student: Role
) -> None:
    since = witness.mark()
    url = clone.url_for(student)
    with psycopg.connect(url) as first, psycopg.connect(url) as second:
        first.execute("SELECT 'first'")
        with pytest.raises(psycopg.errors.DivisionByZero):
            second.execute("SELECT 1 / 0")
        with pytest.raises(psycopg.errors.UndefinedColumn):
            first.execute("SELECT nothing")
    found = witness.statements(since, role=student.name)
    by_session: dict[str, list[tuple[str, str | None]]] = {}
    for statement in found:
        by_session.setdefault(statement.session_id, []).append((statement.text, statement.sqlstate))
    assert sorted(by_session.values(), key=len) == [
        [("BEGIN", None), ("SELECT 1 / 0", "22012"), ("COMMIT", None)],
        [("BEGIN", None), ("SELECT 'first'", None), ("SELECT nothing", "42703"), ("COMMIT", None)],
    ]


def test_statements_are_complete_while_the_log_is_rotated_again_and_again(
    witness: Witness, clone: Database, student: Role, server: Server
) -> None:
    since = witness.mark()
    with (
        psycopg.connect(clone.url_for(student), autocommit=True) as connection,
        psycopg.connect(server.admin_url, autocommit=True) as admin,
    ):
        for number in range(60):
            connection.execute(f"SELECT {number}".encode())
            if number % 20 == 10:
                before = admin.execute("SELECT pg_current_logfile('jsonlog')").fetchone()
                while admin.execute("SELECT pg_current_logfile('jsonlog')").fetchone() == before:
                    admin.execute("SELECT pg_rotate_logfile(), pg_sleep(0.1)")
    until = witness.mark()
    assert until.file != since.file
    found = witness.statements(since, until=until, role=student.name)
    assert texts(found) == [f"SELECT {number}" for number in range(60)]


def test_a_log_that_was_removed_is_an_error_and_not_an_empty_answer(
    witness: Witness, server: Server
) -> None:
    since = witness.mark()
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        while witness.mark().file == since.file:
            admin.execute("SELECT pg_rotate_logfile(), pg_sleep(0.1)")
        admin.execute(
            # A program that ends without having read what it is given is an error of its own.
            "DO $$ BEGIN EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'cat > /dev/null; rm '"
            " || current_setting('data_directory') || '/' || '" + since.file + "'); END $$"
        )
    with pytest.raises(StatementsLost):
        witness.statements(since)


def test_many_threads_may_ask_the_same_witness(witness: Witness, clone: Database) -> None:
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(10):
                assert witness.statements(witness.mark()) == []
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_waiting_until_a_role_is_idle_sees_the_statement_that_still_runs(
    witness: Witness, clone: Database, student: Role
) -> None:
    with psycopg.connect(clone.url_for(student), autocommit=True) as connection:
        connection.execute("SELECT 1")
        assert witness.wait_until_idle(student.name)

        def sleep() -> None:
            with pytest.raises(psycopg.errors.QueryCanceled):
                connection.execute("SELECT pg_sleep(60)")

        thread = threading.Thread(target=sleep)
        thread.start()
        while witness.wait_until_idle(student.name, timeout_s=0) and thread.is_alive():
            pass
        assert not witness.wait_until_idle(student.name, timeout_s=0)
        connection.cancel_safe()
        thread.join()
        assert witness.wait_until_idle(student.name)


def test_where_the_log_cannot_be_read_the_witness_says_what_it_takes(
    server: Server, scratch: Scratch, clone: Database, student: Role
) -> None:
    humble = UrlServer(clone.url_for(student)).start()
    with pytest.raises(StatementsUnavailable, match="superuser"):
        Witness(humble)


def test_a_forged_line_beyond_all_measure_is_not_a_statement(sent: Sent) -> None:
    forged = "DO $$ BEGIN RAISE LOG 'execute x: SELECT %', repeat('x', 5000000); END $$"
    assert [s.kind for s in sent(lambda c: c.execute(forged.encode()))] == ["DO"]
