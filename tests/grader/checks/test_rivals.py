"""Races are won by who is right and lost by who is wrong, every time."""

from __future__ import annotations

import pytest

from grader.results import Outcome, Reason
from tests.grader.courses import TOML
from tests.grader.examining import Examine, errored, failed

SCHEMA = """
CREATE TABLE tracks (id int PRIMARY KEY, seats int NOT NULL);
INSERT INTO tracks VALUES (1, 1), (2, 5);
CREATE TABLE enrollments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person int NOT NULL, track int NOT NULL
);
"""
UNIQUE = SCHEMA + "ALTER TABLE enrollments ADD CONSTRAINT once UNIQUE (person, track);"
CALLEE = TOML + 'transaction = "callee"\n'
HEAD = """
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

class Full(Exception): pass
class Twice(Exception): pass

def insert(session, person):
    session.execute(
        text("INSERT INTO enrollments (person, track) VALUES (:p, 1)"), {"p": person}
    )

def seats(session, how=""):
    return session.scalar(text("SELECT seats FROM tracks WHERE id = 1 " + how))
"""

# Enrolling once: the same person, twice at the same time.

ONCE = """
def test_it(db, rivals):
    a, b = rivals.enter(2)
    with rivals.gate("enrollments"):
        a.start("enroll", 1)
        b.start("enroll", 1)
        assert a.is_waiting and b.is_waiting
    results = rivals.finish()
    rows = db.count("enrollments")
    assert rows == 1, hint(f"{rows} rows are stored.")
    assert [r.raised.type for r in results if r.raised] == ["Twice"]
"""
CHECK_THEN_INSERT = (
    HEAD
    + """
def enroll(session, person):
    if session.scalar(text("SELECT count(*) FROM enrollments WHERE person = :p"), {"p": person}):
        raise Twice
    insert(session, person)
"""
)
HANDLES_THE_VIOLATION = (
    HEAD
    + """
def enroll(session, person):
    try:
        insert(session, person)
    except IntegrityError as error:
        if error.orig.sqlstate == "23505":
            raise Twice from error
        raise
"""
)
ON_CONFLICT = (
    HEAD
    + """
def enroll(session, person):
    found = session.scalar(
        text(
            "INSERT INTO enrollments (person, track) VALUES (:p, 1)"
            " ON CONFLICT DO NOTHING RETURNING id"
        ),
        {"p": person},
    )
    if found is None:
        raise Twice
"""
)


def test_looking_first_loses_a_race(examine: Examine) -> None:
    assert failed(examine(ONCE, CHECK_THEN_INSERT, schema=SCHEMA)) == "2 rows are stored."


@pytest.mark.parametrize("answer", [HANDLES_THE_VIOLATION, ON_CONFLICT])
def test_a_constraint_wins_it(examine: Examine, answer: str) -> None:
    result = examine(ONCE, answer, schema=UNIQUE)
    assert result.outcome is Outcome.PASSED, result.failure


# The last seat.

LAST_SEAT = """
def test_it(db, rivals):
    a, b = rivals.enter(2)
    with rivals.gate("tracks"):
        a.start("enroll", 1)
        b.start("enroll", 2)
    results = rivals.finish()
    assert db.count("enrollments") == 1, hint("Two people have the last seat.")
    assert db.one("tracks", id=1)["seats"] == 0
    assert [r.raised.type for r in results if r.raised] == ["Full"]
"""
READ_MODIFY_WRITE = (
    HEAD
    + """
def enroll(session, person):
    free = seats(session)
    if free < 1:
        raise Full
    session.execute(text("UPDATE tracks SET seats = :n WHERE id = 1"), {"n": free - 1})
    insert(session, person)
"""
)
FOR_UPDATE = READ_MODIFY_WRITE.replace("seats(session)\n", 'seats(session, "FOR UPDATE")\n')
GUARDED = (
    HEAD
    + """
def enroll(session, person):
    taken = session.execute(text("UPDATE tracks SET seats = seats - 1 WHERE id = 1 AND seats > 0"))
    if not taken.rowcount:
        raise Full
    insert(session, person)
"""
)
SERIALIZABLE = (
    READ_MODIFY_WRITE.replace("def enroll(", "def once(")
    + """
def enroll(session, person):
    for attempt in range(5):
        try:
            session.connection(execution_options={"isolation_level": "SERIALIZABLE"})
            once(session, person)
            session.commit()
            return
        except DBAPIError as error:
            session.rollback()
            if error.orig.sqlstate not in ("40001", "40P01"):
                raise
    raise Full
"""
)
WITHOUT_ROLLBACK = SERIALIZABLE.replace("            session.rollback()\n", "")


def test_read_modify_write_sells_the_last_seat_twice(examine: Examine) -> None:
    result = examine(LAST_SEAT, READ_MODIFY_WRITE, schema=SCHEMA)
    assert failed(result) == "Two people have the last seat."


