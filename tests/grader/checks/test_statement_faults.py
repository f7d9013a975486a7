"""A statement whose turn it is fails, also one that reads or makes a table, and only for real."""

from __future__ import annotations

import pytest

from grader.results import Outcome
from tests.grader.checks.test_faults import CALLEE
from tests.grader.courses import TOML
from tests.grader.examining import Examine, failed

HEAD = """
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

AGAIN = ("40001", "40P01", "57014")
"""
WITH_A_LOOP = (
    HEAD
    + """
def look(session):
    for attempt in range(1, 4):
        try:
            return attempt, session.scalar(text("SELECT count(*) FROM notes"))
        except DBAPIError as error:
            if error.orig.sqlstate not in AGAIN or attempt == 3:
                raise
            session.rollback()
"""
)
WITH_SAVEPOINTS = (
    HEAD
    + """
def look(session, attempt=1):
    try:
        with session.begin_nested():
            rows = session.execute(text("/* all of them */ SELECT id FROM notes")).all()
            return attempt, len(rows)
    except DBAPIError as error:
        if error.orig.sqlstate not in AGAIN or attempt == 3:
            raise
    return look(session, attempt + 1)
"""
)
WITHOUT_A_ROLLBACK = WITH_A_LOOP.replace("            session.rollback()\n", "")
ONCE_MORE = WITH_A_LOOP.replace("range(1, 4)", "range(1, 3)").replace("== 3", "== 2")
WITHOUT_END = WITH_A_LOOP.replace("range(1, 4)", "range(1, 10**9)").replace(" or attempt == 3", "")
BLIND = WITH_A_LOOP.replace("error.orig.sqlstate not in AGAIN or ", "")
RETRIES = """
def test_it(student, faults, statements):
    fault = faults.fail_statement(times=2, sqlstate="STATE")
    assert student.call("look") == [3, 0], hint("Not at the third attempt.")
    assert (fault.hits, fault.sent, faults.hits) == (2, 1, 2)
    assert statements.last.count == 1 and not statements.last.failed
"""


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "57014"])
@pytest.mark.parametrize("answer", [WITH_A_LOOP, WITH_SAVEPOINTS])
def test_whoever_tries_again_reads_it_in_the_end(
    examine: Examine, answer: str, sqlstate: str
) -> None:
    result = examine(RETRIES.replace("STATE", sqlstate), answer)
    assert result.outcome is Outcome.PASSED, result.failure


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "57014"])
@pytest.mark.parametrize(
    ("answer", "ends_with"), [(WITHOUT_A_ROLLBACK, "25P02"), (ONCE_MORE, "STATE")]
)
def test_whoever_tries_again_in_the_wrong_way_does_not(
    examine: Examine, answer: str, ends_with: str, sqlstate: str
) -> None:
    result = examine(RETRIES.replace("STATE", sqlstate), answer)
    assert result.failure is not None
    told = result.failure.message
    assert told.startswith("look raised")
    assert told.endswith(f"(SQLSTATE {ends_with.replace('STATE', sqlstate)}).")
    assert not [s for s in result.failure.statements if "RAISE" in s.sql]
    assert "sandbox" not in result.failure.actual  # it is no limit that was broken


def test_a_retry_without_end_or_of_everything_is_found(examine: Examine) -> None:
    endless = """
def test_it(student, faults):
    fault = faults.fail_statement(times=50)
    student.call("look", expect=Raises)
    assert fault.hits <= 10, hint(f"It tried {fault.hits} times.")
"""
    assert examine(endless, WITH_A_LOOP).outcome is Outcome.PASSED
    assert "should have raised" in failed(examine(endless, WITHOUT_END))
    blind = """
def test_it(student, faults):
    fault = faults.fail_statement(times=2, sqlstate="53100")
    said = student.call("look", expect=Raises)
    assert said.sqlstate == "53100" and fault.hits == 1
"""
    assert examine(blind, WITH_A_LOOP).outcome is Outcome.PASSED
    assert "should have raised" in failed(examine(blind, BLIND))


COPIES = """
from sqlalchemy import text

ADD = text("WITH new (b) AS (SELECT :b) INSERT INTO notes (body) SELECT b FROM new")

def copy(session):
    for note in session.execute(text("SELECT id, body FROM notes ORDER BY id")).all():
        session.execute(ADD, {"b": note.body})
        session.execute(text("SELECT count(*) FROM notes"))
"""
COPIES_BY_ONE = """
from sqlalchemy import text

def copy(session):
    with session.begin_nested():
        session.execute(text("SELECT 1"))
    session.execute(text("INSERT INTO notes (body) SELECT body FROM notes"))
    session.execute(text("(SELECT count(*) FROM notes)"))
"""
SECOND_SELECT = """
def test_it(student, db, faults):
    db.insert("notes", {"body": "a"}, {"body": "b"})
    fault = faults.fail_statement(2, kind="select", sqlstate="57014")
    said = student.call("copy", expect=Raises)
    assert said.sqlstate == "57014"
    kept = db.count("notes") - 2
    assert not kept, hint(f"{kept} of the copies stayed.")
    assert fault.hits == 1
"""


def test_a_read_in_the_midst_of_work_can_fail(examine: Examine) -> None:
    for answer in (COPIES, COPIES_BY_ONE):
        result = examine(SECOND_SELECT, answer)
        assert result.outcome is Outcome.PASSED, result.failure
    commits = COPIES.replace("note.body})", "note.body}); session.commit()")
    assert failed(examine(SECOND_SELECT, commits)) == "1 of the copies stayed."


