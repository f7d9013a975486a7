"""What is counted, compared with two witnesses: libpq's trace of the protocol and the server."""

import asyncio
import sys
import tempfile
import threading
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text

from kit.notebook import scratch, taps, traffic, workspace
from pglab.sessions import Interleaving
from tracker.models import User


@pytest.fixture(autouse=True)
def _taps():
    taps.install()
    yield
    taps.uninstall()


def recorded(work):
    """What the recorder noted while ``work`` ran; errors of the server are part of it."""
    recorder = traffic.start()
    try:
        work()
    except psycopg.Error:
        pass
    finally:
        traffic.stop(recorder)
    return recorder


def answers_in_trace(connection, work):
    """How often the server said that it was ready again, by libpq's own trace."""
    with tempfile.TemporaryFile() as file:
        connection.pgconn.trace(file.fileno())
        try:
            recorder = recorded(work)
        finally:
            connection.pgconn.untrace()
        file.seek(0)
        lines = [line.split(b"\t") for line in file]
    return recorder, sum(b"ReadyForQuery" in line for line in lines)


def one(c):
    c.execute("SELECT 1")


def several_in_a_string(c):
    c.rollback()
    c.autocommit = True
    c.execute("SELECT 1; SELECT 2")


def failing(c):
    c.execute("SELECT 1 / 0")


def with_parameters(c):
    c.execute("SELECT %s::int, %s", [1, "x"])


def prepared(c):
    for number in range(7):
        c.execute("SELECT %s::int", [number])


def many(c):
    c.cursor().executemany("SELECT %s::int", [[1], [2], [3]])


def many_that_return(c):
    c.cursor().executemany("SELECT %s::int", [[1], [2], [3]], returning=True)


def many_more(c):
    c.cursor().executemany("SELECT repeat('x', 1000), %s::int", [[n] for n in range(2000)])


def committed(c):
    c.execute("SELECT 1")
    c.commit()


def nested(c):
    with c.transaction(), c.transaction():
        c.execute("SELECT 1")


def streamed(c):
    list(c.cursor().stream("SELECT generate_series(1, 4)"))


def server_cursor(c):
    with c.cursor("named") as cursor:
        cursor.execute("SELECT generate_series(1, 250)")
        cursor.fetchall()


def in_a_pipeline(c):
    with c.pipeline():
        c.execute("SELECT 1")
        c.execute("SELECT generate_series(1, 3)")


def with_client_cursor(c):
    psycopg.ClientCursor(c).execute("SELECT %s", ["x"])


def copied_out(c):
    with c.cursor().copy("COPY (SELECT generate_series(1, 5)) TO STDOUT") as copy:
        list(copy)


CASES = {  # statements, rows
    one: (1, 1),
    several_in_a_string: (2, 2),
    failing: (1, 0),
    with_parameters: (1, 1),
    prepared: (7, 7),
    many: (3, 3),
    many_that_return: (3, 3),
    many_more: (2000, 2000),
    committed: (1, 1),
    nested: (1, 1),
    streamed: (1, 4),
    server_cursor: (3, 250),
    in_a_pipeline: (2, 4),
    with_client_cursor: (1, 1),
    copied_out: (1, 5),
}


def own(recorder):
    return [s for s in recorder.statements() if not s.is_transaction_control and not s.housekeeping]


@pytest.mark.skipif(sys.platform != "linux", reason="psycopg traces the protocol on Linux only")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_round_trips_are_those_of_libpqs_own_trace(case, connection):
    recorder, answers = answers_in_trace(connection, lambda: case(connection))
    assert recorder.round_trips == answers


@pytest.mark.parametrize(
    ("case", "expected"), CASES.items(), ids=lambda c: getattr(c, "__name__", "")
)
def test_statements_and_rows_are_counted(case, expected, connection):
    recorder = recorded(lambda: case(connection))
    sent = own(recorder)
    assert (sum(s.times for s in sent), sum(s.rows for s in sent)) == expected


def test_copy_into_the_server_counts_its_rows_and_two_round_trips(connection):
    connection.execute("CREATE TEMP TABLE copied (n int)")

    def copy_in():
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            for number in range(5):
                copy.write_row([number])

    recorder = recorded(copy_in)
    [sent] = recorder.statements()
    assert (sent.rows, recorder.round_trips) == (5, 2)


