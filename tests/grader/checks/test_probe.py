"""Rows are probed on PostgreSQL itself: what it takes, what it refuses, and what a delete eats."""

from __future__ import annotations

import pytest

from grader import delegate
from grader.results import CheckResult, Reason
from tests.grader.courses import SOLUTION, TOML
from tests.grader.examining import Examine, failed

TABLES = TOML + 'privileges = "tables"\n'
USERS = "CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text{})"
TWICE = """
def test_it(student, probe):
    student.call("build")
    probe.accepts("users", {"email": "ada@example.org"})
    probe.refuses("users", {"email": "ada@example.org"}, {"email": "ada@example.org"},
                  sqlstate="23505", because="Whose password is reset?")
"""


INSERTS = """
def test_it(student, db):
    student.call("build")
    db.insert("users", {"email": "ada"})
"""


def building(statements: str) -> str:
    """A submission that makes these tables."""
    escaped = statements.replace("%", "%%")
    return f"def build(session):\n    session.connection().exec_driver_sql({escaped!r})\n"


def passed(result: CheckResult) -> bool:
    assert result.failure is None, result.failure
    return result.earned == 2


@pytest.mark.parametrize(
    "statements",
    [
        USERS.format(" NOT NULL UNIQUE"),
        USERS.format("") + "; CREATE UNIQUE INDEX ON users (email)",
        USERS.format("") + "; CREATE UNIQUE INDEX ON users (lower(email))",
        USERS.format(", EXCLUDE (email WITH =)"),
        USERS.format(" UNIQUE DEFERRABLE INITIALLY DEFERRED"),
    ],
)
def test_a_second_row_is_refused_by_whatever_rule_keeps_rows_apart(
    examine: Examine, statements: str
) -> None:
    assert passed(examine(TWICE, building(statements), toml=TABLES))


TRIGGER = """
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {} RETURN NEW; END $$;
CREATE TRIGGER guard BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION guard()
"""
EXISTS = "IF EXISTS (SELECT FROM users WHERE email = NEW.email) THEN {} END IF;"
AS_UNIQUE = "RAISE unique_violation USING CONSTRAINT = 'users_email_key', TABLE = 'users';"
AUX = "; CREATE TABLE taken (email text PRIMARY KEY)"


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (USERS.format(""), "users: PostgreSQL accepted the row email = 'ada@example.org': no rule"),
        (
            USERS.format(" UNIQUE NOT NULL CHECK (email LIKE '%@%.com')"),
            "users: PostgreSQL refused a row with email = 'ada@example.org', and it should accept",
        ),
        (
            USERS.format("") + ";" + TRIGGER.format(EXISTS.format("RAISE 'taken';")),
            "It was a function that refused, and not a rule of the table.",
        ),
        (
            USERS.format("") + ";" + TRIGGER.format(EXISTS.format(AS_UNIQUE)),
            "It was a function that refused, and not a rule of the table.",
        ),
        (
            USERS.format("") + AUX + ";" + TRIGGER.format("INSERT INTO taken VALUES (NEW.email);"),
            "It was a function that refused, and not a rule of the table.",
        ),
        (
            USERS.format("") + ";" + TRIGGER.format("RETURN NULL;"),
            "PostgreSQL said yes to a row with email = 'ada@example.org', and stored nothing.",
        ),
        (
            USERS.format("")
            + ";"
            + TRIGGER.format(
                "IF session_user <> current_user THEN RAISE unique_violation; END IF;"
            ),
            "and it should accept that",
        ),
        (
            USERS.format("") + "; CREATE RULE r AS ON INSERT TO users DO INSTEAD NOTHING",
            "users has a rewrite rule (r)",
        ),
        (
            "CREATE TABLE hidden (email text UNIQUE); CREATE VIEW users AS TABLE hidden",
            "users is a view.",
        ),
    ],
)
def test_what_only_looks_like_a_rule_is_told(examine: Examine, statements: str, told: str) -> None:
    assert told in failed(examine(TWICE, building(statements), toml=TABLES))


