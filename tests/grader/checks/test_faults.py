"""Work that is done wholly or not at all passes when a write fails; work that is not, does not."""

from __future__ import annotations

import pytest

from grader.results import Outcome
from tests.grader.courses import TOML
from tests.grader.examining import Examine, failed

SCHEMA = """
CREATE TABLE enrollments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person int NOT NULL
);
CREATE TABLE progress (person int, lesson int, PRIMARY KEY (person, lesson));
"""
ENROLL = """
from sqlalchemy import text

def enroll(session, person):
    session.execute(text("INSERT INTO enrollments (person) VALUES (:p)"), {"p": person})
    for lesson in range(4):
        session.execute(
            text("INSERT INTO progress VALUES (:p, :l)"), {"p": person, "l": lesson}
        )
"""
ALL_AT_ONCE = """
from sqlalchemy import text

def enroll(session, person):
    session.execute(
        text(
            "WITH e AS (INSERT INTO enrollments (person) VALUES (:p) RETURNING person)"
            " INSERT INTO progress SELECT person, n FROM e, generate_series(0, 3) AS n"
        ),
        {"p": person},
    )
"""
COMMITS_IN_THE_LOOP = ENROLL.replace("    for lesson", "    session.commit()\n    for lesson")
SWALLOWS = (
    ENROLL.replace("    for lesson", "    session.commit()\n    try:\n     for lesson")
    + """
    except Exception:
        session.rollback()
"""
)
NOTHING = "def enroll(session, person): raise ValueError"

ATOMIC = """
def test_it(student, db, faults):
    fault = faults.fail_insert("progress", at=3)
    student.call("enroll", 1, expect=Raises)
    assert db.count("enrollments") == 0, hint("Half of the work was kept.")
    assert (fault.writes, faults.hits) == (3, 1)
"""


@pytest.mark.parametrize("answer", [ENROLL, ALL_AT_ONCE])
def test_work_in_one_transaction_is_all_or_nothing(examine: Examine, answer: str) -> None:
    assert examine(ATOMIC, answer, schema=SCHEMA).outcome is Outcome.PASSED


def test_a_commit_on_the_way_is_found(examine: Examine) -> None:
    result = examine(ATOMIC, COMMITS_IN_THE_LOOP, schema=SCHEMA)
    assert failed(result) == "Half of the work was kept."


def test_an_error_that_is_swallowed_is_found(examine: Examine) -> None:
    result = examine(ATOMIC, SWALLOWS, schema=SCHEMA)
    assert "should have raised an exception, and it returned instead" in failed(result)


def test_a_check_that_never_met_its_fault_does_not_pass(examine: Examine) -> None:
    result = examine(ATOMIC.rpartition("    assert")[0], NOTHING, schema=SCHEMA)
    assert failed(result) == (
        "In this check row number 3 that is inserted into progress fails, and your code inserted "
        "no row there. So what it does when something fails was never seen."
    )


def test_a_fault_that_need_not_strike_or_was_cleared_asks_for_nothing(examine: Examine) -> None:
    check = """
def test_it(student, db, faults):
    faults.fail_insert("progress", at=99)
    faults.clear()
    faults.fail_delete("progress", needed=False)
    student.call("enroll", 1)
    assert (db.count("progress"), faults.hits) == (4, 0)
"""
    assert examine(check, ENROLL, schema=SCHEMA).outcome is Outcome.PASSED


RETRIES = """
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

def add(session, person):
    for attempt in range(1, LIMIT + 1):
        try:
            session.execute(text("INSERT INTO enrollments (person) VALUES (:p)"), {"p": person})
            session.commit()
            return attempt
        except DBAPIError as error:
            ROLLBACK
            if error.orig.sqlstate not in ("40001", "40P01") or attempt == LIMIT:
                raise
"""
CALLEE = TOML + 'transaction = "callee"\n'


def retries(limit: int = 5, rollback: str = "session.rollback()") -> str:
    return RETRIES.replace("LIMIT", str(limit)).replace("ROLLBACK", rollback)


def test_a_retry_wins_where_it_begins_anew(examine: Examine) -> None:
    check = """
def test_it(student, db, faults):
    faults.fail_insert("enrollments", times=2, sqlstate="40001")
    assert student.call("add", 1) == 3
    faults.fail_insert("enrollments", sqlstate="40P01", on_commit=True)
    assert student.call("add", 2) == 2
    assert db.count("enrollments") == 2
"""
    files = {"schema": SCHEMA, "toml": CALLEE}
    assert examine(check, retries(), **files).outcome is Outcome.PASSED
    without = examine(check, retries(rollback="pass"), **files)
    assert without.failure is not None
    assert without.failure.message.startswith("add raised")


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "57014"])
def test_what_is_tried_again_is_what_may_work_the_next_time(
    examine: Examine, sqlstate: str
) -> None:
    check = f"""
def test_it(student, db, faults):
    fault = faults.fail_insert("enrollments", times=2, sqlstate="{sqlstate}")
    tries = student.call("add", 1)
    assert (tries, fault.hits, db.count("enrollments")) == (3, 2, 1)
"""
    files = {"schema": SCHEMA, "toml": CALLEE}
    patient = retries().replace('"40P01"', '"40P01", "57014"')
    by_class = retries().replace(
        'error.orig.sqlstate not in ("40001", "40P01")',
        'type(error.orig).__name__ not in ("SerializationFailure", "DeadlockDetected", '
        '"QueryCanceled")',
    )
    for answer in (patient, by_class):
        result = examine(check, answer, **files)
        assert result.outcome is Outcome.PASSED, result.failure
    for answer in (
        patient.replace(f'"{sqlstate}"', '"00000"'),  # knows the others only
        retries(limit=2).replace('"40P01"', '"40P01", "57014"'),
        retries(rollback="pass").replace('"40P01"', '"40P01", "57014"'),
    ):
        failure = examine(check, answer, **files).failure
        assert failure is not None
        assert failure.message.startswith("add raised")