def test_each_statement_of_a_pipeline_has_its_own_rows(connection):
    recorder = recorded(lambda: in_a_pipeline(connection))
    assert [s.rows for s in own(recorder)] == [1, 3]


def test_what_a_pipeline_skips_after_a_failure_was_not_run(connection):
    connection.execute("CREATE TEMP TABLE counted (n int PRIMARY KEY)")

    def fill():
        with connection.pipeline():
            connection.cursor().executemany(
                "INSERT INTO counted VALUES (%s)", [(n,) for n in (1, 2, 2, 3, 4, 5, 6)]
            )
            connection.execute("SELECT 'never'")

    recorder = recorded(fill)
    assert [(s.times, s.rows, s.sqlstate) for s in own(recorder)] == [(3, 2, "23505")]


def test_rows_that_are_changed_count_where_none_come_back(connection):
    connection.execute("CREATE TEMP TABLE changed AS SELECT generate_series(1, 6) AS n")
    recorder = recorded(lambda: connection.execute("DELETE FROM changed WHERE n > 2"))
    assert own(recorder)[0].rows == 4


def test_the_server_saw_the_same_statements(learner, tracker_url):
    """The log of the server is a witness that psycopg has no part in."""
    from pglab.scratch import Scratch
    from pglab.servers import open_server
    from pglab.witness import Witness

    server = open_server("embedded", home=learner, disposable=False)
    scratch = Scratch(server, prefix="traffic")
    witness = Witness(server)
    role = scratch.role()
    database = scratch.clone("template0", grantee=role.name)
    try:
        since = witness.mark()

        def work():
            with psycopg.connect(database.url_for(role)) as c:
                prepared(c)
                many(c)
                c.execute("SELECT %s", ["it's"])

        recorder = recorded(work)
        seen = witness.statements(since, role=role.name)
    finally:
        database.drop()
        scratch.drop_role(role)
        scratch.close()
    noted = [s.sql for s in recorder.statements() for _ in range(s.times)]
    assert noted == [s.text for s in seen if s.kind != "DEALLOCATE"]


def test_transaction_control_is_in_the_list_and_marked(connection):
    recorder = recorded(lambda: committed(connection))
    assert [(s.sql, s.is_transaction_control) for s in recorder.statements()] == [
        ("BEGIN", True), ("SELECT 1", False), ("COMMIT", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "kind"),
    [("-- why\nSELECT 1", "SELECT"), ("/* a */ /* b */ commit", "COMMIT"), (";", ""), ("", "")],
)
def test_the_kind_of_a_statement_is_its_first_word(sql, kind):
    encoded = traffic.Encoded(sql.encode(), (), (), ())
    assert traffic.Sent(encoded, traffic.Peer(*[""] * 6), None, "").kind == kind


def test_parameters_are_read_back_from_what_was_sent(connection):
    values = [UUID(int=7), "it's", 3, None, [1, 2], True]
    recorder = recorded(lambda: connection.execute("SELECT %s, %s, %s, %s, %s, %s", values))
    assert list(own(recorder)[0].parameters) == values


def test_an_error_is_noted_by_its_sqlstate(connection):
    recorder = recorded(lambda: failing(connection))
    assert own(recorder)[0].sqlstate == "22012"


def test_what_is_formatted_but_not_sent_is_not_counted(connection):
    recorder = recorded(lambda: psycopg.ClientCursor(connection).mogrify("SELECT %s", ["x"]))
    assert recorder.statements() == []


def test_what_a_closed_connection_cannot_send_is_not_counted(tracker_url):
    connection = psycopg.connect(tracker_url)
    connection.close()
    recorder = recorded(lambda: connection.execute("SELECT 1"))
    assert (recorder.statements(), recorder.round_trips) == ([], 0)


def test_a_connection_is_counted_when_it_is_opened(tracker_url):
    recorder = recorded(lambda: psycopg.connect(tracker_url).close())
    assert (recorder.connections, recorder.statements()) == (1, [])


def test_the_kits_own_connections_are_not_counted(tracker_url):
    def work():
        with psycopg.connect(tracker_url, application_name="kit") as c:
            c.execute("SELECT 1")

    recorder = recorded(work)
    assert (recorder.connections, recorder.statements(), recorder.round_trips) == (0, [], 0)