def test_a_failure_says_what_was_expected_what_came_and_why_it_matters(examine: Examine) -> None:
    failure = examine(TWICE, building(USERS.format("")), toml=TABLES).failure
    assert failure is not None
    assert failure.message.endswith("refused it. Whose password is reset?")
    assert (
        failure.question == "Which values may appear only once, and where does the database "
        "learn that?"
    )
    assert failure.expected == "refused with 23505 (UniqueViolation)"
    assert failure.actual == "accepted"


def test_a_login_of_the_judges_is_called_student_in_what_is_reported(examine: Examine) -> None:
    tells = "RAISE 'not you, %', session_user;"
    made = USERS.format("") + ";" + TRIGGER.format(tells)
    failure = examine(TWICE, building(made), toml=TABLES).failure
    assert failure is not None
    assert failure.actual == "refused with P0001 (RaiseException): not you, student"


def test_a_trigger_will_do_where_the_check_says_so(examine: Examine) -> None:
    check = """
def test_it(student, probe):
    student.call("build")
    told = probe.refuses("users", {"email": "a"}, {"email": "a"}, by_code=True)
    assert told.by_code and told.sqlstate == "P0001"
"""
    guarded = USERS.format("") + ";" + TRIGGER.format(EXISTS.format("RAISE 'taken';"))
    assert passed(examine(check, building(guarded), toml=TABLES))


PRICES = """
def test_it(student, probe):
    student.call("build")
    probe.accepts("tracks", {"price": 0})
    told = probe.refuses("tracks", {"price": -1}, sqlstate="23514")
    assert told.columns == {"price"}
"""
EXTENDED = """
CREATE TYPE level AS ENUM ('easy', 'hard');
CREATE DOMAIN slug AS text CHECK (VALUE ~ '^[a-z]+$');
CREATE TABLE authors (id uuid PRIMARY KEY, name varchar(3) NOT NULL UNIQUE);
CREATE TABLE tracks (
    id int PRIMARY KEY, price numeric CHECK (price >= 0),
    slug slug NOT NULL UNIQUE, level level NOT NULL, made timestamptz NOT NULL,
    on_day date NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'published')),
    stars smallint NOT NULL CHECK (stars BETWEEN 3 AND 5), tags text[] NOT NULL,
    meta jsonb NOT NULL, author uuid NOT NULL REFERENCES authors, code char(2) NOT NULL,
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'), blob bytea NOT NULL,
    home text NOT NULL CHECK (home LIKE 'https://%'), took interval NOT NULL, ok boolean NOT NULL,
    a int, b int, CHECK (num_nonnulls(a, b) > 0), CHECK (cardinality(tags) > 0),
    starts date NOT NULL, ends date NOT NULL, CHECK (ends > starts)
)
"""


def test_columns_that_the_exercise_does_not_know_of_get_plausible_values(examine: Examine) -> None:
    assert passed(examine(PRICES, building(EXTENDED), toml=TABLES))


def test_a_rule_may_be_written_as_another_that_says_the_same(examine: Examine) -> None:
    check = """
def test_it(student, probe):
    student.call("build")
    user = probe.row("users", email="a")
    probe.row("orders", user_id=user["id"])
    probe.refuses("users", {"email": None}, sqlstate="23502")
    probe.deletes("users", {"id": user["id"]}, refused="23503")
"""
    made = (
        "CREATE TABLE users (id int PRIMARY KEY, email text CHECK (email IS NOT NULL)); "
        "CREATE TABLE orders (user_id int REFERENCES users ON DELETE RESTRICT)"
    )
    assert passed(examine(check, building(made), toml=TABLES))


def test_a_rule_about_other_columns_is_not_the_refusal_asked_for(examine: Examine) -> None:
    made = "CREATE TABLE tracks (price int, name text NOT NULL CHECK (name ~ '^[A-Z]{2}$'))"
    told = failed(examine(PRICES, building(made), toml=TABLES))
    assert told.startswith("tracks: PostgreSQL accepted the row price = -1: no rule of the table ")


