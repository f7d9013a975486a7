import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from pglab.scratch import Database
from tracker.db import make_engine
from tracker.health import OPERATIONS, Status, check_health, check_operations


def test_a_database_that_answers_is_connected(shared_engine: Engine) -> None:
    health = check_health(shared_engine)
    assert health.status is Status.CONNECTED
    assert health.message.startswith("PostgreSQL 1")
    assert health.milliseconds is not None


def test_without_a_database_it_is_disabled_and_says_how_to_enable_it() -> None:
    health = check_health(None)
    assert health.status is Status.DISABLED
    assert "DATABASE_URL" in health.message


@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody@/none?host=/nonexistent", "postgresql://127.0.0.1:1/none"],
)
def test_a_database_that_does_not_answer_is_an_error_with_the_reason(url: str) -> None:
    health = check_health(make_engine(url))
    assert health.status is Status.ERROR
    assert "connection" in health.message
    assert health.milliseconds is None


def test_four_operations_are_timed_also_without_any_rows(shared_engine: Engine) -> None:
    health = check_operations(shared_engine)
    assert set(health.operations) == {"catalog", "progress", "sign in", "analytics"}
    assert all(operation.milliseconds is not None for operation in health.operations.values())
    assert health.status is Status.CONNECTED


def test_an_operation_that_fails_has_a_reason_and_the_others_are_tried(database: Database) -> None:
    engine = make_engine(database.url)
    with engine.begin() as connection:
        connection.execute(text("DROP MATERIALIZED VIEW learning_days"))
    health = check_operations(engine)
    engine.dispose()
    assert health.status is Status.ERROR
    assert "learning_days" in (health.operations["analytics"].error or "")
    assert health.operations["catalog"].milliseconds is not None


def test_an_operation_that_waits_too_long_has_failed(database: Database) -> None:
    engine = make_engine(database.url)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE users IN ACCESS EXCLUSIVE MODE"))
        health = check_operations(engine, patience=50)
    engine.dispose()
    assert "statement timeout" in (health.operations["sign in"].error or "")
    assert health.operations["progress"].error is None


def test_operations_without_a_server_are_errors_with_the_reason() -> None:
    health = check_operations(make_engine("postgresql://127.0.0.1:1/none"))
    assert all("connection" in (each.error or "") for each in health.operations.values())


def test_no_operation_reads_a_whole_table(session: Session) -> None:
    session.execute(text("SET LOCAL enable_seqscan = off"))
    for name, statement in OPERATIONS.items():
        query = statement.compile(session.bind, compile_kwargs={"literal_binds": True})
        plan = session.scalars(text(f"EXPLAIN {query}")).all()
        assert not [line for line in plan if "Seq Scan" in line], (name, plan)
