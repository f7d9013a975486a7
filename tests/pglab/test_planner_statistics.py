"""Statistics are current until somebody makes others, or something comes that is not in them."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from pglab.planner_statistics import are_current
from pglab.scratch import Scratch

TABLE = sql.Identifier("public", "orders")


def build(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id int PRIMARY KEY, note text, made date)")
        connection.execute("INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, 9) n")
        connection.execute("CREATE TABLE empty (id int)")
        connection.execute("CREATE TABLE never_analyzed AS SELECT 1 AS id")
        connection.execute("CREATE TABLE named (name text)")
        connection.execute("INSERT INTO named VALUES ('A')")
        connection.execute("CREATE INDEX ON named (lower(name))")
        connection.execute("ANALYZE named")
        connection.execute("ANALYZE orders, empty")


@pytest.fixture
def connection(scratch: Scratch) -> Iterator[psycopg.Connection]:
    database = scratch.clone(scratch.template("with statistics", build))
    with psycopg.connect(database.url, autocommit=True) as connection:
        yield connection
    database.drop()


def current(connection: psycopg.Connection) -> bool:
    return are_current(connection, connection, TABLE)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "CREATE INDEX ON orders (note)",
        "CREATE INDEX ON orders (note) WHERE id > 3",
        "DROP INDEX IF EXISTS no_such; VACUUM orders",
        "BEGIN; DELETE FROM orders; ROLLBACK",
        "INSERT INTO empty VALUES (1)",
    ],
)
def test_they_stay_current(connection: psycopg.Connection, statement: str) -> None:
    for step in statement.split("; "):
        connection.execute(step.encode())
    assert current(connection)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO orders VALUES (10)",
        "UPDATE orders SET note = 'x' WHERE id = 3",
        "DELETE FROM orders WHERE id = 3",
        "TRUNCATE orders",
        "DELETE FROM orders WHERE id = 3; INSERT INTO orders VALUES (3)",
        "ALTER TABLE orders ADD COLUMN more int DEFAULT 1",
        "ALTER TABLE orders ALTER COLUMN note TYPE varchar(40)",
        "CREATE INDEX ON orders (lower(note))",
        "CREATE INDEX ON orders ((id + 1), note)",
        "ANALYZE orders",
        "SET default_statistics_target = 1; ANALYZE orders (note)",
        "CREATE INDEX ON orders (lower(note)); ANALYZE orders",
        "ALTER TABLE orders ALTER COLUMN note SET STATISTICS 1000",
        "ALTER TABLE orders ALTER COLUMN note SET (n_distinct = 2)",
        "CREATE STATISTICS of_both ON id, note FROM orders",
        "CREATE TABLE child () INHERITS (orders)",
        "ALTER TABLE orders RENAME TO old; CREATE TABLE orders AS SELECT * FROM old",
        "ALTER TABLE orders RENAME TO old; CREATE VIEW orders AS SELECT * FROM old",
        "DROP TABLE orders",
        "ALTER TABLE orders RENAME TO old; ALTER TABLE never_analyzed RENAME TO orders",
        "ALTER TABLE orders RENAME TO old; ALTER TABLE empty RENAME TO orders",
    ],
)
def test_they_are_not_current_after(connection: psycopg.Connection, statement: str) -> None:
    assert current(connection)
    for step in statement.split("; "):
        connection.execute(step.encode())
    assert not current(connection)


def test_an_expression_that_the_template_knows_is_known(connection: psycopg.Connection) -> None:
    assert are_current(connection, connection, sql.Identifier("public", "named"))


def test_what_was_stored_and_analyzed_long_ago_is_current_still(
    connection: psycopg.Connection,
) -> None:
    for _ in range(50):
        connection.execute("INSERT INTO empty VALUES (1)")  # a transaction each
    assert current(connection)
    connection.execute("VACUUM (FREEZE) orders")
    assert current(connection)


def test_a_table_that_may_not_be_read_counts_as_changed(
    scratch: Scratch, connection: psycopg.Connection
) -> None:
    role = scratch.role()
    database = connection.info.dbname
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
            sql.Identifier(database), sql.Identifier(role.name)
        )
    )
    connection.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(role.name)))
    with psycopg.connect(scratch.server.url(database), autocommit=True) as catalog:
        assert are_current(catalog, connection, TABLE) is False
    connection.execute("RESET SESSION AUTHORIZATION")
