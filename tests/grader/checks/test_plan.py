"""Plans are those of what was really sent, on these data, with the student's own rights."""

from __future__ import annotations

import pytest

from grader import delegate
from grader.checks import plan
from grader.results import CheckResult, Outcome, Reason
from tests.grader.courses import TOML
from tests.grader.examining import Examine, failed

TABLES = TOML + 'privileges = "tables"\n'
SCHEMA = """
CREATE TABLE orders (
    id int PRIMARY KEY, user_id int NOT NULL, made timestamptz NOT NULL, note text NOT NULL
);
INSERT INTO orders SELECT n, n % 500, timestamptz '2026-01-01' + n * interval '1 hour', 'x'
    FROM generate_series(1, 5000) n;
"""
ANSWER = """
from sqlalchemy import text

def build(session):
    for statement in {statements!r}:
        session.execute(text(statement))

def dashboard(session, user_id):
    return session.execute(text({query!r}), {{"user": user_id}}).all()
"""
LOOKED_UP = """
def test_it(student, plan):
    student.call("build")
    plan.refresh_statistics()
    rows = student.call("dashboard", 7)
    (seen,) = plan.last(analyze=True)
    assert len(rows) == 10
    assert seen.uses_index(on=("orders", "user_id")), f"removed {seen.rows_removed:g}"
    assert seen.rows_removed == 0 and seen.scans("orders") != ["Seq Scan"]
    assert seen.buffers < 30, seen.buffers
"""
QUERY = "SELECT * FROM orders WHERE user_id = :user ORDER BY made"


def answer(*statements: str, query: str = QUERY) -> str:
    return ANSWER.format(statements=statements, query=query)


def passed(result: CheckResult) -> bool:
    assert result.failure is None, result.failure
    return result.earned == 2


@pytest.mark.parametrize(
    ("index", "told"),
    [
        ("CREATE INDEX ON orders (user_id)", None),
        ("CREATE INDEX ON orders (user_id, made) INCLUDE (note)", None),
        ("SELECT 1", "removed 4990"),
        ("CREATE INDEX ON orders (made)", "removed 4990"),
        ("CREATE INDEX ON orders (user_id) WHERE user_id > 100", "removed 4990"),
    ],
)
def test_an_index_is_used_or_rows_are_thrown_away(
    examine: Examine, index: str, told: str | None
) -> None:
    result = examine(LOOKED_UP, answer(index), toml=TABLES, schema=SCHEMA)
    assert passed(result) if told is None else failed(result) == told


def test_a_function_around_the_column_hides_it_from_the_index(examine: Examine) -> None:
    hidden = answer(
        "CREATE INDEX ON orders (user_id)",
        query="SELECT * FROM orders WHERE abs(user_id) = :user ORDER BY made",
    )
    assert failed(examine(LOOKED_UP, hidden, toml=TABLES, schema=SCHEMA)) == "removed 4990"


def test_settings_of_the_students_session_do_not_bend_the_plan(examine: Examine) -> None:
    bent = """
from sqlalchemy import text

def build(session):
    session.execute(text("CREATE INDEX ON orders (made)"))

def dashboard(session, user_id):
    session.execute(text("SET enable_seqscan = off"))
    return session.execute(text("SELECT * FROM orders WHERE user_id = :u"), {"u": user_id}).all()
"""
    assert failed(examine(LOOKED_UP, bent, toml=TABLES, schema=SCHEMA)) == "removed 4990"


def test_a_cursor_is_planned_with_its_declaration(examine: Examine) -> None:
    cursor = """
from sqlalchemy import text

def build(session):
    session.execute(text("CREATE INDEX by_user ON orders (user_id)"))

def dashboard(session, user_id):
    options = {"stream_results": True, "yield_per": 5}
    query = text("SELECT * FROM orders WHERE user_id = :user")
    return session.execute(query, {"user": user_id}, execution_options=options).all()
"""
    assert passed(examine(LOOKED_UP, cursor, toml=TABLES, schema=SCHEMA))


def test_statements_without_a_plan_are_left_out_and_writes_are_rolled_back(
    examine: Examine,
) -> None:
    writes = """
from sqlalchemy import text

def work(session):
    session.execute(text("DELETE FROM orders WHERE id = :id"), {"id": 1})
    session.execute(text("CREATE TEMPORARY TABLE t (n int)"))
    session.execute(text("UPDATE orders SET note = :n WHERE user_id = :u"), {"n": None, "u": -1})
"""
    check = """
def test_it(student, plan, db):
    student.call("work")
    first, second = plan.last(analyze=True)
    assert first.uses_index("orders_pkey") and first.root.kind == "Delete"
    assert second.scans("orders") == ["Seq Scan"]
    assert db.count("orders") == 4999
    assert plan.of("DELETE FROM orders WHERE id = $1", ["2"], analyze=True).statement
    assert db.count("orders") == 4999
"""
    assert passed(examine(check, writes, toml=TABLES, schema=SCHEMA))


