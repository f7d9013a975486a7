"""The catalog is believed, and nothing that only looks like a table or a rule."""

from __future__ import annotations

import psycopg
import pytest

from grader.judge import Judge
from grader.results import Reason
from pglab.relations import read_relations
from tests.grader.courses import TOML
from tests.grader.examining import Examine, failed

TABLES = TOML + 'privileges = "tables"\n'
HEAD = "from sqlalchemy import text\n\n\n"
BUILD = HEAD + "def build(session):\n    session.execute(text('''{}'''))\n"

SQL_ONE = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN address AS varchar(80) CHECK (VALUE LIKE '%@%');
CREATE DOMAIN home_address AS address NOT NULL;
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email varchar(254) NOT NULL,
    mood mood NOT NULL DEFAULT 'sad',
    home home_address, work address,
    price numeric(10, 2) CONSTRAINT price_is_positive CHECK (price > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    shout text GENERATED ALWAYS AS (upper(email)) STORED,
    tags text[]
);
CREATE UNIQUE INDEX one_address ON users (email);
CREATE UNIQUE INDEX one_lower ON users (lower(email));
CREATE UNIQUE INDEX one_sad ON users (work) WHERE mood = 'sad';
CREATE INDEX recent ON users (created_at DESC, email) INCLUDE (price);
CREATE TABLE tracks (id uuid PRIMARY KEY, owner_id bigint REFERENCES users ON DELETE SET NULL);
CREATE TABLE enrollments (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE RESTRICT,
    track_id uuid NOT NULL REFERENCES tracks DEFERRABLE INITIALLY DEFERRED,
    note text,
    UNIQUE NULLS NOT DISTINCT (track_id, user_id)
)
"""


def build(statements: str) -> str:
    """A submission that makes these tables."""
    return BUILD.format(statements.replace(":", "\\\\:"))


def test_columns_tell_type_size_default_and_whether_they_may_be_empty(examine: Examine) -> None:
    check = """
def test_it(student, schema):
    student.call("build")
    users = schema.table("users")
    email, mood, home, work = map(users.column, ("email", "mood", "home", "work"))
    assert (email.type, email.base_type, email.size, email.nullable) == (
        "character varying(254)", "character varying", 254, False)
    assert (mood.type, mood.values, mood.default) == (
        "public.mood", ("sad", "glad"), "'sad'::public.mood")
    assert (home.base_type, home.size, home.nullable) == ("character varying", 80, False)
    assert (work.type, work.nullable, work.fills_itself) == ("public.address", True, False)
    assert users.column("id").identity and users.column("id").fills_itself
    assert users.column("shout").generated and users.column("shout").default is None
    assert users.column("price").type == "numeric(10,2)"
    assert users.column("price").base_type == "numeric"
    assert users.column("tags").base_type == "text[]"
    assert users.column("created_at").base_type == "timestamp with time zone"
    assert users.column("created_at").default == "now()"
"""
    assert examine(check, build(SQL_ONE), toml=TABLES).earned == 2


def test_keys_indexes_and_foreign_keys_are_told(examine: Examine) -> None:
    check = """
def test_it(student, schema):
    student.call("build")
    users, links = schema.table("users"), schema.table("enrollments")
    assert users.primary_key == ("id",) and links.primary_key == ()
    assert users.is_unique("email") and users.is_unique("id")
    assert not users.is_unique("work") and not users.is_unique("lower(email)")
    assert links.is_unique("user_id", "track_id") and links.is_unique("track_id", "user_id")
    assert not links.is_unique("user_id")
    assert not links.uniques[0].nulls_distinct
    (to_user,) = links.references("users")
    assert (to_user.on_delete, to_user.on_update) == ("CASCADE", "RESTRICT")
    (to_track,) = links.references("tracks", "track_id")
    assert to_track.deferrable and to_track.on_delete == "NO ACTION"
    assert links.references("tracks", "user_id") == ()
    assert [table.name for table in schema.tables_between("users", "tracks")] == ["enrollments"]
    assert users.checks[0].expression == "CHECK ((price > (0)::numeric))"
    assert users.checks[0].columns == ("price",) and users.checks[0].holds
    recent = users.index_on("created_at")
    assert recent.columns == ("created_at", "email") and recent.include == ("price",)
    assert users.index_on("work") is None
    partial = next(index for index in users.uniques if index.name == "one_sad")
    assert partial.where == "(mood = 'sad'::public.mood)"
    assert [i.columns for i in users.indexes if i.expressions] == [("lower(email::text)",)]
    assert set(schema.tables) == {"users", "tracks", "enrollments", "notes"}
