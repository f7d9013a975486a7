"""The catalog tells the same of tables on every version and by whatever search path."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from pglab import relations
from pglab.relations import Relation, RelationsReader, TooManyRelations, read_relations
from pglab.scratch import Scratch
from pglab.servers import Server

TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN address AS varchar(80) CHECK (VALUE LIKE '%@%');
CREATE DOMAIN home AS address NOT NULL DEFAULT 'a@b';
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, home home, code char(3) NOT NULL,
    mood mood DEFAULT 'sad', twice int GENERATED ALWAYS AS (2 * 3) STORED, "Odd name" text,
    gone int
);
ALTER TABLE users DROP COLUMN gone;
CREATE UNIQUE INDEX one_code ON users (code bpchar_pattern_ops) INCLUDE (mood);
CREATE INDEX shout ON users USING hash (upper("Odd name")) WHERE mood = 'sad';
CREATE TABLE links (
    a bigint REFERENCES users ON DELETE CASCADE, b bigint, CHECK (a <> b),
    CONSTRAINT late FOREIGN KEY (b) REFERENCES users ON DELETE SET NULL ON UPDATE CASCADE
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT pair UNIQUE (a, b) DEFERRABLE, EXCLUDE USING hash (b WITH =)
);
ALTER TABLE links ADD CONSTRAINT hollow CHECK (b > 0) NOT VALID;
CREATE TABLE parts (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE to_parts (id int, at date, FOREIGN KEY (id, at) REFERENCES parts);
CREATE UNLOGGED TABLE fast (n int);
CREATE VIEW seen AS SELECT 1 AS n;
CREATE SCHEMA other; CREATE TABLE other.users (n int)
"""


@pytest.fixture
def connection(each_server: Server) -> Iterator[psycopg.Connection]:
    with Scratch(each_server) as scratch:
        database = scratch.clone(scratch.template(f"relations {TABLES}", _build))
        with psycopg.connect(database.url, autocommit=True) as connection:
            yield connection
        database.drop()