def test_an_asynchronous_connection_is_counted_too(tracker_url):
    async def work():
        async with await psycopg.AsyncConnection.connect(tracker_url) as c:
            await c.execute("SELECT 1")

    recorder = recorded(lambda: asyncio.run(work()))
    assert [s.sql for s in recorder.statements()] == ["BEGIN", "SELECT 1", "COMMIT"]


def test_threads_are_counted_together(tracker_url):
    def work():
        with psycopg.connect(tracker_url) as c:
            for _ in range(20):
                c.execute("SELECT 1")

    def together():
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sum(s.times for s in own(recorded(together))) == 80


def test_a_statement_that_waits_for_a_lock_has_no_answer_yet(tracker_url):
    with (
        psycopg.connect(tracker_url) as holder,
        psycopg.connect(tracker_url) as waiter,
        psycopg.connect(tracker_url, autocommit=True, application_name="kit") as watch,
    ):
        holder.execute("SELECT pg_advisory_xact_lock(1)")
        recorder = traffic.start()
        thread = threading.Thread(target=lambda: waiter.execute("SELECT pg_advisory_xact_lock(1)"))
        thread.start()
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
        while watch.execute(query, [waiter.info.backend_pid]).fetchone() != (1,):
            pass
        traffic.stop(recorder)
        states = {one.state for one in traffic.open_transactions()}
        [waiting] = own(recorder)
        assert (waiting.reached, waiting.answered) == (True, False)
        assert "busy" in states
        holder.rollback()
        thread.join()
        assert waiting.answered


def test_questions_of_sqlalchemys_pool_are_marked_as_housekeeping(tracker_url):
    from tracker.db import make_engine

    engine = make_engine(tracker_url)

    def ask():
        with engine.connect() as c:
            c.execute(text("SELECT 1"))

    first, second = recorded(ask), recorded(ask)
    engine.dispose()
    for recorder in (first, second):
        assert [s.sql for s in own(recorder)] == ["SELECT 1"]
    assert any("version()" in s.sql for s in first.statements() if s.housekeeping)
    assert [s.sql for s in second.statements() if s.housekeeping] == [";"]


def test_the_orm_is_counted_by_what_it_sends(tracker_url, learner):
    workspace.open_workspace(lambda line: None)

    def ask():
        with workspace.session() as session:
            session.scalars(select(User).order_by(User.id).limit(2)).all()

    [sent] = own(recorded(ask))
    assert sent.rows == 2
    assert "$1" in sent.sql


def test_making_a_scratch_database_is_not_counted(tracker_url):
    made = []
    recorder = recorded(lambda: made.append(scratch(copy=True)))
    made[0].drop()
    assert recorder.statements() == []
    assert recorder.round_trips == 0


def test_who_only_looks_at_an_interleaving_is_not_counted(tracker_url):
    with Interleaving(tracker_url) as stage:
        alice, bob = stage.enter("alice", "bob")

        def steps():
            alice.begin()
            alice.run("SELECT pg_advisory_xact_lock(7)")
            bob.run("SELECT pg_advisory_xact_lock(7)")
            alice.commit()

        statements = [
            sent.sql for sent in recorded(steps).statements() if not sent.is_transaction_control
        ]
    assert len(statements) == 2
    assert not [sql for sql in statements if "pg_blocking_pids" in sql]


def test_a_password_is_not_in_the_representation(connection):
    recorder = recorded(lambda: one(connection))
    assert connection.info.password
    assert connection.info.password not in repr(recorder.statements())


def test_what_is_too_much_to_keep_is_still_counted(connection, monkeypatch):
    monkeypatch.setattr(traffic, "MOST_KEPT", 5)

    def work():
        for number in range(8):
            connection.execute("SELECT generate_series(1, 2), %s", [number])
            connection.commit()

    recorder = recorded(work)
    assert len(recorder.sent) == 7
    sent = own(recorder)
    assert (sum(s.times for s in sent), sum(s.rows for s in sent)) == (8, 16)
    control = [s for s in recorder.statements() if s.is_transaction_control]
    assert sum(s.times for s in control) == 16
