"""Plans are read as PostgreSQL tells them, on every version, whatever the parameters are."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from pglab.plans import CannotExplain, Plan, explain
from pglab.scratch import Scratch
from pglab.servers import Server

TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE things (
    id bigint PRIMARY KEY, key uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE, name text NOT NULL,
    made timestamptz NOT NULL, tags text[] NOT NULL DEFAULT '{}', mood mood, price numeric(8, 2)
);
INSERT INTO things (id, name, made, mood, price)
    SELECT n, 'thing ' || n, timestamptz '2026-01-01 00:00+00' + n * interval '1 minute',
           'glad', n FROM generate_series(1, 3000) n;
CREATE INDEX things_made ON things (made);
CREATE INDEX things_tags ON things USING gin (tags);
CREATE FUNCTION pair(integer, integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION pair(text, text) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT 1';
ANALYZE things
"""


@pytest.fixture
def connection(each_server: Server) -> Iterator[psycopg.Connection]:
    with Scratch(each_server) as scratch:
        database = scratch.clone(scratch.template(f"plans {TABLES}", _build))
        with psycopg.connect(database.url, autocommit=True) as connection:
            yield connection
        database.drop()


def _build(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(TABLES.encode())


@pytest.mark.parametrize(
    ("statement", "parameters", "index"),
    [
        ("SELECT * FROM things WHERE id = $1", ["5"], "things_pkey"),
        (
            "SELECT * FROM things WHERE key = $1",
            ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
            "things_key_key",
        ),
        (
            "SELECT name FROM things WHERE made > $1::TIMESTAMPTZ ORDER BY made LIMIT $2",
            ["2026-01-02 00:00:00+00", "10"],
            "things_made",
        ),
        ("UPDATE things SET name = $1, mood = $2 WHERE id = $3", ["a", None, "7"], "things_pkey"),
        ("DELETE FROM things WHERE id = ANY ($1)", ["{1,2,3}"], "things_pkey"),
        ("DECLARE c CURSOR FOR SELECT * FROM things WHERE id = $1", ["5"], "things_pkey"),
        ("SELECT id FROM things WHERE id = $1 AND name <> 'it''s $2'", ["5"], "things_pkey"),
    ],
)
def test_parameters_of_every_kind_are_planned_for(
    connection: psycopg.Connection, statement: str, parameters: list[str | None], index: str
) -> None:
    with connection.transaction():
        plan = explain(connection, statement, parameters)
    assert plan.indexes == [index]
    assert plan.uses_index(index)
    assert not plan.analyzed


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("SELECT $1", ["a"]),
        ("SELECT $1 + $2", ["1", "2"]),
        ("SELECT jsonb_build_object('a', $1)", ["a"]),
        ("SELECT jsonb_build_object($1, $2)", ["a", None]),
        ("SELECT pair($1, $2)", ["a", "b"]),
        ("SELECT id FROM things WHERE length($1 || name) > $2", ["x", "3"]),
    ],
)
def test_types_that_the_text_leaves_open_are_guessed(
    connection: psycopg.Connection, statement: str, parameters: list[str | None]
) -> None:
    with connection.transaction():
        assert explain(connection, statement, parameters).nodes
    assert explain(connection, statement, parameters).nodes


def test_rows_and_buffers_are_counted_where_the_statement_is_run(
    connection: psycopg.Connection,
) -> None:
    plan = explain(connection, "SELECT * FROM things WHERE name LIKE $1", ["%99"], analyze=True)
    (scan,) = plan.nodes
    assert (scan.kind, scan.table, scan.loops, scan.rows) == ("Seq Scan", "things", 1, 30)
    assert plan.rows_removed == 2970
    assert plan.buffers > 10
    assert plan.scans("things") == ["Seq Scan"]
    assert not plan.spilled
    assert plan.text == (
        "Seq Scan on things (rows=30)\n    Filter: (name ~~ '%99'::text)\n    Rows Removed: 2970"
    )


