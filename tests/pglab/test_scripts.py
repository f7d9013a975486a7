"""SQL files are divided as psql divides them, and parameters are found where they are meant."""

from __future__ import annotations

import pytest

from pglab.scripts import bind, names_in, steps_of


@pytest.mark.parametrize(
    ("script", "steps"),
    [
        ("SELECT 1", [("SELECT 1", 1)]),
        ("\n-- first\nSELECT 1;\n\nSELECT\n 2 ;\n-- end\n", [("SELECT 1", 3), ("SELECT\n 2", 5)]),
        ("/* a; /* b; */ c; */ SELECT ';', \"a;b\";;", [("SELECT ';', \"a;b\"", 1)]),
        ("SELECT 'it''s; ' ; SELECT E'\\';'", [("SELECT 'it''s; '", 1), ("SELECT E'\\';'", 1)]),
        (
            r"SELECT 'a' LIKE '%\' ESCAPE '\'; SELECT 2",
            [(r"SELECT 'a' LIKE '%\' ESCAPE '\'", 1), ("SELECT 2", 1)],
        ),
        (
            "DO $x$ BEGIN; $y$; END $x$; SELECT 1",
            [("DO $x$ BEGIN; $y$; END $x$", 1), ("SELECT 1", 1)],
        ),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; "
            "SELECT 2; END; SELECT f()",
            [
                (
                    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 "
                    "END; SELECT 2; END",
                    1,
                ),
                ("SELECT f()", 1),
            ],
        ),
        ("BEGIN; SELECT 1; END;", [("BEGIN", 1), ("SELECT 1", 1), ("END", 1)]),
        (
            "SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 3",
            [("SELECT CASE 1 WHEN 1 THEN 2 END", 1), ("SELECT 3", 1)],
        ),
        (
            "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
            [("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", 1), ("SELECT 3", 1)],
        ),
        ("", []),
        (" ;; -- nothing\n/* at all", []),
        ("SELECT 'never ends; SELECT 2", [("SELECT 'never ends; SELECT 2", 1)]),
    ],
)
def test_a_file_is_divided_at_its_semicolons(script: str, steps: list[tuple[str, int]]) -> None:
    assert [(step.text, step.line) for step in steps_of(script)] == steps


@pytest.mark.parametrize(
    ("statement", "for_psycopg", "as_sent"),
    [
        ("SELECT :year", "SELECT %(year)s", "SELECT $1"),
        ("SELECT :year::date", "SELECT %(year)s::date", "SELECT $1::date"),
        ("SELECT x::year", "SELECT x::year", "SELECT x::year"),
        ("SELECT ':year', \":year\" -- :year", "SELECT ':year', \":year\" -- :year", None),
        ("SELECT '{\"a\":1}'::jsonb", "SELECT '{\"a\":1}'::jsonb", None),
        (
            "SELECT 5 % :n, '10%', :year, :n",
            "SELECT 5 %% %(n)s, '10%%', %(year)s, %(n)s",
            "SELECT 5 % $1, '10%', $2, $1",
        ),
        ("SELECT '%' || 5 % 2", "SELECT '%' || 5 % 2", None),
        ("SELECT a[1:2], :other", "SELECT a[1:2], :other", None),
    ],
)
def test_names_become_parameters_where_they_are_meant(
    statement: str, for_psycopg: str, as_sent: str | None
) -> None:
    bound = bind(statement, {"year", "n"})
    assert bound.for_psycopg == for_psycopg
    assert bound.as_sent == (for_psycopg if as_sent is None else as_sent)


def test_names_that_a_statement_asks_for_are_listed_once() -> None:
    assert names_in("SELECT :b, :a, :b, 'x :c', d::e") == ["b", "a"]
