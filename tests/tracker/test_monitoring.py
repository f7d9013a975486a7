import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, NullPool, create_engine, select, text
from sqlalchemy.orm import Session, sessionmaker

from pglab.scratch import Database
from tracker import monitoring
from tracker.db import make_engine
from tracker.models import Base, User
from tracker.monitoring import Category, Monitor, category_of, pool_state, shape_of


class Clock:
    """A clock on which every statement takes as long as the test says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step = 0.001

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def monitored(database: Database, clock: Clock) -> Iterator[tuple[Engine, Monitor]]:
    engine, monitor = make_engine(database.url), Monitor(clock)
    monitor.watch(engine)
    yield engine, monitor
    engine.dispose()


def test_quick_statements_are_counted_and_not_called_slow(
    monitored: tuple[Engine, Monitor],
) -> None:
    engine, monitor = monitored
    with engine.connect() as connection:
        for _ in range(3):
            connection.execute(text("SELECT id FROM users"))
    report = monitor.report()
    assert report.statements["SELECT id FROM users"].calls == 3
    assert report.by_category[Category.PEOPLE].calls == 3
    assert (report.slow, report.advice) == ([], [])


@pytest.mark.parametrize(
    ("seconds", "levels"),
    [(0.05, []), (0.15, [logging.WARNING]), (0.9, [logging.WARNING]), (1.5, [logging.ERROR])],
)
def test_over_100_ms_is_slow_and_over_1000_ms_critical(
    monitored: tuple[Engine, Monitor],
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    seconds: float,
    levels: list[int],
) -> None:
    engine, monitor = monitored
    clock.step = seconds
    with engine.connect() as connection:
        connection.execute(text("SELECT id FROM tracks WHERE title = :title"), {"title": "secret"})
    report = monitor.report()
    assert [record.levelno for record in caplog.records] == levels
    assert len(report.slow) == len(report.advice) == len(levels)
    assert [entry.is_critical for entry in report.slow] == [x == logging.ERROR for x in levels]
    assert "secret" not in caplog.text + repr(report)


def test_the_same_statement_many_times_in_one_transaction_is_called_by_its_name(
    monitored: tuple[Engine, Monitor],
) -> None:
    engine, monitor = monitored
    query = text("SELECT title FROM lessons WHERE track_id = uuid7()")
    for level in ("READ COMMITTED", "AUTOCOMMIT"):
        for _ in range(monitoring.MANY_CALLS):
            with engine.connect().execution_options(isolation_level=level) as connection:
                connection.execute(query)
    assert monitor.report().advice == []
    with engine.connect() as connection:
        for _ in range(monitoring.MANY_CALLS):
            connection.execute(query)
    (advice,) = monitor.report().advice
    assert "N+1" in advice
    assert "FROM lessons" in advice


def test_a_statement_that_fails_leaves_the_monitor_in_order(
    monitored: tuple[Engine, Monitor],
) -> None:
    engine, monitor = monitored
    with engine.connect() as connection:
        with pytest.raises(Exception, match="nonsense"):
            connection.execute(text("SELECT nonsense FROM users"))
        connection.rollback()
        connection.execute(text("SELECT id FROM users"))
    assert list(monitor.report().statements) == ["SELECT id FROM users"]


def test_a_monitor_does_not_grow_without_end(
    monitored: tuple[Engine, Monitor], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "MOST_KEPT", 5)
    engine, monitor = monitored
    with engine.connect() as connection:
        for number in range(20):
            connection.exec_driver_sql(f"SELECT {number}")
    assert len(monitor.report().statements) == 5


@pytest.mark.parametrize(
    ("statement", "category"),
    [
        ("SELECT * FROM tracks JOIN users ON true", "catalog"),
        ("SELECT * FROM track_progress JOIN tracks ON true", "learning"),
        ("UPDATE lesson_progress SET completed = true", "learning"),
        ("SELECT * FROM track_completion JOIN tracks ON true", "analytics"),
        ("SELECT refresh_analytics()", "analytics"),
        ("INSERT INTO payments DEFAULT VALUES", "payments"),
        ("DELETE FROM login_sessions", "people"),
        ("SELECT 1", "other"),
    ],
)
def test_a_statement_belongs_to_the_table_that_it_is_about(statement: str, category: str) -> None:
    assert category_of(statement) == category


def test_every_table_has_a_category() -> None:
    assert {category_of(f"SELECT 1 FROM {table}") for table in Base.metadata.tables} == set(
        Category
    ) - {Category.OTHER}
    for table in Base.metadata.tables:
        assert category_of(f"SELECT 1 FROM {table}") is not Category.OTHER, table


def test_lists_of_any_length_are_one_statement(
    monitored: tuple[Engine, Monitor],
) -> None:
    engine, monitor = monitored
    with Session(engine) as session:
        for size in (2, 5):
            names = [f"user{n}" for n in range(size)]
            session.scalars(select(User.id).where(User.username.in_(names))).all()
    ((shape, usage),) = monitor.report().statements.items()
    assert usage.calls == 2
    assert "IN (…)" in shape
    assert shape_of("SELECT  1\n FROM x") == "SELECT 1 FROM x"


def test_a_pool_says_when_nothing_is_left_in_it(database: Database) -> None:
    engine = make_engine(database.url, pool_size=1, max_overflow=1)
    with engine.connect():
        state = pool_state(engine)
        assert (state.in_use, state.most, state.is_exhausted) == (1, 2, False)
        with engine.connect():
            assert pool_state(engine).is_exhausted
    assert pool_state(engine).idle == 1
    engine.dispose()
    with pytest.raises(TypeError, match="NullPool"):
        pool_state(create_engine("postgresql+psycopg://", poolclass=NullPool))


def test_the_server_says_who_is_connected_and_who_waits(
    sessions: sessionmaker[Session],
) -> None:
    engine = sessions.kw["bind"]
    with engine.connect() as idle, engine.connect() as asking:
        idle.execute(text("SELECT 1"))
        activity = monitoring.server_activity(asking)
    assert (activity.connections, activity.active, activity.idle_in_transaction) == (2, 1, 1)
    assert activity.most_connections >= 2
    assert activity.waiting_for_lock == 0
    assert activity.longest_transaction_seconds > 0
    assert activity.cache_hit_percent is None or 0 <= activity.cache_hit_percent <= 100
