import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from pglab.scratch import Database
from tracker.db import connected, make_engine, sqlalchemy_url, unit_of_work
from tracker.errors import ConfigurationError, DatabaseUnavailable, InvalidData
from tracker.models import User


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://user:p%40ss@host:5432/name?sslmode=require",
        "postgres://user:p%40ss@host:5432/name?sslmode=require",
        "postgresql+psycopg://user:p%40ss@host:5432/name?sslmode=require",
        " postgresql://user:p%40ss@host:5432/name?sslmode=require\n",
    ],
)
def test_every_usual_way_to_write_a_url_gives_the_psycopg_driver(given: str) -> None:
    url = sqlalchemy_url(given)
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.host, url.port) == ("user", "p@ss", "host", 5432)
    assert (url.database, url.query) == ("name", {"sslmode": "require"})


@pytest.mark.parametrize("given", ["sqlite:///file.db", "mysql://host/name", "not a url", ""])
def test_another_kind_of_database_is_refused_with_an_example_of_the_right_one(given: str) -> None:
    with pytest.raises(ConfigurationError, match="postgresql://user:password@host"):
        sqlalchemy_url(given)


def test_a_url_that_cannot_be_read_is_not_repeated_since_it_may_hold_a_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        sqlalchemy_url("postgresql//user:secret@host/name")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_timestamps_come_back_in_utc_and_options_of_the_url_are_kept(database: Database) -> None:
    engine = make_engine(f"{database.url}&options=-c%20statement_timeout%3D4321")
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW timezone")) == "UTC"
        assert connection.scalar(text("SHOW statement_timeout")) == "4321ms"
        assert connection.scalar(text("SHOW application_name")) == "tracker"
    engine.dispose()


def test_no_connection_is_left_after_an_error(database: Database, session: Session) -> None:
    def failing() -> None:
        with connected(database.url) as sessions, sessions() as inside:
            inside.execute(text("SELECT 1"))
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        failing()
    # A backend ends a moment after its client hangs up, and a transaction sees what it saw first.
    left = text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name")
    while session.scalar(left, {"name": database.name}):
        session.execute(text("SELECT pg_stat_clear_snapshot()"))


def test_a_unit_of_work_commits(sessions: sessionmaker[Session]) -> None:
    with sessions() as session, unit_of_work(session):
        session.add(User(email="a@example.com", username="a", password_hash="…"))
    with sessions() as another:
        assert another.scalar(text("SELECT count(*) FROM users")) == 1


def test_a_unit_of_work_that_fails_leaves_nothing_and_a_usable_session(
    sessions: sessionmaker[Session],
) -> None:
    def failing(session: Session) -> None:
        with unit_of_work(session):
            session.add(User(email="a@example.com", username="a", password_hash="…"))
            session.flush()
            session.add(User(email="no at sign", username="b", password_hash="…"))

    with sessions() as session:
        with pytest.raises(InvalidData):
            failing(session)
        assert session.scalar(text("SELECT count(*) FROM users")) == 0


def test_a_unit_of_work_joins_what_the_session_has_read_before(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM users")) == 0
        with unit_of_work(session):
            session.add(User(email="a@example.com", username="a", password_hash="…"))
        assert not session.in_transaction()


def test_a_server_that_is_not_there_is_said_in_the_trackers_own_words() -> None:
    with (
        connected("postgresql://nobody@/none?host=/nonexistent") as sessions,
        sessions() as session,
        pytest.raises(DatabaseUnavailable),
        unit_of_work(session),
    ):
        session.execute(text("SELECT 1"))
