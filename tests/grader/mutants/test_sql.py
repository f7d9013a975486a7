"""Mutants of SQL."""

from __future__ import annotations

import pytest
import sqlglot

from grader.mutants.sql import is_rule, is_sql, laid_out, mutated, script_mutants, written_back

QUERY = (
    "SELECT a, count(DISTINCT b) AS n FROM t LEFT JOIN u ON t.id = u.id"
    " WHERE a > 1 AND NOT c IS NULL GROUP BY a ORDER BY a DESC, n LIMIT 10 FOR UPDATE"
)


def words(text: str) -> str:
    return " ".join(text.split()).upper().replace("( ", "(").replace(" )", ")")


@pytest.mark.parametrize(
    ("statement", "mutant"),
    [
        (QUERY, QUERY.replace("a > 1", "a >= 1")),
        (QUERY, QUERY.replace("a > 1", "a > 2")),
        (QUERY, QUERY.replace("a > 1 AND NOT c IS NULL", "a > 1")),
        (QUERY, QUERY.replace("a > 1 AND NOT c IS NULL", "a > 1 OR NOT c IS NULL")),
        (QUERY, QUERY.replace("NOT c IS NULL", "c IS NULL")),
        (QUERY, QUERY.replace(" WHERE a > 1 AND NOT c IS NULL", "")),
        (QUERY, QUERY.replace("DISTINCT b", "b")),
        (QUERY, QUERY.replace("LEFT JOIN", "JOIN")),
        (QUERY, QUERY.replace(" ORDER BY a DESC, n", "")),
        (QUERY, QUERY.replace("a DESC, n", "a DESC")),
        (QUERY, QUERY.replace(" LIMIT 10", "")),
        (QUERY, QUERY.replace(" FOR UPDATE", "")),
        ("UPDATE t SET a = -b, c = 0", "UPDATE t SET a = b, c = 0"),
        ("UPDATE t SET a = -b, c = 0", "UPDATE t SET c = 0"),
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", "INSERT INTO t (a) VALUES (1)"),
        ("SELECT 1 UNION SELECT 2", "SELECT 1 UNION ALL SELECT 2"),
        ("SELECT coalesce(a, 0) FROM t", "SELECT a FROM t"),
        ("SELECT sum(a) OVER (PARTITION BY b) FROM t", "SELECT SUM(a) OVER () FROM t"),
        ("CREATE UNIQUE INDEX i ON t(a)", "CREATE INDEX i ON t(a)"),
        ("CREATE TABLE t (a INT NOT NULL, b INT)", "CREATE TABLE t (a INT, b INT)"),
        (
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u ON DELETE CASCADE",
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u ON DELETE SET NULL",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0), ALTER COLUMN b DROP NOT NULL",
            "ALTER TABLE t ALTER COLUMN b DROP NOT NULL",
        ),
    ],
)
def test_a_mutant_differs_in_one_thing(statement: str, mutant: str) -> None:
    found = {words(each) for each in mutated(statement)}
    (expected,) = {sqlglot.parse_one(mutant, read="postgres").sql("postgres")}
    assert words(expected) in found


def test_every_mutant_can_be_read_and_is_no_other_ones_twin() -> None:
    found = list(mutated(QUERY))
    assert len(found) == len(set(found)) > 20
    for each in found:
        assert sqlglot.parse_one(each, read="postgres").sql("postgres") == each
    assert sqlglot.parse_one(QUERY, read="postgres").sql("postgres") not in found


def test_what_is_set_and_what_an_index_is_on_are_no_conditions_and_no_orders() -> None:
    assert not [m for m in mutated("UPDATE t SET a = b") if "<>" in m]
    assert not [m for m in mutated("CREATE INDEX i ON t (a)") if "DESC" in m]


def test_sqlalchemys_parameters_stay_what_they_are() -> None:
    found = list(mutated("SELECT a FROM t WHERE a = :a AND b = :b::int"))
    assert found
    assert all("%(" not in each for each in found)
    assert any(":b" in each and ":a" not in each for each in found)
    psycopgs = list(mutated("SELECT a FROM t WHERE a = %(a)s AND b < 3"))
    assert any("%(a)s" in each for each in psycopgs)


def test_only_one_statement_of_a_file_is_otherwise() -> None:
    script = "-- first\nUPDATE t SET a = 1;\n\nDO $$ BEGIN END $$;\nDELETE FROM t WHERE a < 1;\n"
    found = [(place, before, after) for place, before, after, _ in script_mutants(script)]
    assert ("statement 1", "UPDATE t SET a = 1", "") in found
    assert ("statement 2", "DO $$ BEGIN END $$", "") in found
    assert [after for place, _, after in found if place == "statement 2"] == [""]
    for _, before, after, text in script_mutants(script):
        assert text == script.replace(before, after, 1)


def test_a_file_that_is_written_back_keeps_what_cannot_be_read() -> None:
    script = "update t  set a = 1; DO $$ BEGIN END $$; SELECT now()"
    assert written_back(script) == (
        "UPDATE t SET a = 1;\nDO $$ BEGIN END $$;\nSELECT CURRENT_TIMESTAMP;\n"
    )


@pytest.mark.parametrize("text", ["users", "id, email", "Lesson.position", "42", "", "no (", "a b"])
def test_other_texts_are_no_sql(text: str) -> None:
    assert not is_sql(text)


def test_a_rule_is_told_from_a_statement() -> None:
    assert is_sql("price >= 0")
    assert is_rule("price >= 0")
    assert is_sql("SELECT 1")
    assert not is_rule("SELECT 1")
    assert laid_out("DO $$ BEGIN END $$") == "DO $$ BEGIN END $$"
