import pytest
from sqlalchemy import Engine

from tracker.db import make_engine
from tracker.health import Status, check_health


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