def test_a_refusal_with_another_code_is_told_with_both(examine: Examine) -> None:
    made = "CREATE DOMAIN whole AS int; CREATE TABLE tracks (price smallint CHECK (price <> -1))"
    check = PRICES.replace("-1", "-99999")
    failure = examine(check, building(made), toml=TABLES).failure
    assert failure is not None
    assert "refused, but for another reason" in failure.message
    assert failure.expected == "refused with 23514 (CheckViolation)"
    assert failure.actual.startswith("refused with 22003 (NumericValueOutOfRange): smallint out of")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (
            "CREATE TABLE tracks (price int, n int NOT NULL CHECK (n * n = 2))",
            "tracks has a rule about n, which the exercise does not mention, and no row that this",
        ),
        (
            "CREATE TYPE pair AS (a int, b int); CREATE TABLE tracks (price int, p pair NOT NULL)",
            "tracks.p must have a value, has no default, and is of a type of which this check",
        ),
        (
            "CREATE TABLE tracks (id int PRIMARY KEY, price int, next int NOT NULL "
            "REFERENCES tracks)",
            "tracks must point to another row by next, that row to a third, and so on without end",
        ),
        (
            "CREATE TABLE o (id int PRIMARY KEY CHECK (id * id = 2)); "
            "CREATE TABLE tracks (price int, o int NOT NULL REFERENCES o)",
            "o has a rule about id, which the exercise does not mention",
        ),
    ],
)
def test_a_column_that_nobody_can_fill_is_told_by_name(
    examine: Examine, made: str, told: str
) -> None:
    assert failed(examine(PRICES, building(made), toml=TABLES)).startswith(told)


def test_a_check_that_is_not_enforced_is_named_where_it_let_a_row_in(examine: Examine) -> None:
    made = "CREATE TABLE tracks (price int CONSTRAINT positive CHECK (price >= 0) NOT ENFORCED)"
    told = failed(examine(PRICES, building(made), toml=TABLES))
    assert told.endswith("There is positive, but it is not enforced.")


CASCADE = """
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL);
CREATE TABLE enrollments (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users {});
CREATE TABLE payments (id int PRIMARY KEY, user_id int REFERENCES users {})
"""
DELETES = """
def test_it(student, probe, db):
    student.call("build")
    user = probe.row("users")
    probe.row("enrollments", user_id=user["id"])
    probe.row("payments", user_id=user["id"])
    lost = probe.deletes("users", {"id": user["id"]}, because="A payment is a fact.")
    assert db.count("users") == 1
    assert lost == {"users": 1, "enrollments": 1}, f"lost: {sorted(lost)}"
    probe.deletes("users", {"id": user["id"]}, keep=True)
    assert db.rows("users") == [] and db.rows("payments")[0]["user_id"] is None
"""


@pytest.mark.parametrize(
    ("enrollments", "payments", "told"),
    [
        ("ON DELETE CASCADE", "ON DELETE SET NULL", None),
        ("ON DELETE CASCADE", "ON DELETE CASCADE", "lost: ['enrollments', 'payments', 'users']"),
        (
            "ON DELETE CASCADE",
            "",
            "users: PostgreSQL refused the deletion of the rows with id = 1, and it should accept",
        ),
    ],
)
def test_what_a_delete_takes_along_is_counted(
    examine: Examine, enrollments: str, payments: str, told: str | None
) -> None:
    result = examine(DELETES, building(CASCADE.format(enrollments, payments)), toml=TABLES)
    if told is None:
        assert passed(result)
    else:
        assert failed(result).startswith(told)


KEEPS = """
def test_it(student, probe):
    student.call("build")
    user = probe.row("users")
    probe.row("payments", user_id=user["id"])
    probe.deletes("users", {"id": user["id"]}, refused="23503")
    probe.updates("users", {"id": user["id"]}, {"email": None}, refused="23502")
    (changed,) = probe.updates("users", {"id": user["id"]}, {"email": "new"})
    assert changed["email"] == "new"
"""


