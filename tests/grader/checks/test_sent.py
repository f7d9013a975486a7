"""What was sent is counted as the server received it, however it was dressed up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from grader.checks.sent import Sent, Statements, to_show
from grader.checks.verdict import NotPassed
from pglab.scratch import Database, Role
from pglab.witness import Statement, Witness

Record = Callable[..., Sent]


@pytest.fixture(scope="module")
def witness(server: object) -> Iterator[Witness]:
    with Witness(server) as one:
        yield one


@pytest.fixture
def record(witness: Witness, student_role: Role, student_database: Database) -> Iterator[Record]:
    """Sends texts as a student would, each as one string, and gives what the log says of them."""
    url = student_database.url_for(student_role)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE notes (id int, body text)")

        def record(*texts: str, parameters: tuple[object, ...] | None = None) -> Sent:
            start = witness.mark()
            for text in texts:
                try:
                    connection.execute(text.encode(), parameters)
                except psycopg.errors.SyntaxError:
                    continue
            return Sent(witness.statements(start, role=student_role.name))

        yield record


def kinds(sent: Sent) -> list[str]:
    return [statement.kind for statement in sent]


def test_statements_stand_in_the_order_in_which_they_came(record: Record) -> None:
    sent = record("SELECT 1", "INSERT INTO notes VALUES (1)", "SELECT 2")
    assert sent.texts == ["SELECT 1", "INSERT INTO notes VALUES (1)", "SELECT 2"]
    assert sent.count == len(sent) == 3
    assert [s.text for s in sent] == sent.texts


def test_transaction_control_is_counted_apart(record: Record) -> None:
    sent = record("BEGIN", "SAVEPOINT a", "SELECT 1", "ROLLBACK TO a", "RELEASE a", "COMMIT")
    assert sent.count == 1
    assert [s.kind for s in sent.transactions] == [
        *("BEGIN", "SAVEPOINT", "ROLLBACK", "RELEASE", "COMMIT")
    ]


def test_several_statements_in_one_string_count_each(record: Record) -> None:
    sent = record("BEGIN; INSERT INTO notes VALUES (1); SELECT 2; COMMIT")
    assert sent.count == 2
    assert kinds(sent) == ["INSERT", "SELECT"]
    assert [s.kind for s in sent.transactions] == ["BEGIN", "COMMIT"]
    assert [s.text for s in sent.writes] == ["INSERT INTO notes VALUES (1)"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("SELECT ';', 'it''s; so'", 1),
        ("SELECT $$;$$, $a$;$b$;$a$", 1),
        ("SELECT 1 /* ; SELECT 2; */ -- ; SELECT 3", 1),
        ('SELECT 1 AS ";"', 1),
        ("SELECT 1;;; ;", 1),
        ("SELECT 1; SELECT 2; -- the end;", 2),
        ("CREATE TEMP TABLE x1 AS SELECT 1 AS begin; SELECT 2; SELECT 3", 3),
        ("SELECT CASE WHEN true THEN 1 END; SELECT 2", 2),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT 1; FETCH c; FETCH c; CLOSE c", 4),
    ],
)
def test_a_semicolon_divides_only_where_the_server_divides(
    record: Record, text: str, count: int
) -> None:
    assert record(text).count == count


def test_a_string_that_may_be_read_in_two_ways_hides_nothing(record: Record) -> None:
    record("SET standard_conforming_strings = off")
    sent = record(r"SELECT '\''; INSERT INTO notes VALUES (1); SELECT ''")
    assert sent.count == 3
    assert len(sent.writes) == 1


@pytest.mark.parametrize(
    "text",
    [
        "DO $$ BEGIN INSERT INTO notes VALUES (1); END $$",
        "/* just reading */ DO $$ BEGIN PERFORM 1; END $$",
        "-- reading\ndo $$ BEGIN PERFORM 1; END $$",
        "SELECT 1; DO $$ BEGIN PERFORM 1; END $$",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT 2'",
        "create /* x */ or replace function pg_temp.f() returns int language sql as 'select 1'",
        "CREATE PROCEDURE pg_temp.p() LANGUAGE sql AS 'SELECT 1'",
        "SELECT 1; CREATE OR REPLACE FUNCTION pg_temp.g() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE RULE r AS ON INSERT TO notes DO ALSO (SELECT 1; SELECT 2)",
        "PREPARE p AS SELECT 1; EXECUTE p",
    ],
)
def test_what_carries_statements_inside_cannot_be_counted(record: Record, text: str) -> None:
    sent = record(text)
    assert sent.opaque
    with pytest.raises(NotPassed, match="is not seen from outside, so it cannot be counted"):
        _ = sent.count


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TEMP TABLE trigger (function int)",
        "SELECT 'DO $$ BEGIN END $$' AS do",
        "WITH call AS (SELECT 1) SELECT * FROM call",
        "SELECT 1 AS execute",
    ],
)
def test_what_only_looks_like_a_block_is_counted(record: Record, text: str) -> None:
    assert record(text).count == 1


def test_a_routine_that_was_made_earlier_makes_counting_impossible(record: Record) -> None:
    sent = Sent(record("SELECT 1").all, routines=["sly"])
    assert sent.opaque == []
    with pytest.raises(NotPassed, match="inside a function of your own, sly"):
        _ = sent.count


def test_more_text_in_one_string_than_anybody_writes_is_not_counted(record: Record) -> None:
    sent = record("SELECT 1; SELECT '" + "x" * (1 << 21) + "'; SELECT 2")
    with pytest.raises(NotPassed, match="cannot be counted"):
        _ = sent.count
    assert record("SELECT '" + "x" * (1 << 21) + "'").count == 1


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("WITH new AS (INSERT INTO notes VALUES (1) RETURNING id) SELECT id FROM new", 1),
        ("WITH old AS (DELETE FROM notes RETURNING id) SELECT id FROM old", 1),
        ("WITH a AS (SELECT 1) UPDATE notes SET id = 2", 1),
        ("/* SELECT */ UPDATE notes SET id = 2", 1),
        ("SELECT 1; DELETE FROM notes", 1),
        ("WITH a AS (SELECT id FROM notes FOR UPDATE) SELECT 'insert into x' FROM a", 0),
        ("SELECT * FROM notes FOR UPDATE", 0),
    ],
)
def test_a_write_is_found_behind_whatever_it_hides(record: Record, text: str, writes: int) -> None:
    assert len(record(text).writes) == writes


def test_a_greeting_of_the_driver_is_not_the_students(record: Record) -> None:
    sent = record(
        "select pg_catalog.version()",
        "show standard_conforming_strings",
        "SELECT current_schema()",
        "show transaction isolation level;",
        "DEALLOCATE ALL",
        "SELECT 1",
    )
    assert sent.texts == ["SELECT 1"]


def test_nothing_can_be_added_to_a_greeting(record: Record) -> None:
    assert record("select pg_catalog.version(); SELECT 1").count == 2
    assert record("select current_schema() FROM notes").count == 1


def test_what_only_begins_like_a_greeting_is_not_looked_at_for_ever(record: Record) -> None:
    assert record("show transaction isolation level" + " " * 1_000_000 + "x").count == 1


def test_parameters_are_shown_as_they_were_bound(record: Record) -> None:
    sent = record("INSERT INTO notes VALUES (%s, %s)", parameters=(1, None))
    [statement] = to_show(sent)
    assert statement.sql == "INSERT INTO notes VALUES ($1, $2)"
    assert statement.parameters == ("1", "NULL")


def test_a_statement_that_failed_is_shown_with_its_code(record: Record) -> None:
    sent = record("SELEKT 1", "SELECT 1")
    assert [(s.kind, s.sqlstate) for s in sent.failed] == [("SELEKT", "42601")]
    assert to_show(sent)[0].sqlstate == "42601"


def test_statements_are_asked_for_by_kind(record: Record) -> None:
    sent = record("BEGIN", "VALUES (1)", "TABLE notes", "INSERT INTO notes VALUES (1)", "END")
    assert [s.text for s in sent.of_kind("select")] == ["VALUES (1)", "TABLE notes"]
    assert [s.kind for s in sent.of_kind("BEGIN", "COMMIT")] == ["BEGIN", "COMMIT"]


def test_only_the_first_few_statements_are_shown_and_what_they_hold_is_harmless(
    record: Record,
) -> None:
    sent = record(*(f'SELECT {n} AS "\x1b[31m"' for n in range(30)))
    shown = to_show(sent)
    assert len(shown) == 12
    assert shown[0].sql == 'SELECT 0 AS ""'


def test_the_last_call_and_all_calls_are_read_when_they_are_asked_for() -> None:
    read: list[str] = []

    def reader(name: str) -> Callable[[], list[Statement]]:
        return lambda: read.append(name) or []

    statements = Statements(reader("last"), reader("total"), routines=lambda: ["sly"])
    assert read == []
    assert statements.last.all == []
    assert statements.total.all == []
    assert read == ["last", "total"]
    with pytest.raises(NotPassed, match="sly"):
        _ = statements.last.count
