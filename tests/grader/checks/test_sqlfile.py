"""SQL answers run as the student's role, and what goes wrong is told with the line of the file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.batch import grade
from grader.results import CheckResult, Outcome, Reason
from grader.submissions import Submission
from grader.verify import verify
from tests.grader.courses import BEHIND, EXERCISE, HERE, PAGE, write_files
from tests.grader.examining import HEAD, Course, errored, failed

TOML = """title = "Revenue"
notebook = "06_analytics"
minutes = 5
answer = ["revenue.sql", "more.sql"]
schema = "schema.sql"
[worker]
seconds = 5
"""
TABLES = TOML + 'privileges = "tables"\n'
SCHEMA = """
CREATE TABLE payments (
    id int PRIMARY KEY, paid_on date NOT NULL, amount numeric(10, 2) NOT NULL, note jsonb
);
"""
Run = Callable[..., CheckResult]


@pytest.fixture
def run(course: Course) -> Run:
    """Run one check on these files."""

    def run(check: str, revenue: str | bytes | None, toml: str = TOML, **more: str) -> CheckResult:
        exercise = course.exercise(check, toml=toml, schema=SCHEMA)
        exercise = dataclasses.replace(exercise, solution_path=None)
        files = {name.replace("_", "."): text.encode() for name, text in more.items()}
        if revenue is not None:
            files["revenue.sql"] = revenue if isinstance(revenue, bytes) else revenue.encode()
        with course.judge.desk(Submission("ada", {EXERCISE: files}), exercise) as desk:
            return desk.run(exercise.checks[0])

    return run


ROWS = """
def test_it(sql, db):
    from datetime import date
    from decimal import Decimal
    db.insert(
        "payments",
        {"id": 1, "paid_on": date(2026, 1, 5), "amount": Decimal("9.50")},
        {"id": 2, "paid_on": date(2026, 1, 9), "amount": Decimal("0.50")},
        {"id": 3, "paid_on": date(2026, 3, 1), "amount": Decimal("7.00")},
        {"id": 4, "paid_on": date(2025, 3, 1), "amount": Decimal("5.00")},
    )
    rows = sql.rows("revenue.sql", {"year": 2026})
    assert rows == [
        {"month": date(2026, 1, 1), "revenue": Decimal("10.00")},
        {"month": date(2026, 3, 1), "revenue": Decimal("7.00")},
    ], hint("Other months.", actual=rows)