"""
    assert examine(check, build(SQL_ONE), toml=TABLES).earned == 2


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ("SELECT 1", "There is no table users in the schema public."),
        ("CREATE TABLE user_ (id int)", "There is no table users in the schema public, only user_"),
        ('CREATE TABLE "Users" (id int)', "public, only Users."),
        (
            "CREATE TABLE hidden (id int); CREATE VIEW users AS SELECT * FROM hidden",
            "users is a view. It holds no rows of its own, so it can keep no rule about them.",
        ),
        ("CREATE MATERIALIZED VIEW users AS SELECT 1 AS id", "users is a materialized view."),
        ("CREATE TEMPORARY TABLE users (id int PRIMARY KEY)", "users is a temporary table: "),
    ],
)
def test_what_is_no_ordinary_table_is_told_and_not_believed(
    examine: Examine, statements: str, told: str
) -> None:
    check = """
def test_it(student, schema):
    student.call("build")
    schema.table("users")
"""
    assert told in failed(examine(check, build(statements), toml=TABLES))


def test_a_table_in_another_schema_on_the_search_path_is_not_the_table(examine: Examine) -> None:
    # An author's schema stands for one that a server with other rights would let a student make.
    made = "CREATE TABLE hers.users (id int PRIMARY KEY)"
    schema = "RESET ROLE; CREATE SCHEMA hers; GRANT ALL ON SCHEMA hers TO kit_author"
    check = """
def test_it(student, schema):
    student.call("build")
    schema.table("users")
"""
    told = failed(examine(check, build(made), toml=TABLES, schema=schema))
    assert told.startswith("users is in the schema hers, and not in public")


def test_a_missing_column_is_told_with_the_one_that_may_be_meant(examine: Examine) -> None:
    check = """
def test_it(student, schema):
    schema.table("notes").column("bdy")
"""
    assert failed(examine(check)) == "The table notes has no column bdy, only body."


RULES = """
def test_it(student, schema):
    student.call("build")
    posts = schema.table("posts")
    assert posts.references("users"), "no key"
    assert any(check.holds for check in posts.checks), "no check"
    assert posts.is_unique("slug"), "not unique"
"""
USERS = "CREATE TABLE users (id int PRIMARY KEY); "
POSTS = "CREATE TABLE posts (user_id int REFERENCES users, slug text UNIQUE, n int CHECK (n > 0))"


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (USERS + POSTS, None),
        (
            USERS + "CREATE TABLE posts (user_id int, slug text, n int); "
            "ALTER TABLE posts ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID; "
            "ALTER TABLE posts VALIDATE CONSTRAINT posts_user_id_fkey; "
            "ALTER TABLE posts ADD CHECK (n > 0); CREATE UNIQUE INDEX ON posts (slug)",
            None,
        ),
        (
            USERS + "CREATE TABLE posts (user_id int, slug text UNIQUE, n int CHECK (n > 0)); "
            "ALTER TABLE posts ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID",
            "no key",
        ),
        (USERS + POSTS.replace("REFERENCES users", "REFERENCES users NOT ENFORCED"), "no key"),
        (USERS + POSTS.replace("(n > 0)", "(n > 0) NOT ENFORCED"), "no check"),
        (USERS + POSTS.replace("UNIQUE", "") + "; CREATE INDEX ON posts (slug)", "not unique"),
        (
            USERS + POSTS.replace("UNIQUE", "") + "; CREATE UNIQUE INDEX ON posts (slug) "
            "WHERE n > 5",
            "not unique",
        ),
    ],
)
def test_rules_that_do_not_hold_are_not_believed(
    examine: Examine, statements: str, told: str | None
) -> None:
    result = examine(RULES, build(statements), toml=TABLES)
    if told is None:
        assert result.earned == 2, result.failure
    else:
        assert failed(result) == told


def test_a_unique_index_that_could_not_be_built_keeps_nothing_apart(examine: Examine) -> None:
    answer = """
from sqlalchemy import text

def build(session):
    session.execute(text("INSERT INTO notes (body) VALUES ('a'), ('a')"))
    session.commit()
    with session.get_bind().connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        try:
            c.execute(text("CREATE UNIQUE INDEX CONCURRENTLY one_body ON notes (body)"))
        except Exception:
            pass