@pytest.mark.parametrize("answer", [FOR_UPDATE, GUARDED, SERIALIZABLE])
def test_a_lock_a_guard_and_a_retry_each_sell_it_once(examine: Examine, answer: str) -> None:
    result = examine(LAST_SEAT, answer, schema=SCHEMA, toml=CALLEE.replace("callee", "caller"))
    assert result.outcome is Outcome.PASSED, result.failure


def test_a_retry_without_a_rollback_fails(examine: Examine) -> None:
    result = examine(LAST_SEAT, WITHOUT_ROLLBACK, schema=SCHEMA, toml=CALLEE)
    assert result.outcome is Outcome.FAILED


# Locking too late.

STALE = """
def test_it(db, rivals):
    a, = rivals.enter(1)
    with rivals.holding("SELECT FROM public.tracks WHERE id = %s FOR UPDATE", [1]) as judge:
        a.start("enroll", 1)
        assert a.is_waiting, hint("It waited for nobody.")
        judge.execute("UPDATE public.tracks SET seats = 0 WHERE id = %s", [1])
    a.finish(expect=Raises("Full"))
    assert db.count("enrollments") == 0
"""
LOCK_AFTER_READ = READ_MODIFY_WRITE.replace(
    "    session.execute(", '    seats(session, "FOR UPDATE")\n    session.execute(', 1
)


def test_a_lock_after_the_look_is_found(examine: Examine) -> None:
    result = examine(STALE, LOCK_AFTER_READ, schema=SCHEMA)
    assert failed(result) == ("enroll (rival A) should have raised Full, and it returned instead.")


@pytest.mark.parametrize("answer", [FOR_UPDATE, GUARDED])
def test_who_looks_again_is_right(examine: Examine, answer: str) -> None:
    assert examine(STALE, answer, schema=SCHEMA).outcome is Outcome.PASSED


# The instrument itself.

TWO_ROWS = (
    HEAD
    + """
def move(session, first, second):
    for track in (first, second):
        session.execute(text("UPDATE tracks SET seats = seats + 1 WHERE id = :t"), {"t": track})
        print("updated", track)
"""
)


def test_each_rival_says_for_whom_it_waits_and_what_it_sent(examine: Examine) -> None:
    check = """
def test_it(student, rivals, statements):
    a, b, c = rivals.enter(3)
    with rivals.gate("enrollments"):
        a.start("enroll", 1)        # has the track's row
        b.start("enroll", 2)
        c.start("look")
        assert a.is_waiting and b.is_waiting and not c.is_waiting
        assert b.waits_for(a) and not a.waits_for(b)
    assert [r.answered for r in rivals.finish()] == [True, False, True]
    assert [s.kind for s in a.statements] == ["SELECT", "UPDATE", "INSERT"]
    assert [s.kind for s in b.statements] == ["SELECT"]
    assert len(c.statements) == 1
    assert len(statements.last) == 5
    student.call("look")
    assert len(statements.last) == 1
    assert len(statements.total) == 6
"""
    answer = FOR_UPDATE + "\ndef look(session): return seats(session)\n"
    result = examine(check, answer, schema=SCHEMA)
    assert result.outcome is Outcome.PASSED, result.failure


def test_a_deadlock_is_real(examine: Examine) -> None:
    check = """
def test_it(db, rivals):
    a, b = rivals.enter(2)
    with rivals.holding("SELECT FROM public.tracks WHERE id = 3 FOR UPDATE"):
        a.start("move", 1, 3, 2)
        b.start("move", 2, 3, 1)
    results = rivals.finish()
    assert sorted(str(r.sqlstate) for r in results) == ["40P01", "None"]
"""
    answer = TWO_ROWS.replace("first, second", "first, second, third")
    schema = SCHEMA + "INSERT INTO tracks VALUES (3, 0);"
    result = examine(check, answer, schema=schema)
    assert result.outcome is Outcome.PASSED, result.failure


def test_who_never_ends_is_told_for_what_it_waited(examine: Examine) -> None:
    check = """
def test_it(rivals):
    a, b = rivals.enter(2)
    a.start("keep")
    a.finish()
    b.start("keep")
    b.finish()
"""
    answer = (
        HEAD
        + """
def keep(session):
    connection = session.get_bind().connect()
    connection.execute(text("UPDATE tracks SET seats = 0 WHERE id = 1"))
    session.kept = connection
    globals()["kept"] = connection
"""
    )
    toml = TOML.replace("seconds = 5", "seconds = 3")
    result = examine(check, answer, schema=SCHEMA, toml=toml)
    assert failed(result, Reason.TIMEOUT) == (
        "keep (rival B) gave no answer: there was no answer within 3 seconds. "
        "It was still waiting for a lock that rival A holds."
    )