"""
GROUPED = """
-- Revenue by month: 100 % of it
SELECT date_trunc('month', paid_on)::date AS month, sum(amount) AS revenue
FROM payments WHERE extract(year FROM paid_on) = :year
GROUP BY 1 ORDER BY 1;
"""
IN_STEPS = """\ufeffCREATE TEMPORARY TABLE months AS
SELECT make_date(:year, n, 1) AS month FROM generate_series(1, 12) AS n;\r
SELECT month, sum(amount) AS revenue FROM months
JOIN payments ON paid_on >= month AND paid_on < month + interval '1 month'
WHERE ':year' <> '%' GROUP BY month ORDER BY month
"""


def passed(result: CheckResult) -> bool:
    assert result.failure is None, result.failure
    return result.earned == 2


@pytest.mark.parametrize("answer", [GROUPED, IN_STEPS])
def test_the_rows_of_the_last_statement_are_returned_as_plain_values(run: Run, answer: str) -> None:
    toml = TABLES if "CREATE" in answer else TOML
    assert passed(run(ROWS, answer, toml))


@pytest.mark.parametrize(
    ("answer", "reason", "told"),
    [
        (
            GROUPED.replace("ORDER BY 1", "ORDER BY 2"),
            Reason.ASSERTION,
            "Other",
        ),
        (None, Reason.MISSING, "There is no revenue.sql in what you handed in."),
        ("", Reason.ASSERTION, "revenue.sql holds nothing: there is no statement to run."),
        ("-- todo\n", Reason.ASSERTION, "revenue.sql holds only comments: there is no statement"),
        ("SELECT 'é'".encode("latin-1"), Reason.IMPORT, "revenue.sql is not text in UTF-8: line 1"),
        ("SELECT 1".encode("utf-16"), Reason.IMPORT, "It looks like UTF-16."),
        (
            "SELECT 1;\n\nSELECT id,\n  amuont FROM payments",
            Reason.RAISED,
            'in line 4: column "amuont" does not exist (SQLSTATE 42703).',
        ),
        (
            "SELECT :year,\n  amuont FROM payments",
            Reason.RAISED,
            'in line 2: column "amuont" does not exist (SQLSTATE 42703).',
        ),
        ("SELEC 1", Reason.RAISED, 'in line 1: syntax error at or near "SELEC" (SQLSTATE 42601).'),
        ("SELECT :month", Reason.RAISED, 'syntax error at or near ":" (SQLSTATE 42601).'),
        ("\\d payments", Reason.RAISED, 'syntax error at or near "\\" (SQLSTATE 42601).'),
        ("SELECT 1 AS n; DELETE FROM payments", Reason.ASSERTION, "is DELETE, in line 1; it gives"),
        ("SELECT 1 AS n, 2 AS n", Reason.ASSERTION, "are called n. Whoever reads it cannot tell"),
        ("SELECT generate_series(1, 20000)", Reason.ASSERTION, "gives more than 10,000 rows."),
        (
            "SELECT pg_sleep(60)",
            Reason.RAISED,
            "canceling statement due to statement timeout (a limit of the sandbox: a statement may"
            " take 5 seconds) (SQLSTATE 57014).",
        ),
        (
            "SET statement_timeout = '300ms'; SELECT pg_sleep(60)",
            Reason.RAISED,
            "canceling statement due to statement timeout (SQLSTATE 57014).",
        ),
        ("SELECT 1; " * 501, Reason.LIMIT, "revenue.sql holds 501 statements; at most 500 are run"),
        ("SELECT repeat('x', 9000000)", Reason.WIRE, "cannot be read as plain values"),
        ("COPY payments TO STDOUT", Reason.RAISED, "PostgreSQL refused revenue.sql in line 1: "),
        (
            "COPY payments TO PROGRAM 'id'",
            Reason.RAISED,
            "permission denied to COPY to or from an external program (SQLSTATE 42501).",
        ),
        ("SET ROLE postgres; SELECT 1", Reason.RAISED, "permission denied to set role"),
        ("SELECT * FROM pg_authid", Reason.RAISED, "permission denied for table pg_authid"),
        ("DROP TABLE payments", Reason.RAISED, "must be owner of table payments"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    run: Run, answer: str | bytes | None, reason: Reason, told: str
) -> None:
    assert told in failed(run(ROWS, answer, TOML.replace("seconds = 5", "seconds = 8")), reason)


def test_a_refusal_names_place_statement_and_a_question(run: Run) -> None:
    failure = run(ROWS, "SELECT 1;\nSELECT nothing FROM payments").failure
    assert failure is not None
    assert failure.location == "revenue.sql:2"
    assert failure.actual == "SELECT nothing FROM payments"
    assert failure.question == "Which columns does this table have, and how are they spelled?"
    failure = run(ROWS, "SELECT :month").failure
    assert failure is not None
    assert failure.question.endswith("The file asks for :month.")


def test_all_statements_of_a_file_are_done_or_none(run: Run) -> None:
    check = """
def test_it(sql, db):
    told = sql.run("revenue.sql", expect=Raises("UniqueViolation"))
    assert (told.line, told.sqlstate) == (2, "23505")
    assert db.count("payments") == 0
    sql.run("more.sql", {"day": "2026-01-01"})
    assert db.count("payments") == 2
"""
    row = "INSERT INTO payments VALUES (1, {}, 1);\n"
    both = row.format("now()") + row.format("now()")
    more = row.format(":day") + row.format(":day").replace("(1", "(2")
    assert passed(run(check, both, more_sql=more))
    assert passed(run(check.replace("UniqueViolation", "23505"), both, more_sql=more))
    assert passed(run(check.replace("UniqueViolation", "IntegrityError"), both, more_sql=more))
    assert "it ran to its end" in failed(run(check, more.replace(":day", "now()"), more_sql=more))
    assert "division by zero" in failed(run(check, "\nSELECT 1 / 0"), Reason.RAISED)


CONCURRENTLY = "CREATE INDEX CONCURRENTLY by_day ON payments (paid_on);\nVACUUM payments;"


def test_what_cannot_run_in_a_transaction_runs_by_itself(run: Run) -> None:
    check = """
