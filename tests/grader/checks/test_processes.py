"""A submission is restarted in a check, runs twice, is timed, heard, and counted call by call."""

from __future__ import annotations

import pytest

from grader.results import CheckResult, Outcome, Reason
from tests.grader.courses import SCHEMA, SOLUTION
from tests.grader.examining import Examine, errored, failed

IN_MEMORY = """
notes = []

def add_note(session, body):
    notes.append(body)

def find_notes(session, word):
    return [body for body in notes if word in body]
"""
IN_A_FILE = """
import os

def add_note(session, body):
    with open("notes.txt", "a") as file:
        file.write(body)

def find_notes(session, word):
    return [open("notes.txt").read()] if os.path.exists("notes.txt") else []
"""
BY_ORM = """
from sqlalchemy import String, Identity, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): pass

class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    body: Mapped[str]

def add_note(session, body):
    note = Note(body=body)
    session.add(note)
    session.flush()
    return note.id

def find_notes(session, word):
    return session.scalars(select(Note.body).where(Note.body.contains(word))).all()
"""


def passed(result: CheckResult) -> None:
    assert result.outcome is Outcome.PASSED, result.failure


RESTARTED = """
def test_it(student, data):
    body = data.word()
    student.call("add_note", body)
    student.restart()
    found = student.call("find_notes", body)
    assert found == [body], hint("After a restart it is gone.", actual=found)
    assert [c.function for c in student.calls] == ["add_note", "find_notes"]
"""
SHARED = (
    RESTARTED.replace("student.restart()", "worker = student.another()")
    .replace("found = student", "found = worker")
    .replace("After a restart it is gone", "The other worker does not know it")
)


@pytest.mark.parametrize("answer", [SOLUTION, BY_ORM])
def test_what_is_in_the_database_is_there_after_a_restart_and_for_another_worker(
    examine: Examine, answer: str
) -> None:
    passed(examine(RESTARTED, answer))
    passed(examine(SHARED, answer))


def test_what_is_in_memory_is_gone_and_no_other_worker_knows_it(examine: Examine) -> None:
    assert failed(examine(RESTARTED, IN_MEMORY)) == "After a restart it is gone."
    assert failed(examine(SHARED, IN_MEMORY)) == "The other worker does not know it."


def test_files_stay(examine: Examine) -> None:
    passed(examine(RESTARTED, IN_A_FILE))


ONCE = (
    SOLUTION
    + """
import os
from sqlalchemy import create_engine
engine = create_engine(os.environ["DATABASE_URL"])
with engine.begin() as connection:
    print("found", connection.scalar(text("SELECT count(*) FROM notes")))
    connection.execute(text("INSERT INTO notes (body) VALUES ('at the start')"))
"""
)


def test_what_is_sent_while_a_new_process_starts_is_no_calls(examine: Examine) -> None:
    check = """
def test_it(student, statements, db):
    assert (student.output, statements.total.count) == ("found 0\\n", 1)
    student.call("add_note", "a")
    student.restart()
    assert student.output == "found 2\\n"
    student.call("add_note", "b")
    worker = student.another()
    assert (worker.output, student.output) == ("found 4\\n", "")
    worker.call("find_notes", "a")
    assert student.printed == worker.printed == "found 0\\nfound 2\\nfound 4\\n"
    assert [c.texts[0][:6] for c in statements.calls] == ["INSERT", "INSERT", "SELECT"]
    assert [c.count for c in statements.calls] == [1, 1, 1]
    assert (statements.last.count, statements.total.count) == (1, 3)
    assert db.count("notes") == 5
"""
    check = check.replace(', statements.total.count) == ("found 0\\n", 1)', ') == "found 0\\n"')
    result = examine(check, ONCE)
    passed(result)
    assert result.output == "found 0\nfound 2\nfound 4\n"


def test_who_cannot_start_twice_fails_this_check(examine: Examine) -> None:
    answer = ONCE + "    assert connection.scalar(text('SELECT count(*) FROM notes')) == 1\n"
    for start in ("restart", "another"):
        result = examine(f"def test_it(student):\n    student.{start}()", answer)
        words = "notes.py could not be imported: AssertionError"
        assert failed(result, Reason.IMPORT).startswith(words)
        assert result.output == "found 0\nfound 1\n"


def test_a_call_is_ended_in_the_middle_by_a_restart(examine: Examine) -> None:
    """What it has committed stays, and nothing else; the server works for it no longer."""
    check = """
def test_it(student, statements, rivals, db):
    with rivals.gate("notes"):
        student.begin("add_both", "a", "b")
        while not rivals.sessions()[0]:
            pass
        student.restart()
        assert rivals.sessions() == (0, 0)
    stored = db.count("log")
    assert stored == 0, hint(f"{stored} of two were stored.")
    assert db.count("notes") == 0
    assert student.call("find_notes", "") == []
    assert [c.answered for c in student.calls] == [False, True]
    assert [[s.kind for s in c] for c in statements.calls] == [["INSERT", "INSERT"], ["SELECT"]]
"""
    together = (
        SOLUTION
        + """
def add_both(session, *bodies):
    session.execute(text("INSERT INTO log VALUES (1)"))
    for body in bodies:
        add_note(session, body)
"""
    )
    apart = together.replace("    for body", "    session.commit()\n    for body")
    schema = SCHEMA + "CREATE TABLE log (n int);"
    passed(examine(check, together, schema=schema))
    assert failed(examine(check, apart, schema=schema)) == "1 of two were stored."


