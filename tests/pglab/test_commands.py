"""Naming the command of an SQL text, compared with the name that PostgreSQL gives it."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pglab.commands import changes_rows, command_of, leading_words, split_statements
from pglab.servers import Server

SAME = [
    "SELECT 1",
    "  select 1",
    "-- a comment\nSELECT 1",
    "/* one /* nested */ comment */ SELECT 1",
    "(SELECT 1) UNION (SELECT 2)",
    "((SELECT 1))",
    "VALUES (1)",
    "TABLE pg_class",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "WITH RECURSIVE a (n) AS (VALUES (1) UNION SELECT n + 1 FROM a WHERE n < 3) SELECT * FROM a",
    "WITH a AS MATERIALIZED (SELECT ')' AS b) SELECT b FROM a",
    "WITH a AS NOT MATERIALIZED (SELECT $$)$$ AS b) SELECT b FROM a",
    "WITH a AS (SELECT $x$ $$ ) $x$) INSERT INTO t SELECT 1 FROM a",
    "WITH a AS (DELETE FROM t RETURNING id) SELECT count(*) FROM a",
    "WITH a AS (SELECT 1 AS id) UPDATE t SET id = a.id FROM a",
    "WITH a AS (SELECT 1 AS id) DELETE FROM t USING a WHERE t.id = a.id",
    "WITH a AS (SELECT 1 AS id) MERGE INTO t USING a ON t.id = a.id "
    "WHEN NOT MATCHED THEN INSERT VALUES (1)",
    'WITH "select" AS (SELECT E\'\\\'(\') SELECT * FROM "select"',
    "WITH insert AS (SELECT 1) SELECT * FROM insert",
    "WITH a AS (SELECT 1), b AS (SELECT 2) SELECT * FROM a, b",
    "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
    "UPDATE t SET id = 2",
    "DELETE FROM t",
    "CREATE TABLE u (id int)",
    "DROP TABLE IF EXISTS u",
    "EXPLAIN SELECT 1",
    "BEGIN",
    "COMMIT",
    "END",
    "ROLLBACK",
    "ABORT",
    "SET search_path = public",
    "SHOW search_path",
    "DO $$ BEGIN END $$",
]


@pytest.mark.parametrize("text", SAME)
def test_the_name_is_the_one_that_postgresql_gives(server: Server, text: str) -> None:
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE t (id int)")
        status = connection.execute(text.encode()).statusmessage
    assert status is not None
    assert command_of(text) == status.split(" ", maxsplit=1)[0]


def test_a_synonym_has_the_name_of_the_usual_command() -> None:
    synonyms = ["START TRANSACTION", "end", "abort work", "TABLE t", "values (1)"]
    assert [command_of(text) for text in synonyms] == [
        *("BEGIN", "COMMIT", "ROLLBACK", "SELECT", "SELECT")
    ]


@pytest.mark.parametrize("text", ["", "  ", "-- only a comment", "/* not closed", ";", "'"])
def test_a_text_without_a_command_has_no_name(text: str) -> None:
    assert command_of(text) == ""


@given(st.text("WITHas(){}'\"$/*-;\n xSELECT1é", max_size=200))
@example("WITH a AS (")
@example("'" * 1001)
@example("$a$" * 999)
@example("/*" * 999)
def test_any_text_has_a_name_in_upper_case(text: str) -> None:
    name = command_of(text)
    assert name == name.upper()
    assert " " not in name


@pytest.mark.parametrize("part", ["'", '"', "E'", "$", "$a$", "/*", "--", "(", "\\", "-- \n", "é"])
def test_a_hostile_text_takes_linear_time(part: str) -> None:
    assert command_of("WITH " + part * (5_000_000 // len(part))) in {"WITH", "WITHE"}


STRINGS = [
    "SELECT 1",
    "SELECT 1;",
    ";;SELECT 1;;; SELECT 2;-- end;",
    "BEGIN; INSERT INTO t VALUES (1); COMMIT",
    "SELECT ';'; SELECT 'it''s; so'; SELECT E'\\';'; SELECT 2",
    'SELECT 1 AS "a;b"; SELECT 2',
    "SELECT $$;$$; SELECT $a$;$$;$a$; SELECT 1 AS a$b; SELECT 2 AS c$b",
    "SELECT 1 -- ;\n; SELECT 2 /* ; /* ; */ ; */; SELECT 3",
    "/* only */ -- comments\n; SELECT 1",
    "CREATE TEMP TABLE begin AS SELECT 1 AS end; SELECT 2; SELECT 3",
    "SELECT CASE WHEN true THEN 1 END; SELECT 2; SELECT 3",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1; FETCH c; FETCH c; CLOSE c",
    "DO $$ BEGIN PERFORM 1; PERFORM 2; END $$; SELECT 1",
    "CREATE TEMP TABLE u (a int); CREATE RULE r AS ON INSERT TO u DO ALSO (SELECT 1; SELECT 2)",
    "SELECT '" + "x" * 100_000 + "'; SELECT 2 /* " + "x" * 100_000 + " */; SELECT 3",
]


@pytest.mark.parametrize("text", STRINGS, ids=lambda text: text[:40])
def test_a_text_has_as_many_statements_as_the_server_answers(server: Server, text: str) -> None:
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE t (id int)")
        cursor = connection.execute(text.encode())
        answered = 1
        while cursor.nextset():
            answered += 1
    assert len(split_statements(text)) == answered


def test_a_backslash_that_may_escape_is_read_so_that_nothing_is_hidden(server: Server) -> None:
    text = r"SELECT '\''; SELECT 2; SELECT ''"
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("SET standard_conforming_strings = off")
        cursor = connection.execute(text.encode())
        assert cursor.nextset()
        assert cursor.nextset()
    assert len(split_statements(text)) == 3


@pytest.mark.parametrize("text", ["", "  ", ";", " ; ; ", "-- x", "/* x"])
def test_a_text_that_says_nothing_has_no_statements(text: str) -> None:
    assert split_statements(text) == []


@given(st.text("WITHas(){}'\"$/*-;\n xSELECT1é\\", max_size=200))
def test_the_statements_of_a_text_stand_in_it_one_after_another(text: str) -> None:
    position = 0
    for part in split_statements(text):
        position = text.index(part, position) + len(part)
        assert part.strip()


def test_the_leading_words_stand_outside_of_comments_and_strings() -> None:
    text = "/* DO */ create -- x\n OR replace function f() returns int"
    assert leading_words(text, 4) == ("CREATE", "OR", "REPLACE", "FUNCTION")
    assert leading_words("'DO' $$x$$ (select)", 3) == ("SELECT",)
    assert leading_words("", 3) == ()


@pytest.mark.parametrize("part", ["'", '"', "E'", "$", "$a$", "/*", "--", "(", "\\", ";", "a;"])
def test_a_hostile_text_is_divided_in_linear_time(part: str) -> None:
    text = part * (200_000 // len(part))
    assert len(split_statements(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("INSERT INTO t VALUES (1)", True),
        ("/* x */ update t set id = 1", True),
        ("DELETE FROM t", True),
        ("TRUNCATE t", True),
        ("COPY t FROM STDIN", True),
        ("COPY t TO STDOUT", False),
        ("SELECT 1", False),
        ("SELECT * FROM t FOR UPDATE", False),
        ("SELECT 'INSERT INTO t', \"delete\" FROM t", False),
        ("WITH a AS (SELECT 1) SELECT * FROM a", False),
        ("WITH a AS (SELECT id FROM t FOR UPDATE) SELECT 'insert into' FROM a", False),
        ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", True),
        ("WITH a AS (INSERT INTO t VALUES (1) RETURNING id) SELECT * FROM a", True),
        ("WITH a AS MATERIALIZED (/* x */ DELETE FROM t RETURNING id) SELECT * FROM a", True),
        ("WITH a AS (WITH b AS (SELECT 1) UPDATE t SET id = 2 RETURNING id) SELECT 1", True),
        ("", False),
    ],
)
def test_a_statement_that_changes_rows_is_known(text: str, changes: bool) -> None:
    assert changes_rows(text) is changes


def test_strings_that_may_end_anywhere_are_not_divided_for_ever() -> None:
    """A backslash at the very end leaves open where each of the strings before it ends."""
    assert split_statements("SELECT 1; SELECT '" + "\\'" * 300_000 + "\\")[0] == "SELECT 1"