"""
    check = """
def test_it(student, schema):
    student.call("build")
    notes = schema.table("notes")
    (broken,) = [index for index in notes.indexes if index.name == "one_body"]
    assert broken.unique and not broken.valid and broken not in notes.uniques
    assert notes.is_unique("body"), "nothing keeps them apart"
"""
    assert failed(examine(check, answer, toml=TABLES)) == "nothing keeps them apart"


@pytest.mark.parametrize(
    ("then", "earned"), [("", 2), ("RESET ROLE; ALTER TABLE b DISABLE TRIGGER ALL", 0)]
)
def test_a_foreign_key_whose_triggers_are_disabled_does_not_hold(
    examine: Examine, then: str, earned: int
) -> None:
    schema = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a_id int REFERENCES a); "
    check = """
def test_it(schema):
    assert len(schema.table("b").foreign_keys) == 1
    assert schema.table("b").references("a"), "nothing looks"
"""
    result = examine(check, schema=schema + then)
    assert result.earned == earned
    if not earned:
        assert failed(result) == "nothing looks"


def test_not_null_that_was_never_validated_lets_null_in(examine: Examine) -> None:
    schema = "CREATE TABLE a (n int, m int NOT NULL); "
    late = "ALTER TABLE a ADD CONSTRAINT has_n NOT NULL n NOT VALID"
    check = """
def test_it(schema):
    assert schema.table("a").column("n").nullable and not schema.table("a").column("m").nullable
"""
    assert examine(check, schema=schema + late).earned == 2


def test_triggers_rules_and_policies_are_told(examine: Examine) -> None:
    schema = """
CREATE TABLE a (n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER eats BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
CREATE TRIGGER sleeps BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE a DISABLE TRIGGER sleeps;
CREATE RULE nothing AS ON DELETE TO a DO INSTEAD NOTHING;
CREATE POLICY mine ON a USING (n > 0);
"""
    check = """
def test_it(schema):
    a = schema.table("a")
    assert [(t.name, t.enabled) for t in a.triggers] == [("eats", True), ("sleeps", False)]
    assert a.relation.rules == ("nothing",) and a.relation.policies == ("mine",)
    assert not a.relation.row_security
"""
    assert examine(check, schema=schema).earned == 2


def test_a_type_that_calls_itself_text_is_not_text(examine: Examine) -> None:
    made = "CREATE DOMAIN public.text AS integer; CREATE TABLE users (email public.text)"
    check = """
def test_it(student, schema):
    student.call("build")
    email = schema.table("users").column("email")
    assert (email.type, email.base_type) == ("public.text", "integer")
    assert email.type == "text", "not text"
"""
    assert failed(examine(check, build(made), toml=TABLES)) == "not text"


def test_thousands_of_tables_are_a_limit_and_no_trouble(examine: Examine) -> None:
    made = "DO $d$ BEGIN FOR n IN 1..2001 LOOP EXECUTE format($q$CREATE VIEW v%s AS SELECT 1$q$, n)"
    answer = BUILD.format(f"{made}; END LOOP; END $d$")
    check = """
def test_it(student, schema):
    student.call("build")
    schema.table("users")
"""
    result = examine(check, answer, toml=TABLES.replace("seconds = 5", "seconds = 30"))
    assert "more tables" in failed(result, Reason.LIMIT)


def test_what_is_read_is_the_same_whatever_the_search_path_is(judge: Judge) -> None:
    template = judge.scratch.template("relations of a test", _build)
    database = judge.scratch.clone(template)
    try:
        with psycopg.connect(database.url) as connection:
            connection.execute("SET search_path = ''")
            first = read_relations(connection)
            connection.execute("SET search_path = public")
            second = read_relations(connection)
    finally:
        database.drop()
    assert [relation.name for relation in first] == ["a", "b", "b_1"]
    assert [relation.partition for relation in first] == [False, False, True]
    assert [len(relation.foreign_keys) for relation in first] == [0, 1, 1]
    assert [r.primary_key for r in first] == [r.primary_key for r in second] == [("id",), (), ()]


def _build(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE a (id int PRIMARY KEY) PARTITION BY RANGE (id);"
            "CREATE TABLE b (a_id int REFERENCES a) PARTITION BY RANGE (a_id);"
            "CREATE TABLE b_1 PARTITION OF b FOR VALUES FROM (1) TO (9)"
        )
