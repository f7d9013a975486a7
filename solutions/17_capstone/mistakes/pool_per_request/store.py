# misconception: pool-per-request
# fails: test_connections
"""The store that remembers: each method is one transaction."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import catalog
import figures
import learning
from contract import Unavailable
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session


def open_store(url: str) -> "PostgresStore":
    return PostgresStore(url)


class PostgresStore:
    """A store on PostgreSQL.

    Arguments:
        url: of the database.
        bind: a connection to work on, in place of new ones.
    """

    def __init__(self, url: str, bind: Connection | None = None) -> None:
        self._url = url
        self._bind = bind

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
        with self._transaction() as session:
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
        pass

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Session]:
        try:
            if self._bind:
                with Session(self._bind, join_transaction_mode="create_savepoint") as session:
                    with session.begin():
                        yield session
                return
            engine = create_engine(self._url, pool_size=5, max_overflow=0)
            try:
                with Session(engine) as session, session.begin():
                    yield session
            finally:
                engine.dispose()
        except OperationalError as error:
            raise Unavailable("The database cannot be reached. Try again in a moment.") from error
