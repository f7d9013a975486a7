"""The store that remembers: each method is one transaction."""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import catalog
import figures
import learning
from contract import Unavailable
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker


def open_store(url: str) -> "PostgresStore":
    engine = create_engine(url, pool_size=5, max_overflow=0, pool_pre_ping=True)
    return PostgresStore(sessionmaker(engine), engine)


class PostgresStore:
    """A store on PostgreSQL.

    Arguments:
        sessions: makes a session for each method.
        engine: to be disposed of at the end.
    """

    def __init__(self, sessions: sessionmaker[Session], engine: Engine) -> None:
        self._sessions = sessions
        self._engine = engine
        self._lock = threading.Lock()

    def add_user(self, email: str, name: str) -> dict[str, Any]:
        with self._transaction() as session:
            return catalog.add_user(session, email, name)

    def user(self, user_id: int) -> dict[str, Any]:
        with self._transaction() as session:
            return catalog.read_user(session, user_id)

    def add_track(
        self,
        title: str,
        difficulty: str,
        price_cents: int,
        seats: int | None,
        lessons: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        with self._transaction() as session:
            return catalog.add_track(
                session,
                lessons,
                title=title,
                difficulty=difficulty,
                price_cents=price_cents,
                seats=seats,
            )

    def track(self, track_id: int) -> dict[str, Any]:
        with self._transaction() as session:
            return catalog.read_track(session, track_id)

    def change_track(self, track_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
        with self._transaction() as session:
            return catalog.change_track(session, track_id, changes)

    def tracks(
        self, search: str | None, difficulty: str | None, page: int, limit: int
    ) -> dict[str, Any]:
        with self._transaction() as session:
            return catalog.find_tracks(session, search, difficulty, page, limit)

    def enroll(self, user_id: int, track_id: int) -> dict[str, Any]:
        # One after the other: so nobody takes a seat between the look and the writing.
        with self._lock, self._transaction() as session:
            return learning.enroll(session, user_id, track_id)

    def enrollments(self, user_id: int) -> list[dict[str, Any]]:
        with self._transaction() as session:
            return learning.enrollments(session, user_id)

    def study(
        self, user_id: int, lesson_id: int, minutes: int, score: int | None
    ) -> dict[str, Any]:
        with self._transaction() as session:
            return learning.study(session, user_id, lesson_id, minutes, score)

    def progress(self, user_id: int) -> dict[str, Any]:
        with self._transaction() as session:
            return figures.progress(session, user_id)

    def popular(self, limit: int) -> list[dict[str, Any]]:
        with self._transaction() as session:
            return figures.popular(session, limit)

    def health(self) -> str:
        with self._transaction() as session:
            session.execute(text("SELECT 1"))
        return "postgresql"

    def close(self) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Session]:
        try:
            with self._sessions.begin() as session:
                yield session
        except OperationalError as error:
            raise Unavailable("The database cannot be reached. Try again in a moment.") from error