def test_updates_and_deletes_may_have_to_be_refused(examine: Examine) -> None:
    assert passed(examine(KEEPS, building(CASCADE.format("", "")), toml=TABLES))


def test_rows_that_should_be_kept_are_told_where_they_are_eaten(examine: Examine) -> None:
    eaten = building(CASCADE.format("", "ON DELETE CASCADE"))
    assert failed(examine(KEEPS, eaten, toml=TABLES)).startswith("users: PostgreSQL accepted")
    loose = building(CASCADE.format("", "").replace("email text NOT NULL", "email text"))
    assert "email = None" in failed(examine(KEEPS, loose, toml=TABLES))


def test_a_delete_that_a_trigger_swallows_is_told(examine: Examine) -> None:
    made = (
        CASCADE.format("", "")
        + ";"
        + TRIGGER.format("RETURN NULL;").replace("INSERT ON", "DELETE ON")
    )
    told = failed(examine(KEEPS, building(made), toml=TABLES))
    assert "no row was there, or no row changed" in told


def test_probes_leave_nothing_and_are_not_counted_as_the_students(examine: Examine) -> None:
    check = """
def test_it(student, probe, statements, db):
    student.call("add_note", "one")
    sent = statements.last.count
    probe.accepts("notes", {"body": "two"})
    probe.refuses("notes", {"body": None}, sqlstate="23502")
    stored = probe.row("notes", body="three")
    assert stored["pinned"] is False
    assert statements.last.count == sent == 1
    student.call("add_note", "four")
    assert [s.kind for s in statements.last] == ["INSERT"]
    assert [row["body"] for row in db.rows("notes", order_by="id")] == ["one", "three", "four"]
"""
    assert passed(examine(check, SOLUTION))


def test_a_probe_has_the_students_rights_and_no_others(examine: Examine) -> None:
    schema = (
        "CREATE TABLE notes (id int PRIMARY KEY, body text);"
        "CREATE TABLE marks (n int); CREATE FUNCTION forbid() RETURNS void LANGUAGE sql AS"
        " 'REVOKE ALL ON public.marks FROM kit_student' SECURITY DEFINER"
    )
    answer = "def build(session):\n    session.connection().exec_driver_sql('SELECT forbid()')\n"
    check = """
def test_it(student, probe):
    told = probe.refuses("notes", {"id": 1, "nothing": 2}, sqlstate="42703")
    assert told.message == 'column "nothing" of relation "notes" does not exist'
    probe.accepts("marks", {"n": 1})
    student.call("build")
    assert probe.refuses("marks", {"n": 1}, sqlstate="42501").sqlstate == "42501"
"""
    assert passed(examine(check, answer, schema=schema))


TROJAN = """
CREATE FUNCTION trojan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SET ROLE NONE;
    EXECUTE format('ALTER ROLE %I PASSWORD ''known''', session_user);
    PERFORM set_config('statement_timeout', '0', false);
    INSERT INTO found VALUES (session_user, current_setting('is_superuser'),
        pg_has_role(session_user, 'pg_read_all_data', 'MEMBER'));
    RETURN NEW;
END $$;
CREATE TABLE found (login text, super text, reads boolean);
GRANT ALL ON found TO PUBLIC;
CREATE TRIGGER trojan BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION trojan()
"""


def test_code_that_waits_in_a_table_gains_nothing_by_a_probe(examine: Examine) -> None:
    answer = (
        building(TROJAN)
        + """
def log_in(session, login):
    import psycopg
    url = session.get_bind().url
    try:
        psycopg.connect(host=url.query.get("host") or url.host, port=url.port,
                        dbname=url.database, user=login, password="known").close()
    except psycopg.OperationalError as error:
        return str(error)
    return "in"
"""
    )
    check = """
def test_it(student, probe, db):
    student.call("build")
    probe.row("notes", body="one")
    (found,) = db.rows("found")
    assert (found["super"], found["reads"]) == ("off", False)
    said = student.call("log_in", found["login"])
    assert "too many connections" in said, said
    probe.row("notes", body="two")
"""
    assert passed(examine(check, answer, toml=TABLES))