def test_a_statement_that_only_its_own_session_understands_has_no_plan(examine: Examine) -> None:
    private = """
from sqlalchemy import text

def build(session):
    pass

def dashboard(session, user_id):
    session.execute(text("CREATE TEMPORARY TABLE mine AS SELECT * FROM orders"))
    return session.execute(text("SELECT * FROM mine WHERE user_id = :u"), {"u": user_id}).all()
"""
    result = examine(LOOKED_UP, private, toml=TABLES, schema=SCHEMA)
    assert 'relation "mine" does not exist' in failed(result)
    assert result.failure is not None
    assert "temporary table" in result.failure.question


def test_a_function_that_runs_when_the_plan_is_asked_for_has_the_students_rights(
    examine: Examine,
) -> None:
    trojan = """
from sqlalchemy import text

def build(session):
    session.execute(text('''
        CREATE TABLE found (who text, login text, super text);
        CREATE FUNCTION spy() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
            INSERT INTO found VALUES (current_user, session_user, current_setting('is_superuser'));
            RETURN 7;
        EXCEPTION WHEN OTHERS THEN RETURN 7;
        END $$'''))

def dashboard(session, user_id):
    return session.execute(text("SELECT * FROM orders WHERE user_id = spy()")).all()
"""
    check = """
def test_it(student, plan, db):
    student.call("build")
    student.call("dashboard", 7)
    before = db.rows("found")
    plan.last(analyze=True)
    assert db.rows("found") == before
    assert {row["super"] for row in before} <= {"off"}
"""
    assert passed(examine(check, trojan, toml=TABLES, schema=SCHEMA))


def test_a_statement_that_does_not_end_is_stopped_and_told(examine: Examine) -> None:
    slow = """
from sqlalchemy import text

def build(session):
    session.execute(text('''
        CREATE FUNCTION slow(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
            IF session_user <> current_user THEN PERFORM pg_sleep(60); END IF; RETURN n;
        END $$'''))

def dashboard(session, user_id):
    return session.execute(text("SELECT * FROM orders WHERE slow(id) = 7")).all()
"""
    check = """
def test_it(student, plan):
    student.call("build")
    student.call("dashboard", 7)
    plan.last(analyze=True)
"""
    result = examine(check, slow, toml=TABLES, schema=SCHEMA)
    assert "more than 5 seconds" in failed(result, Reason.LIMIT)


def test_many_statements_are_not_run_again_for_ever(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "_ALL_S", 0.5)
    slow = """
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

def build(session):
    pass

def dashboard(session, user_id):
    session.execute(text("SET LOCAL statement_timeout = 10"))
    for _ in range(10):
        try:
            with session.begin_nested():
                session.execute(text("SELECT pg_sleep(0.4)"))
        except OperationalError:
            pass
"""
    check = """
def test_it(student, plan):
    student.call("dashboard", 7)
    plan.last(analyze=True)
"""
    result = examine(check, slow, toml=TABLES, schema=SCHEMA)
    told = failed(result, Reason.LIMIT)
    assert told == (
        "Your statements run for more than 0.5 seconds on these data; the rest was not looked at."
    )


@pytest.mark.slow
def test_a_function_that_will_not_be_stopped_is_hung_up_on(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delegate, "PATIENCE_S", 6.0)
    endless = """
from sqlalchemy import text

def build(session):
    session.execute(text('''
        CREATE FUNCTION slow(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
            WHILE session_user <> current_user LOOP
                BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END;
            END LOOP;
            RETURN n;
        END $$'''))

def dashboard(session, user_id):
    return session.execute(text("SELECT * FROM orders WHERE slow(id) = 7")).all()
"""
    check = """
def test_it(student, plan):
    student.call("build")
    student.call("dashboard", 7)
    plan.last(analyze=True)
"""
    result = examine(check, endless, toml=TABLES, schema=SCHEMA)
    assert (result.earned, result.outcome) == (0, Outcome.FAILED), result


def test_vacuum_lets_an_index_cover_a_query(examine: Examine) -> None:
    check = """
def test_it(student, plan):
    student.call("build")
    plan.refresh_statistics("orders", vacuum=True)
    student.call("dashboard", 7)
    (seen,) = plan.last(analyze=True)
    assert seen.scans("orders") == ["Index Only Scan"], seen.text
    assert next(iter(seen)).details.get("Heap Fetches", 0) == 0
"""
    covered = answer(
        "CREATE INDEX ON orders (user_id, made)",
        query="SELECT made FROM orders WHERE user_id = :user ORDER BY made",
    )
    assert passed(examine(check, covered, toml=TABLES, schema=SCHEMA))


WITHOUT = """
def test_it(student, plan, schema):
    student.call("build")
    plan.refresh_statistics()
    query = "SELECT * FROM orders WHERE user_id = 7"
    before = plan.of(query, analyze=True).buffers
    needless = []
    for index in schema.table("orders").indexes:
        if not index.constraint:
            with plan.without(index.name):
                if plan.of(query, analyze=True).buffers <= before:
                    needless.append(index.name)
    assert len(schema.table("orders").indexes) == 3 and plan.of(query, analyze=True).indexes
    assert not needless, needless
"""


