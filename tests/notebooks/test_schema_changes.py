"""``%schema_diff``: what has changed in the tables of a real database."""

import psycopg
import pytest

from kit.notebook import places, schema_changes, schema_diff, scratch
from kit.notebook.schema_changes import differences
from pglab.relations import read_relations

TABLES = """
CREATE TYPE mood AS ENUM ('ok', 'sad');
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, mood mood);
CREATE TABLE tracks (id int PRIMARY KEY, author int);
"""


@pytest.fixture
def lab(tracker_url):
    with scratch() as made:
        schema_changes.forget()
        places.use(made)
        with psycopg.connect(made.url, autocommit=True) as connection:
            connection.execute(TABLES)
        yield made


@pytest.fixture
def diff(lab):
    """Differences that a statement makes."""

    def of(statement):
        with psycopg.connect(lab.url, autocommit=True) as connection:
            before = read_relations(connection)
            connection.execute(statement)
            return differences(before, read_relations(connection))

    return of


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("CREATE VIEW v AS SELECT 1 AS n", [("+", "v", "view with n integer")]),
        ("DROP TABLE tracks", [("-", "tracks", "table")]),
        (
            "ALTER TABLE users ADD name varchar(9) NOT NULL DEFAULT 'x'",
            [("+", "users", "column name varchar(9) NOT NULL DEFAULT 'x'::varchar")],
        ),
        ("ALTER TABLE users DROP mood", [("-", "users", "column mood")]),
        (
            "ALTER TABLE users ALTER email TYPE varchar(99)",
            [("~", "users", "column email: text NOT NULL → varchar(99) NOT NULL")],
        ),
        (
            "ALTER TYPE mood ADD VALUE 'new'",
            [("~", "users", "column mood: mood (ok, sad) → mood (ok, sad, new)")],
        ),
        ("CREATE INDEX i ON users (lower(email))", [("+", "users", "index i (lower(email))")]),
        (
            "CREATE UNIQUE INDEX i ON users (email) WHERE id > 0",
            [("+", "users", "unique i (email) WHERE (id > 0)")],
        ),
        (
            "ALTER TABLE tracks ADD FOREIGN KEY (author) REFERENCES users ON DELETE CASCADE",
            [
                (
                    "+", "tracks",
                    "foreign key tracks_author_fkey (author) → users (id) ON DELETE CASCADE",
                )
            ],
        ),
        (
            "ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0) NOT VALID",
            [("+", "users", "rule c CHECK ((id > 0)) (not valid)")],
        ),
        ("ALTER TABLE users ENABLE ROW LEVEL SECURITY", [("+", "users", "row-level security on")]),
        ("INSERT INTO tracks VALUES (1)", []),
        ("ALTER TABLE users RENAME email TO mail", [
            ("+", "users", "column mail text NOT NULL"), ("-", "users", "column email"),
        ]),
    ],
)  # fmt: skip
def test_each_change_is_told(diff, statement, found):
    assert diff(statement) == found


def test_validating_a_rule_is_a_change(diff):
    diff("ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0) NOT VALID")
    assert diff("ALTER TABLE users VALIDATE CONSTRAINT c") == [
        ("~", "users", "rule c: CHECK ((id > 0)) (not valid) → CHECK ((id > 0))")
    ]


def test_the_first_look_remembers_and_the_next_one_tells(lab):
    assert schema_diff().text.startswith("Remembered.")
    assert schema_diff().text == "The schema is the same."
    with psycopg.connect(lab.url, autocommit=True) as connection:
        connection.execute("DROP TABLE tracks")
    assert "tracks  - gone  table" in schema_diff().text
    assert schema_diff().text == "The schema is the same."


def test_two_databases_can_be_compared(lab):
    with scratch() as empty:
        assert "users   + new  table with id integer NOT NULL" in schema_diff(empty, lab).text
        assert "users   - gone  table" in schema_diff(lab, empty).text
        assert schema_diff(lab, lab).text == "The schema is the same."


def test_the_magic_takes_names_of_the_notebook(notebook):
    notebook.run("lab = scratch()", "%schema_diff --on lab", "%sql SELECT 1")
    notebook.run("%use lab", "%sql CREATE TABLE t (n int)")
    assert "t      + new  table with n integer" in notebook.run("%schema_diff").result.text
    notebook.run("empty = scratch()")
    assert "+ new" in notebook.run("%schema_diff empty lab").result.text
    assert "- gone" in notebook.run("%schema_diff lab empty").result.text
    notebook.run("lab.drop(); empty.drop()")