def test_what_a_node_does_in_a_loop_is_counted_for_all_its_rounds(
    connection: psycopg.Connection,
) -> None:
    connection.execute("SET enable_hashjoin = off")
    connection.execute("SET enable_mergejoin = off")
    connection.execute("SET enable_memoize = off")
    connection.execute("SET enable_indexscan = off")
    connection.execute("SET enable_bitmapscan = off")
    connection.execute("SET enable_material = off")
    plan = explain(
        connection,
        "SELECT * FROM (VALUES (1), (2), (3)) v (n) JOIN things ON things.id = v.n",
        analyze=True,
    )
    scan = next(node for node in plan if node.table == "things")
    assert scan.loops * scan.details["Actual Rows"] == scan.rows
    assert plan.rows_removed >= 2997


def test_a_row_that_is_stored_is_logged_once_and_once_in_each_index(
    connection: psycopg.Connection,
) -> None:
    store = (
        "INSERT INTO things (id, name, made) SELECT n, 'x', now() FROM generate_series($1, $2) n"
    )
    with connection.transaction(force_rollback=True):
        connection.execute("DROP INDEX things_tags")
        plan = explain(connection, store, ["5001", "5200"], analyze=True)
        assert plan.root.kind == "Insert"
        assert 200 * 4 <= plan.root.log_records < 200 * 4.5, plan.root.details  # and id, key, made
        connection.execute("DROP INDEX things_made")
        plan = explain(connection, store, ["5201", "5400"], analyze=True)
        assert 200 * 3 <= plan.root.log_records < 200 * 3.5
    assert explain(connection, store, ["1", "2"]).root.log_records == 0


def test_a_sort_that_does_not_fit_into_memory_is_told(connection: psycopg.Connection) -> None:
    connection.execute("SET work_mem = '64kB'")
    plan = explain(connection, "SELECT * FROM things ORDER BY name", analyze=True)
    assert [sort.kind for sort in plan.sorts] == ["Sort"]
    assert plan.spilled
    assert "written to disk" in plan.text
    connection.execute("SET work_mem = '16MB'")
    assert not explain(connection, "SELECT * FROM things ORDER BY name", analyze=True).spilled


def test_an_index_read_for_a_bitmap_is_read(connection: psycopg.Connection) -> None:
    connection.execute("SET enable_seqscan = off")
    plan = explain(connection, "SELECT id FROM things WHERE tags @> $1", ["{a}"])
    assert plan.indexes == ["things_tags"]
    assert plan.scans("things") == ["Bitmap Heap Scan"]
    assert [node.condition for node in plan if node.index] == ["(tags @> '{a}'::text[])"]


def test_a_write_that_is_run_is_rolled_back_with_its_transaction(
    connection: psycopg.Connection,
) -> None:
    with connection.transaction(force_rollback=True):
        plan = explain(connection, "DELETE FROM things WHERE id < $1", ["11"], analyze=True)
    assert plan.root.kind == "Delete"
    assert plan.root.children[0].rows == 10
    assert connection.execute("SELECT count(*) FROM things").fetchone() == (3000,)


def test_a_plan_for_all_values_needs_none(connection: psycopg.Connection) -> None:
    plan = explain(connection, "SELECT * FROM things WHERE id = $1", None)
    assert plan.indexes == ["things_pkey"]


@pytest.mark.parametrize(
    ("statement", "parameters", "sqlstate"),
    [
        ("SELECT * FROM nowhere", [], "42P01"),
        ("SELEC 1", [], "42601"),
        ("SELECT 1; DROP TABLE things", [], "42601"),
        ("CREATE TABLE x (n int)", [], "42601"),
        ("SELECT * FROM things WHERE id = $1", ["five"], "22P02"),
        ("SELECT * FROM things WHERE id = $1", [], "08P01"),
    ],
)
def test_what_has_no_plan_says_why(
    connection: psycopg.Connection, statement: str, parameters: list[str | None], sqlstate: str
) -> None:
    with pytest.raises(CannotExplain) as told:
        explain(connection, statement, parameters)
    assert told.value.sqlstate == sqlstate
    assert connection.execute("SELECT count(*) FROM things").fetchone() == (3000,)


def test_a_plan_is_read_from_text_and_from_json() -> None:
    told = [{"Plan": {"Node Type": "Result", "Plan Rows": 1}}]
    assert Plan.from_json(told) == Plan.from_json(
        '[{"Plan": {"Node Type": "Result", "Plan Rows": 1}}]'
    )
    assert Plan.from_json(told).text == "Result (rows=1 planned)"