def test_it(sql, schema, statements):
    sql.run("revenue.sql", autocommit=True)
    assert schema.table("payments").index_on("paid_on").valid
    assert [s.kind for s in statements.last] == ["CREATE", "VACUUM"]
    assert statements.last.transactions == []
"""
    assert passed(run(check, CONCURRENTLY, TABLES))
    inside = check.replace(", autocommit=True", "")
    told = failed(run(inside, CONCURRENTLY, TABLES), Reason.RAISED)
    assert "CREATE INDEX CONCURRENTLY cannot run inside a transaction block" in told


def test_the_next_file_runs_in_a_transaction_again(run: Run) -> None:
    check = """
def test_it(sql, statements):
    sql.run("revenue.sql", autocommit=True)
    sql.run("more.sql")
    assert [s.kind for s in statements.last.transactions] == ["BEGIN", "COMMIT"]
"""
    assert passed(run(check, "SELECT 1", more_sql="SELECT 2"))


def test_the_statements_of_a_file_are_witnessed_as_the_students(run: Run) -> None:
    check = """
def test_it(sql, statements, plan):
    sql.rows("revenue.sql", {"year": 2026})
    assert statements.last.count == 1
    assert statements.last.all[0].parameters == ("2026",)
    assert plan.last()[0].scans("payments") == ["Seq Scan"]
    assert len(sql.statements("revenue.sql")) == 1 and "100 %" in sql.text("revenue.sql")
"""
    assert passed(run(check, GROUPED))
    hidden = "DO $$ BEGIN PERFORM 1; END $$; SELECT :year AS n"
    assert "inside a DO statement" in failed(run(check, hidden))


def test_a_file_that_the_exercise_does_not_know_is_the_authors_mistake(run: Run) -> None:
    check = """
def test_it(sql):
    sql.run("other.sql")
"""
    assert "neither asks for other.sql nor gives it" in errored(run(check, GROUPED))


def test_rows_of_json_arrays_and_nulls_arrive_as_plain_values(run: Run) -> None:
    check = """
def test_it(sql):
    (row,) = sql.rows("revenue.sql")
    assert row == {"a": [1, None], "b": {"x": [1]}, "c": None, "d": True, "e": "'", "f": "0"}
"""
    answer = """SELECT '{1,NULL}'::int[] AS a, '{"x":[1]}'::jsonb AS b, NULL AS c, true AS d,
                '''' AS e, '0'::text AS f"""
    assert passed(run(check, answer))


COURSE = {
    f"{HERE}/exercise.toml": TOML.replace(', "more.sql"', ""),
    f"{HERE}/README.md": "Revenue by month.\n",
    f"{HERE}/schema.sql": SCHEMA,
    f"{HERE}/revenue.sql": "-- Revenue by month of :year.\n",
    f"{HERE}/test_visible.py": HEAD + ROWS.strip() + "\n",
    f"{BEHIND}/revenue.sql": GROUPED,
    f"{BEHIND}/alternatives/windows.sql": GROUPED.replace("GROUP BY 1", "GROUP BY month"),
    f"{BEHIND}/mistakes/all_years.sql": "-- misconception: all-years\n-- fails: test_it\n"
    + GROUPED.replace("WHERE extract(year FROM paid_on) = :year", ""),
    "docs/misconceptions/all-years.md": PAGE,
}


@pytest.mark.slow
def test_an_exercise_without_any_python_is_graded_and_proved(tmp_path: Path, home: Path) -> None:
    root = write_files(tmp_path / "course", COURSE)
    check = root / HERE / "test_visible.py"
    check.write_text(check.read_text().replace("points=2", "points=2, misconception='all-years'"))
    handed_in = write_files(
        tmp_path / "class",
        {
            f"ada/{EXERCISE}/revenue.sql": GROUPED,
            f"bob/{EXERCISE}/revenue.sql": "SELECT 1",
            f"cy/{EXERCISE}/notes.txt": "later",
        },
    )
    grading = grade([handed_in], course_root=root, home=home, sandbox="process", own_work=True)
    outcomes = {
        s.student: [c.outcome for e in s.exercises for c in e.checks] for s in grading.submissions
    }
    assert outcomes["ada"] == [Outcome.PASSED]
    assert outcomes["bob"] == [Outcome.FAILED]
    assert Outcome.PASSED not in outcomes["cy"]
    proof = verify([], course_root=root, home=home)
    assert proof.findings == ()
    assert proof.submissions == 4