HOLDS = """
def test_it(student, rivals):
    student.call("build")
    with rivals.holding("INSERT INTO public.users (email) VALUES ('ada@example.org')"):
        pass
"""
FOREVER = "LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "trap", "told"),
    [
        (
            TWICE,
            "PERFORM set_config('statement_timeout', '0', false); "
            "LOOP PERFORM pg_sleep(1); END LOOP;",
            "did not come to an end; it was stopped",
        ),
        (TWICE, FOREVER, "or never came to an end"),
        (INSERTS, FOREVER, "or never came to an end"),
        (HOLDS, FOREVER, "or never came to an end"),
        (
            TWICE,
            "SET ROLE NONE; PERFORM pg_terminate_backend(pg_backend_pid());",
            "ended the session that wrote to them",
        ),
    ],
)
def test_a_trap_for_those_who_write_holds_nobody(
    examine: Examine, monkeypatch: pytest.MonkeyPatch, check: str, trap: str, told: str
) -> None:
    monkeypatch.setattr(delegate, "PATIENCE_S", 6.0)
    made = USERS.format("") + ";" + TRIGGER.format(trap)
    assert told in failed(examine(check, building(made), toml=TABLES), Reason.LIMIT)


def test_a_table_whose_rows_nobody_can_count_is_told(examine: Examine) -> None:
    hidden = CASCADE.format("ON DELETE CASCADE", "ON DELETE CASCADE") + (
        "; ALTER TABLE payments ENABLE ROW LEVEL SECURITY"
        "; ALTER TABLE payments FORCE ROW LEVEL SECURITY"
        "; CREATE POLICY all_in ON payments USING (true)"
    )
    told = failed(examine(DELETES, building(hidden), toml=TABLES))
    assert told.startswith("Not all rows of payments can be seen")


def test_a_refusal_in_a_cascade_is_a_rules_even_where_there_are_triggers(
    examine: Examine,
) -> None:
    check = """
def test_it(student, probe):
    student.call("build")
    user = probe.row("users", email="a")
    order = probe.row("orders", user_id=user["id"])
    probe.row("bills", order_id=order["id"])
    probe.deletes("users", {"id": user["id"]}, refused="23503")
"""
    made = (
        USERS.format("") + "; CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users"
        " ON DELETE CASCADE); CREATE TABLE bills (order_id int REFERENCES orders);"
    )
    assert passed(examine(check, building(made + TRIGGER.format("")), toml=TABLES))


def test_rows_that_author_and_check_put_into_a_students_table_are_not_counted_as_the_students(
    examine: Examine,
) -> None:
    check = """
def test_it(student, db, statements):
    student.call("build")
    db.insert("users", {"email": "ada"})
    student.call("build_more")
    assert [s.kind for s in statements.last] == ["CREATE TABLE"], statements.last.texts
"""
    answer = building(USERS.format("")) + building("CREATE TABLE b (id int)").replace(
        "def build", "def build_more"
    )
    assert passed(examine(check.replace('"CREATE TABLE"', '"CREATE"'), answer, toml=TABLES))


ASKING = """
def test_it(student, probe):
    student.call("build")
    ada, nobody = {"email": "ada@example.org"}, {"email": None}
    refused = probe.refusal("users", ada, ada)
    assert (refused.sqlstate, refused.by_code) == ("23505", False)
    assert probe.refusal("users", nobody, nobody) is None
    assert probe.refusal("users", ada) is None, "a probe stays until the next one"
    probe.refusal("users", ada, ada, nobody, because="Whose is it?")
"""


def test_a_check_may_ask_what_is_refused_and_judge_it_itself(examine: Examine) -> None:
    told = failed(examine(ASKING, building(USERS.format(" UNIQUE")), toml=TABLES))
    assert told.endswith("it should accept that. Whose is it?")
