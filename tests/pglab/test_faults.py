"""A fault meets the write that it was made for, and no other, with PostgreSQL's own errors."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from pglab.faults import LOST_CONNECTION, Faults, failing
from pglab.scratch import Database, Role

Session = psycopg.Connection


@pytest.fixture
def owner(clone: Database) -> Iterator[Session]:
    with psycopg.connect(clone.url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def faults(owner: Session) -> Faults:
    return Faults(owner)


@pytest.fixture
def writer(clone: Database, student: Role) -> Iterator[Session]:
    connection = psycopg.connect(clone.url_for(student), autocommit=True)
    yield connection
    connection.close()


def insert(session: Session, *numbers: int) -> None:
    for number in numbers:
        session.execute("INSERT INTO notes VALUES (%s)", [number])


def write(session: Session, statement: str) -> None:
    if not statement.startswith("COPY"):
        session.execute(statement.encode())
        return
    with session.cursor().copy(statement.encode()) as copy:
        copy.write_row((2, "two"))


def stored(owner: Session) -> list[int]:
    return [row[0] for row in owner.execute("SELECT id FROM notes WHERE id > 1 ORDER BY 1")]


def test_the_row_whose_turn_it_is_fails(faults: Faults, owner: Session, writer: Session) -> None:
    fault = faults.fail("notes", "insert", at=3)
    insert(writer, 2, 3)
    with pytest.raises(psycopg.errors.DiskFull, match="No space left on device"):
        insert(writer, 4)
    insert(writer, 5)
    assert stored(owner) == [2, 3, 5]
    assert (fault.writes, fault.hits, faults.hits) == (4, 1, 1)


def test_rows_of_one_statement_count_one_by_one(faults: Faults, writer: Session) -> None:
    fault = faults.fail("notes", "insert", at=3)
    with pytest.raises(psycopg.errors.DiskFull):
        writer.execute("INSERT INTO notes VALUES (2), (3), (4), (5)")
    assert (fault.writes, fault.hits) == (3, 1)


def test_a_rollback_does_not_turn_the_count_back(
    faults: Faults, owner: Session, writer: Session
) -> None:
    fault = faults.fail("notes", "insert", at=2, times=2, sqlstate="40001")
    for _ in range(2):
        with pytest.raises(psycopg.errors.SerializationFailure), writer.transaction():
            insert(writer, 2, 3)
        # The second attempt fails at its first row, which is the third in all.
    insert(writer, 2, 3)
    assert stored(owner) == [2, 3]
    assert (fault.writes, fault.hits) == (5, 2)


def test_a_fault_without_end_meets_every_write(faults: Faults, writer: Session) -> None:
    fault = faults.fail("notes", "insert", at=2, times=None, sqlstate="40P01")
    insert(writer, 2)
    for number in range(3, 8):
        with pytest.raises(psycopg.errors.DeadlockDetected, match="deadlock detected"):
            insert(writer, number)
    assert fault.hits == 5


@pytest.mark.parametrize(
    ("event", "statement"),
    [
        ("update", "UPDATE notes SET body = 'x'"),
        ("delete", "DELETE FROM notes"),
        ("insert", "COPY notes FROM STDIN"),
    ],
)
def test_every_way_to_write_can_fail(
    faults: Faults, writer: Session, event: str, statement: str
) -> None:
    others = {"insert", "update", "delete"} - {event}
    fault = faults.fail("notes", event, sqlstate="57014")
    beside = [faults.fail("notes", other) for other in sorted(others)]
    with pytest.raises(psycopg.errors.QueryCanceled, match="due to statement timeout"):
        write(writer, statement)
    assert fault.hits == 1
    assert [other.writes for other in beside] == [0, 0]


@pytest.mark.parametrize("on_commit", [False, True])
@pytest.mark.parametrize("event", ["insert", "update", "delete"])
def test_writes_that_are_not_met_do_what_they_did_before(
    faults: Faults, owner: Session, writer: Session, event: str, *, on_commit: bool
) -> None:
    faults.fail("notes", event, at=100, on_commit=on_commit)
    insert(writer, 2, 3)
    writer.execute("UPDATE notes SET body = 'changed' WHERE id = 2")
    writer.execute("DELETE FROM notes WHERE id = 3")
    assert stored(owner) == [2]
    assert owner.execute("SELECT body FROM notes WHERE id = 2").fetchone() == ("changed",)


def test_a_commit_can_fail(faults: Faults, owner: Session, writer: Session) -> None:
    fault = faults.fail("notes", "insert", at=2, sqlstate="40001", on_commit=True)
    writer.execute("BEGIN")
    insert(writer, 2, 3, 4)
    with pytest.raises(psycopg.errors.SerializationFailure, match="could not serialize access"):
        writer.execute("COMMIT")
    assert stored(owner) == []
    assert fault.hits == 1


@pytest.mark.parametrize("on_commit", [False, True])
def test_a_connection_is_lost_at_its_write(
    faults: Faults, owner: Session, writer: Session, *, on_commit: bool
) -> None:
    fault = faults.fail("notes", "insert", at=2, sqlstate=LOST_CONNECTION, on_commit=on_commit)
    insert(writer, 2)
    with pytest.raises(psycopg.errors.AdminShutdown):
        insert(writer, 3)
    assert writer.broken
    assert stored(owner) == [2]
    assert fault.hits == 1


def test_an_error_of_ones_own_has_ones_own_message(faults: Faults, writer: Session) -> None:
    faults.fail("notes", "insert", sqlstate="P0001", message="out of paper")
    with pytest.raises(psycopg.errors.RaiseException, match="out of paper"):
        insert(writer, 2)


@pytest.mark.parametrize(
    ("sqlstate", "message", "told"),
    [
        ("40001", None, "could not serialize access due to concurrent update"),
        ("57014", None, "canceling statement due to statement timeout"),
        ("P0001", "it's 'out' of $$ and %", "it's 'out' of $$ and %"),
        (LOST_CONNECTION, None, "terminating connection due to administrator command"),
    ],
)
def test_a_statement_that_only_fails_does_so_as_another_would(
    writer: Session, sqlstate: str, message: str | None, told: str
) -> None:
    statement = failing(sqlstate, "h0123", message)
    assert "h0123" in statement
    with pytest.raises(psycopg.Error) as raised:
        writer.execute(statement.encode())
    assert raised.value.sqlstate == sqlstate
    assert raised.value.diag.message_primary == told
    assert writer.broken is (sqlstate == LOST_CONNECTION)


def test_two_faults_on_one_table_count_apart(faults: Faults, writer: Session) -> None:
    first = faults.fail("notes", "insert", at=1, sqlstate="40001")
    second = faults.fail("notes", "insert", at=2, sqlstate="40P01")
    with pytest.raises(psycopg.errors.SerializationFailure):
        insert(writer, 2)
    insert(writer, 2)  # the first one's error kept this row from the second one's count
    with pytest.raises(psycopg.errors.DeadlockDetected):
        insert(writer, 3)
    assert (first.hits, second.hits, faults.hits) == (1, 1, 2)
    assert faults.planted == [first, second]


def test_what_is_cleared_leaves_nothing_behind(
    faults: Faults, owner: Session, writer: Session
) -> None:
    everything = (
        "SELECT (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_class),"
        " (SELECT count(*) FROM pg_proc)"
    )
    before = owner.execute(everything).fetchone()
    faults.fail("notes", "insert", sqlstate=LOST_CONNECTION)
    faults.fail("notes", "delete", on_commit=True)
    faults.clear()
    assert owner.execute(everything).fetchone() == before
    insert(writer, 2)
    assert (stored(owner), faults.hits) == ([2], 0)
    faults.fail("notes", "insert")
    with pytest.raises(psycopg.errors.DiskFull):
        insert(writer, 3)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT nextval('notes_insert_history_seq')",
        "SELECT setval('notes_insert_history_seq', 99)",
        "DROP TRIGGER notes_insert_history ON notes",
        "ALTER TABLE notes DISABLE TRIGGER USER",
        "DROP FUNCTION notes_insert_history()",
        "CREATE TEMP TABLE t (n int); CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW"
        " EXECUTE FUNCTION notes_insert_history()",
        "SET session_replication_role = replica",
    ],
)
def test_who_writes_cannot_turn_the_count_or_the_trigger_off(
    faults: Faults, writer: Session, statement: str
) -> None:
    fault = faults.fail("notes", "insert")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute(statement.encode())
    with pytest.raises(psycopg.errors.DiskFull):
        insert(writer, 2)
    assert (fault.writes, fault.hits) == (1, 1)


def test_nothing_in_its_names_or_errors_says_what_it_is(
    faults: Faults, owner: Session, writer: Session
) -> None:
    faults.fail("notes", "insert", sqlstate=LOST_CONNECTION, at=2)
    faults.fail("notes", "insert", sqlstate="40001")
    with pytest.raises(psycopg.errors.SerializationFailure) as told:
        insert(writer, 2)
    names = owner.execute("SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal").fetchall()
    names += owner.execute(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    ).fetchall()
    said = f"{told.value} {names}".lower()
    assert not [w for w in ("fault", "kit", "check", "test", "judge", "grader") if w in said]