def test_while_rivals_are_in_a_call_nobody_is_ended_in_the_middle_of_one(examine: Examine) -> None:
    check = """
def test_it(student, rivals):
    (rival,) = rivals.enter(1)
    with rivals.gate("notes"):
        rival.start("add_note", "a")
        student.restart()
        student.begin("add_note", "a")
        student.restart()
"""
    assert "While rivals are in a call" in errored(examine(check))


def test_a_process_that_has_ended_can_be_restarted(examine: Examine) -> None:
    check = """
def test_it(student):
    student.begin("leave")
    student.outcome()
    student.restart()
    assert student.call("find_notes", "") == []
"""
    passed(examine(check, SOLUTION + "\ndef leave(session): import os; os._exit(1)"))


def test_an_answer_of_another_worker_that_has_the_wrong_shape_is_told(examine: Examine) -> None:
    check = "def test_it(student):\n    student.another().call('find_notes', 'a')[0]['id']"
    result = examine(check, IN_MEMORY.replace("return [", "return None and ["))
    assert failed(result).startswith("What find_notes returned")


def test_only_the_students_processes_are_restarted(examine: Examine) -> None:
    check = "def test_it(rivals):\n    rivals.enter(1)[0].student.{}()"
    for start in ("restart", "another"):
        assert "Only processes of `student`" in errored(examine(check.format(start)))


def test_how_long_a_call_took_is_known(examine: Examine) -> None:
    check = """
def test_it(student):
    assert student.seconds == 0
    student.call("retry")
    assert 0.5 <= student.seconds < 60, hint("It did not wait before it tried again.")
    student.call("find_notes", "")
    assert student.seconds < 60
"""
    waits = SOLUTION + "\ndef retry(session): import time; time.sleep(0.5)"
    asks = SOLUTION + "\ndef retry(session): session.execute(text('SELECT pg_sleep(0.5)'))"
    passed(examine(check, waits))
    passed(examine(check, asks))
    hurries = SOLUTION + "\ndef retry(session): pass"
    assert failed(examine(check, hurries)) == "It did not wait before it tried again."


def test_what_is_printed_is_known(examine: Examine) -> None:
    check = """
def test_it(student):
    student.call("find_notes", "")
    assert student.output == "", hint("It printed something.", actual=student.output)
"""
    passed(examine(check, SOLUTION))
    for says in ("print('here')", "__import__('sys').stderr.write('here')"):
        said = SOLUTION.replace("    found =", f"    {says}\n    found =")
        assert failed(examine(check, said)) == "It printed something."


SLOPE = """
def test_it(student, db, statements, data):
    for rows in (3, 17):
        db.insert("notes", *({"body": data.word()} for _ in range(rows)))
        student.call("find_notes", "")
    slope = statements.slope(3, 20)
    assert slope == 0, hint(f"For each note {slope:g} more.")
"""
ONE_BY_ONE = """
from sqlalchemy import text

def find_notes(session, word):
    ids = session.scalars(text("SELECT id FROM notes")).all()
    query = text("SELECT body FROM notes WHERE id = :id")
    return [session.scalar(query, {"id": id}) for id in ids]
"""
TWO_STATEMENTS = """
from sqlalchemy import text

def find_notes(session, word):
    ids = session.scalars(text("SELECT id FROM notes")).all()
    return session.scalars(text("SELECT body FROM notes WHERE id = ANY (:ids)"), {"ids": ids}).all()
"""


def test_statements_per_row_are_a_slope(examine: Examine) -> None:
    passed(examine(SLOPE, SOLUTION))
    passed(examine(SLOPE, BY_ORM))
    passed(examine(SLOPE, TWO_STATEMENTS))
    assert failed(examine(SLOPE, ONE_BY_ONE)) == "For each note 1 more."
    twice = ONE_BY_ONE.replace("return [", "[").replace("for id in ids]", "for id in ids * 2]")
    assert failed(examine(SLOPE, twice)) == "For each note 2 more."
    hidden = ONE_BY_ONE + "    session.execute(text('DO $$ BEGIN END $$'))\n"
    hidden = hidden.replace("return [", "[")
    assert "cannot be counted" in failed(examine(SLOPE, hidden))


@pytest.mark.parametrize(
    ("few", "many", "calls", "words"),
    [
        (20, 20, 2, "from few rows to many"),
        (20, 3, 2, "from few rows to many"),
        (-1, 3, 2, "from few rows to many"),
        (3, 20, 1, "compares two calls, and there were 1"),
        (3, 20, 0, "compares two calls, and there were 0"),
    ],
)
def test_a_slope_of_nothing_is_an_error_of_the_check(
    examine: Examine, few: int, many: int, calls: int, words: str
) -> None:
    check = f"""
def test_it(student, statements):
    for _ in range({calls}):
        student.call("find_notes", "")
    statements.slope({few}, {many})
"""
    assert words in errored(examine(check))


def test_requests_and_races_are_calls_too(examine: Examine) -> None:
    check = """
def test_it(student, statements, rivals):
    assert statements.calls == []
    student.call("add_note", "a")
    for rival in rivals.enter(2):
        rival.start("add_note", "b")
    rivals.finish()
    assert [c.count for c in statements.calls] == [1, 2], [c.texts for c in statements.calls]
"""
    passed(examine(check))