@pytest.mark.parametrize(
    ("other", "needless"),
    [("(made)", "['other']"), ("(user_id)", "['by_user', 'other']")],
)
def test_an_index_without_which_nothing_changes_is_found(
    examine: Examine, other: str, needless: str
) -> None:
    built = answer(
        "CREATE INDEX by_user ON orders (user_id)", f"CREATE INDEX other ON orders {other}"
    )
    assert failed(examine(WITHOUT, built, toml=TABLES, schema=SCHEMA)) == needless


def test_an_index_that_is_taken_away_is_missed_and_there_again(examine: Examine) -> None:
    check = WITHOUT.replace("== 3", "== 2")
    built = answer("CREATE INDEX by_user ON orders (user_id)")
    assert passed(examine(check, built, toml=TABLES, schema=SCHEMA))


WRITES = """
def test_it(student, plan):
    student.call("build")
    store = "INSERT INTO orders SELECT n, n % 500, now(), 'x' FROM generate_series(6001, 6100) n"
    records = plan.of(store, analyze=True).root.log_records
    assert 200 <= records < 300, records // 100
"""


def test_each_index_writes_a_record_for_each_row(examine: Examine) -> None:
    """The row itself is one, and so is its entry in the index of the primary key."""
    assert passed(examine(WRITES, answer("SELECT 1"), toml=TABLES, schema=SCHEMA))
    partial = answer("CREATE INDEX ON orders (user_id) WHERE note = 'y'")
    assert passed(examine(WRITES, partial, toml=TABLES, schema=SCHEMA))
    two = answer("CREATE INDEX ON orders (user_id)", "CREATE INDEX ON orders (made, note)")
    assert failed(examine(WRITES, two, toml=TABLES, schema=SCHEMA)) == "4"


def test_vacuum_notes_rows_that_were_stored_a_moment_ago(examine: Examine) -> None:
    """Servers that do not wait for the disk flush a commit later; until then no page is noted."""
    check = """
def test_it(student, plan, db):
    student.call("build")
    with db.author() as connection:
        connection.execute(
            "INSERT INTO public.orders SELECT n, 1000, now(), 'x'"
            " FROM generate_series(6001, 6500) AS n"
        )
    plan.refresh_statistics("orders", vacuum=True)
    seen = plan.of("SELECT count(made) FROM orders WHERE user_id = 1000", analyze=True)
    (scan,) = [node for node in seen if node.scans]
    assert (scan.kind, scan.details["Heap Fetches"]) == ("Index Only Scan", 0), scan.details
"""
    covered = answer("CREATE INDEX ON orders (user_id, made)")
    assert passed(examine(check, covered, toml=TABLES, schema=SCHEMA))


@pytest.mark.parametrize(
    ("done", "again"),
    [
        ("SELECT 1", False),
        ("CREATE INDEX ON orders (user_id)", False),
        ("CREATE INDEX ON orders (lower(note))", True),
        ("DELETE FROM orders WHERE id = 7", True),
    ],
)
def test_statistics_are_made_again_where_they_would_be_others(
    examine: Examine, done: str, again: bool
) -> None:
    check = f"""
WRITTEN = (
    "SELECT DISTINCT xmin::text FROM pg_catalog.pg_statistic"
    " WHERE starelid = 'public.orders'::pg_catalog.regclass"
)

def test_it(student, plan, db):
    before = db.query(WRITTEN)
    student.call("build")
    plan.refresh_statistics("orders", vacuum=True)
    assert (db.query(WRITTEN) != before) is {again}
"""
    assert passed(
        examine(
            "from grader.checks import check\n\n"
            + check.replace("def test_it", "@check('It holds', points=2)\ndef test_it"),
            answer(done),
            schema=SCHEMA,
            toml=TABLES,
        )
    )


SORTED = """
def test_it(student, plan):
    student.call("build")
    plan.refresh_statistics()
    student.call("dashboard", 7)
    (seen,) = plan.last(analyze=True)
    assert not seen.spilled, hint("It sorts on disk.", actual=seen.text)
"""
WIDE = SCHEMA.replace("'x'", "repeat(md5(n::text), 40)")


@pytest.mark.parametrize(
    ("index", "query"),
    [
        ("CREATE INDEX ON orders (made)", "SELECT * FROM orders WHERE id > :user ORDER BY made"),
        ("SELECT 1", "SELECT * FROM orders WHERE id > :user ORDER BY made LIMIT 10"),
    ],
)
def test_a_sort_that_does_not_fit_into_memory_is_told(
    examine: Examine, index: str, query: str
) -> None:
    assert passed(examine(SORTED, answer(index, query=query), toml=TABLES, schema=WIDE))
    spilling = answer("SELECT 1", query="SELECT * FROM orders WHERE id > :user ORDER BY note, made")
    assert failed(examine(SORTED, spilling, toml=TABLES, schema=WIDE)) == "It sorts on disk."