def test_a_step_that_makes_tables_can_fail(examine: Examine) -> None:
    check = """
def test_it(student, db, schema, faults):
    faults.fail_statement(2, kind="CREATE")
    student.call("make", expect=Raises)
    assert schema.find("authors") is None, hint("Half of the tables are there.")
"""
    make = """
from sqlalchemy import text

def make(session):
    session.execute(text("CREATE TABLE authors (id int PRIMARY KEY)"))
    session.execute(text("CREATE TABLE books (id int, author int REFERENCES authors)"))
"""
    by_models = """
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

metadata = MetaData()
Table("authors", metadata, Column("id", Integer, primary_key=True))
Table("books", metadata, Column("id", Integer), Column("author", ForeignKey("authors.id")))

def make(session):
    metadata.create_all(session.connection())
"""
    toml = TOML + 'privileges = "tables"\n'
    for answer in (make, by_models):
        result = examine(check, answer, toml=toml)
        assert result.outcome is Outcome.PASSED, result.failure
    at_once = by_models.replace("session.connection()", "session.get_bind()")
    at_once = at_once.replace("metadata.create_all", "for t in metadata.sorted_tables: t.create")
    assert failed(examine(check, at_once, toml=toml)) == "Half of the tables are there."


LOST = """
def test_it(student, db, faults):
    fault = faults.lose_connection_at(2)
    student.call("add_both", "a", "b")
    assert fault.hits == 1
    assert db.count("notes") == 2, hint(f"{db.count('notes')} notes are there.")
"""
BOTH = """
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

def add_both(session, *bodies):
    for attempt in (1, 2):
        try:
            for body in bodies:
                session.execute(text("INSERT INTO notes (body) VALUES (:b)"), {"b": body})
            session.commit()
            return
        except DBAPIError as error:
            if not error.connection_invalidated or attempt == 2:
                raise
            session.rollback()
"""
ONE_BY_ONE = """
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

def add_both(session, *bodies):
    for body in bodies:
        for attempt in (1, 2):
            try:
                session.execute(text("INSERT INTO notes (body) VALUES (:b)"), {"b": body})
                break
            except OperationalError:
                session.rollback()
"""


def test_a_connection_is_lost_at_a_statement(examine: Examine) -> None:
    for answer in (BOTH, ONE_BY_ONE.replace("break", "session.commit(); break")):
        result = examine(LOST, answer, toml=CALLEE)
        assert result.outcome is Outcome.PASSED, result.failure
    # What was sent before over the connection that was lost is gone with it.
    assert failed(examine(LOST, ONE_BY_ONE)) == "1 notes are there."
    again = examine(LOST, BOTH.replace("(1, 2)", "(2,)"), toml=CALLEE)
    assert again.failure is not None
    assert again.failure.message == "add_both raised OperationalError (SQLSTATE 57P01)."


FIRST = "def test_it(student, faults):\n    faults.fail_statement(3)\n    student.call('f')\n"
SWALLOWED = FIRST.replace("'f'", "'f', expect=Raises(required=False)")
OTHER_SESSION = """
from sqlalchemy import create_engine, text

def f(session):
    with create_engine(session.get_bind().url).connect() as connection:
        for _ in range(3):
            connection.execute(text("SELECT 1"))
"""
TAKES_IT_OUT = """
from sqlalchemy import event, text

def f(session):
    for waiting in list(session.get_bind().dialect.dispatch.do_execute):
        event.remove(session.get_bind(), "do_execute", waiting)
    for _ in range(3):
        session.execute(text("SELECT 1"))
"""
NEVER = "In this check {what} that your code sends over its session {fails}, and {came}. So what"


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        ("def f(session): pass", "it sent none"),
        (
            "from sqlalchemy import text\n"
            "def f(session):\n    session.begin_nested()\n    session.execute(text('SELECT 1'))",
            "it sent 1",
        ),
        (OTHER_SESSION, "of the 3 that it sent, too few went there"),
        (TAKES_IT_OUT, "of the 3 that it sent, too few went there"),
    ],
)
def test_a_check_that_never_met_its_fault_does_not_pass(
    examine: Examine, answer: str, came: str
) -> None:
    told = failed(examine(FIRST, answer))
    assert told.startswith(NEVER.format(what="statement number 3", fails="fails", came=came))
    lost = FIRST.replace("fail_statement(3)", "lose_connection_at(4, kind='SELECT')")
    what, fails = "SELECT number 4", "loses the connection"
    came = came.replace("of the 3 that it sent, too few went there", "it sent 3")
    told = failed(examine(lost, answer))
    assert told.startswith(NEVER.format(what=what, fails=fails, came=came))


def test_that_it_struck_is_not_the_word_of_the_process(examine: Examine) -> None:
    pretends = """
def f(session):
    raise type("OperationalError", (Exception,), {"sqlstate": "40001"})
"""
    assert "it sent none" in failed(examine(SWALLOWED, pretends))


def test_a_fault_that_need_not_strike_or_was_cleared_asks_for_nothing(examine: Examine) -> None:
    check = """
def test_it(student, db, faults, statements):
    faults.fail_statement()
    faults.lose_connection_at(kind="INSERT")
    faults.clear()
    faults.fail_statement(99, needed=False)
    assert student.call("look") == [1, 0]
    assert (statements.last.count, faults.hits) == (1, 0)
    assert len(student.calls) == 1
"""
    result = examine(check, WITH_A_LOOP)
    assert result.outcome is Outcome.PASSED, result.failure