def test_a_retry_without_end_is_found(examine: Examine) -> None:
    check = """
def test_it(student, faults):
    fault = faults.fail_insert("enrollments", times=50, sqlstate="40001")
    student.call("add", 1, expect=Raises)
    assert fault.hits <= 10, hint(f"It tried {fault.hits} times.")
"""
    files = {"schema": SCHEMA, "toml": CALLEE}
    assert examine(check, retries(), **files).outcome is Outcome.PASSED
    assert "should have raised" in failed(examine(check, retries(10**6), **files))
    assert failed(examine(check, retries(30), **files)) == "It tried 30 times."


def test_a_lost_connection_can_be_overcome(examine: Examine) -> None:
    check = """
def test_it(student, db, faults):
    faults.lose_connection("enrollments")
    student.call("add", 1, expect=Raises("OperationalError"))
    student.call("add", 1)
    assert faults.disconnect() == 1
    said = student.call("add", 2, expect=Raises)
    assert said.sqlstate == "57P01"
    student.call("add", 2)
    with faults.outage():
        student.call("add", 3, expect=Raises("OperationalError"))
    student.call("add", 3)
    assert db.count("enrollments") == 3
"""
    result = examine(check, retries(), schema=SCHEMA, toml=CALLEE)
    assert result.outcome is Outcome.PASSED, result.failure


POOLED = """
import os
from sqlalchemy import create_engine, text

engine = create_engine(os.environ["DATABASE_URL"], pool_size=1, HOW)

def add(session, person):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO enrollments (person) VALUES (:p)"), {"p": person})
"""
RECONNECTS = """
import os
import psycopg

URL = os.environ["DATABASE_URL"].replace("+psycopg", "")
kept = None

def add(session, person):
    global kept
    for last in (False, True):
        try:
            kept = kept or psycopg.connect(URL, autocommit=True)
            kept.execute("INSERT INTO enrollments (person) VALUES (%s)", [person])
            return
        except psycopg.OperationalError:
            kept = None
            if last:
                raise
"""


def test_a_restart_is_overcome_by_those_who_connect_anew(examine: Examine) -> None:
    check = """
def test_it(student, db, faults):
    student.call("add", 1)
    assert faults.restart() >= 1
    student.call("add", 2)
    faults.restart(seconds=0)
    student.call("add", 3)
    assert db.count("enrollments") == 3
"""
    for answer in (
        POOLED.replace("HOW", "pool_pre_ping=True"),
        POOLED.replace("pool_size=1, HOW", "poolclass=__import__('sqlalchemy').NullPool"),
        RECONNECTS,
    ):
        result = examine(check, answer, schema=SCHEMA)
        assert result.outcome is Outcome.PASSED, result.failure
    for answer in (POOLED.replace("HOW", ""), RECONNECTS.replace("(False, True)", "(True,)")):
        result = examine(check, answer, schema=SCHEMA)
        assert result.failure is not None
        assert result.failure.message.startswith("add raised")
        assert "57P01" in result.failure.message


def test_a_restart_meets_what_goes_on_and_lets_nobody_in_for_a_moment(examine: Examine) -> None:
    check = """
def test_it(student, db, faults, sessions):
    student.begin("knock")
    sessions.when(lambda seen: seen.count)
    faults.restart(seconds=0.3)
    refused, ended_by = student.finish()
    assert ended_by == "57P01"
    assert refused >= 1, hint("It never stood before a closed door.")
    assert db.count("enrollments") == 1
"""
    knock = """
import os
import time
import psycopg

URL = os.environ["DATABASE_URL"].replace("+psycopg", "")

def knock(session):
    refused = 0
    with psycopg.connect(URL) as connection:
        try:
            connection.execute("SELECT pg_sleep(60)")
        except psycopg.OperationalError as error:
            ended_by = error.sqlstate
    while True:
        try:
            with psycopg.connect(URL) as connection:
                connection.execute("INSERT INTO enrollments (person) VALUES (1)")
            return refused, ended_by
        except psycopg.OperationalError:
            refused += 1
            time.sleep(0.01)
"""
    result = examine(check, knock, schema=SCHEMA)
    assert result.outcome is Outcome.PASSED, result.failure


def test_a_table_that_the_submission_made_can_fail_too(examine: Examine) -> None:
    check = """
def test_it(student, db, faults):
    student.call("make")
    faults.fail_insert("books", at=2)
    student.call("fill", expect=Raises)
    assert db.count("books") == 0
    faults.fail_insert("books")
    faults.clear()
    student.call("fill")
    assert db.count("books") == 2
"""
    answer = """
from sqlalchemy import text
def make(session):
    session.execute(text("CREATE TABLE books (id int)"))
def fill(session):
    session.execute(text("INSERT INTO books VALUES (1)"))
    session.execute(text("INSERT INTO books VALUES (2)"))
"""
    result = examine(check, answer, toml=TOML + 'privileges = "tables"\n')
    assert result.outcome is Outcome.PASSED, result


def test_a_table_that_is_not_there_cannot_fail(examine: Examine) -> None:
    check = "def test_it(student, faults): faults.fail_insert('books')"
    assert failed(examine(check)) == "There is no table books in the schema public."