def _build(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(TABLES.encode())


def named(connection: psycopg.Connection) -> dict[str, Relation]:
    return {relation.title: relation for relation in read_relations(connection)}


def test_every_kind_of_relation_is_told(connection: psycopg.Connection) -> None:
    connection.execute("CREATE TEMPORARY TABLE mine (n int)")
    found = named(connection)
    temporary = [relation for relation in found.values() if relation.temporary]
    assert [relation.name for relation in temporary] == ["mine"]
    assert not temporary[0].ordinary
    assert found["seen"].kind == "view"
    assert not found["seen"].ordinary
    assert found["fast"].unlogged
    assert found["fast"].ordinary
    assert found["parts"].kind == "partitioned table"
    assert found["parts_1"].partition
    assert found["other.users"].columns[0].name == "n"


def test_columns_are_told_without_those_that_are_gone(connection: psycopg.Connection) -> None:
    columns = {column.name: column for column in named(connection)["users"].columns}
    assert list(columns) == ["id", "home", "code", "mood", "twice", "Odd name"]
    home = columns["home"]
    assert (home.type, home.base_type, home.size) == ("public.home", "character varying", 80)
    assert (home.nullable, home.fills_itself) == (False, True)
    assert (columns["code"].base_type, columns["code"].size) == ("character", 3)
    assert (columns["mood"].values, columns["mood"].nullable) == (("sad", "glad"), True)
    assert columns["twice"].generated
    assert columns["id"].identity


def test_indexes_and_constraints_are_told(connection: psycopg.Connection) -> None:
    found = named(connection)
    indexes = {index.name: index for index in found["users"].indexes}
    assert indexes["one_code"].columns == ("code",)
    assert indexes["one_code"].include == ("mood",)
    assert indexes["one_code"].opclasses[0] == "bpchar_pattern_ops"
    assert indexes["shout"].columns == ('upper("Odd name")',)
    assert indexes["shout"].method == "hash"
    assert indexes["shout"].expressions
    assert indexes["shout"].where == "(mood = 'sad'::public.mood)"
    links = found["links"]
    keys = {key.name: key for key in links.foreign_keys}
    assert keys["links_a_fkey"].on_delete == "CASCADE"
    assert (keys["late"].on_delete, keys["late"].on_update) == ("SET NULL", "CASCADE")
    assert keys["late"].deferrable
    assert all(key.holds for key in keys.values())
    checks = {check.name: check for check in links.checks}
    assert checks["links_check"].columns == ("a", "b")
    assert checks["links_check"].holds
    assert not checks["hollow"].validated
    assert len(links.exclusions) == 1
    assert [(i.name, i.deferrable) for i in links.indexes if i.unique] == [("pair", True)]


def test_a_foreign_key_to_a_partitioned_table_is_one(connection: psycopg.Connection) -> None:
    (key,) = named(connection)["to_parts"].foreign_keys
    assert (key.target, key.target_columns) == ("parts", ("id", "at"))


def test_the_search_path_changes_nothing(connection: psycopg.Connection) -> None:
    connection.execute("SET search_path = public")
    first = read_relations(connection)
    connection.execute("SET search_path = other, pg_temp, public")
    second = read_relations(connection)
    assert first == second
    assert connection.execute("SHOW search_path").fetchone() == ("other, pg_temp, public",)


def test_more_than_anybody_writes_is_refused(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relations, "RELATIONS_READ", 3)
    with pytest.raises(TooManyRelations, match="more than 3"):
        read_relations(connection)


CHANGES = (
    "CREATE TABLE more (n int)",
    "ALTER TABLE more ADD COLUMN m text DEFAULT 'x'",
    "ALTER TABLE more ALTER COLUMN m SET NOT NULL",
    "ALTER TABLE more ALTER COLUMN m DROP DEFAULT",
    "ALTER TABLE more RENAME COLUMN m TO k",
    "ALTER TABLE more ALTER COLUMN k TYPE varchar(9)",
    "CREATE INDEX by_k ON more (k)",
    "ALTER INDEX by_k RENAME TO k_index",
    "INSERT INTO more SELECT n, n::text FROM generate_series(1, 3000) AS s (n)",
    "DROP INDEX k_index; CREATE INDEX k_index ON more (k)",
    "ALTER TABLE links VALIDATE CONSTRAINT hollow",
    "ALTER TABLE more ADD CONSTRAINT positive CHECK (n > 0) NOT VALID",
    "ALTER TABLE links DISABLE TRIGGER ALL",
    "ALTER TYPE mood ADD VALUE 'mad'",
    "ALTER DOMAIN home SET DEFAULT 'b@c'",
    "ALTER DOMAIN home DROP NOT NULL",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER t BEFORE INSERT ON more FOR EACH ROW EXECUTE FUNCTION f()",
    "ALTER FUNCTION f() RENAME TO g",
    "ALTER TABLE more DISABLE TRIGGER t",
    "CREATE RULE r AS ON DELETE TO more DO INSTEAD NOTHING",
    "ALTER TABLE more ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY p ON more USING (true)",
    "ALTER TABLE more SET UNLOGGED",
    "ALTER TABLE parts DETACH PARTITION parts_1",
    "ALTER SCHEMA other RENAME TO others",
    "ALTER TABLE users RENAME TO members",
    "ALTER TABLE others.users SET SCHEMA public",
    "CREATE TEMPORARY TABLE passing (n int)",
    "BEGIN; ALTER TABLE more DROP COLUMN n; ALTER TABLE more ADD COLUMN n int; COMMIT",
    "DROP TABLE more",
)


def test_what_has_changed_is_read_again(connection: psycopg.Connection) -> None:
    reader = RelationsReader()
    before = reader.read(connection)
    for change in CHANGES:
        connection.execute(change)
        now = read_relations(connection)
        assert reader.read(connection) == now, change
        # A function alone is nothing of a table, and an index made anew is the same as before.
        assert now != before or change.startswith(("CREATE FUNCTION", "DROP INDEX")), change
        before = now


def test_what_has_not_changed_is_not_read_again(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = RelationsReader()
    first = reader.read(connection)
    with monkeypatch.context() as patch:
        patch.delattr(relations, "read_relations")
        connection.execute(
            "INSERT INTO users (home, code) SELECT 'a@b', n FROM generate_series(1, 900) AS n"
        )
        again = reader.read(connection)
    assert [each.title for each in again] == [each.title for each in first]
    assert again != first  # the indexes have grown
    assert again == read_relations(connection)


def test_what_changes_while_it_is_read_is_read_again(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where it is changed back: what was read in between was never there as a whole."""
    reader = RelationsReader()

    def disturbed(connection: psycopg.Connection) -> list[Relation]:
        connection.execute("CREATE INDEX passing ON links (b)")
        found = read_relations(connection)
        connection.execute("DROP INDEX passing")
        connection.execute("CREATE INDEX staying ON links (b)")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(relations, "read_relations", disturbed)
        reader.read(connection)
    connection.execute("DROP INDEX staying")
    assert reader.read(connection) == read_relations(connection)


def test_a_reading_that_was_refused_is_no_reading(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = RelationsReader()
    with monkeypatch.context() as patch:
        patch.setattr(relations, "RELATIONS_READ", 1)
        for _ in range(2):
            with pytest.raises(TooManyRelations):
                reader.read(connection)
    assert reader.read(connection) == read_relations(connection)