def test_who_neither_ends_nor_waits_is_given_up(examine: Examine) -> None:
    check = "def test_it(rivals):\n    a, = rivals.enter(1)\n    a.start('enroll', 1)"
    answer = "def enroll(session, person):\n    while True: pass"
    toml = TOML.replace("seconds = 5", "seconds = 1")
    result = examine(check, answer, toml=toml)
    assert failed(result, Reason.TIMEOUT) == (
        "enroll (rival A) gave no answer: there was no answer within 1 seconds."
    )


def test_what_a_rival_lacks_or_leaves_is_told(examine: Examine) -> None:
    check = """
def test_it(rivals):
    a, = rivals.enter(1)
    a.start("enroll", 1)
    a.result()
"""
    assert failed(examine(check, "x = 1"), Reason.MISSING).endswith("no function called enroll.")
    leaves = "import os\ndef enroll(session, person): os._exit(0)"
    assert failed(examine(check, leaves), Reason.KILLED).startswith("enroll (rival A) gave no")


@pytest.mark.parametrize("stops", ["writes", "row locks", "reads"])
def test_a_gate_stops_what_it_says(examine: Examine, stops: str) -> None:
    check = f"""
def test_it(rivals):
    a, b, c = rivals.enter(3)
    with rivals.gate("tracks", stops="{stops}"):
        a.start("move", 1, 2)
        b.start("lock")
        c.start("look")
        assert [r.is_waiting for r in (a, b, c)] == [
            True, "{stops}" != "writes", "{stops}" == "reads"
        ]
    assert all(r.answered for r in rivals.finish())
"""
    answer = (
        TWO_ROWS
        + """
def look(session): return seats(session)
def lock(session): return seats(session, "FOR UPDATE")
"""
    )
    result = examine(check, answer, schema=SCHEMA)
    assert result.outcome is Outcome.PASSED, result.failure


def test_a_check_that_forgets_a_rival_is_at_fault(examine: Examine) -> None:
    check = "def test_it(rivals):\n    a, = rivals.enter(1)\n    a.start('move', 1, 2)"
    assert "never asked what became of A" in errored(examine(check, TWO_ROWS, schema=SCHEMA))


def test_rivals_work_on_tables_of_the_submission_too(examine: Examine) -> None:
    check = """
def test_it(student, db, rivals):
    student.call("make")
    a, b = rivals.enter(2)
    with rivals.gate("books"):
        a.start("add")
        b.start("add")
        assert a.is_waiting and b.is_waiting
    rivals.finish()
    with rivals.holding("DELETE FROM public.books", commit=False):
        a.start("add")
        assert not a.is_waiting
    a.finish()
    assert db.count("books") == 3
"""
    answer = """
from sqlalchemy import text
def make(session): session.execute(text("CREATE TABLE books (id int)"))
def add(session): session.execute(text("INSERT INTO books VALUES (1)"))
"""
    result = examine(check, answer, toml=TOML + 'privileges = "tables"\n')
    assert result.outcome is Outcome.PASSED, result.failure


# The process that every check has.

COUNTS_SESSIONS = (
    HEAD
    + """
def count(session):
    return session.scalar(
        text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE usename = current_user AND datname = current_database()"
        )
    )
"""
)


@pytest.mark.parametrize(
    ("wants", "sessions"), [("rivals", 2), ("rivals, db", 2), ("rivals, student", 3)]
)
def test_a_rival_takes_the_process_that_nobody_else_calls(
    examine: Examine, wants: str, sessions: int
) -> None:
    check = f"""
def test_it({wants}):
    a, b = rivals.enter(2)
    a.start("count")
    [result] = rivals.finish()
    assert result.value == {sessions}, hint(f"There are {{result.value}} sessions.")
    assert a.pids and b.pids and a.pids.isdisjoint(b.pids)
"""
    result = examine(check, COUNTS_SESSIONS, schema=SCHEMA)
    assert result.outcome is Outcome.PASSED, result.failure


def test_whose_sessions_are_whose_is_known_beside_an_application(examine: Examine) -> None:
    check = """
def test_it(api, rivals):
    api.start()
    (a,) = rivals.enter(1)
    assert len(a.pids) == 1
    a.start("count")
    [result] = rivals.finish()
    assert result.value == 3, hint(f"There are {result.value} sessions.")
"""
    serves = COUNTS_SESSIONS + "\nasync def app(scope, receive, send): pass\n"
    result = examine(check, serves, schema=SCHEMA)
    assert result.outcome is Outcome.PASSED, result.failure


def test_what_a_check_runs_into_after_a_rival_has_worked_is_not_the_checks_fault(
    examine: Examine,
) -> None:
    check = """
def test_it(rivals, db):
    one, = rivals.enter(1)
    one.start("add_note", "many")
    rivals.finish()
    assert int(db.rows("notes")[0]["body"]) == 1
"""
    assert failed(examine(check)) == (
        "What your code left in the database does not have the shape that the README describes."
    )
    early = "def test_it(rivals, db):\n    rivals.enter(1)\n    int('many')\n"
    assert "ValueError" in errored(examine(early))
