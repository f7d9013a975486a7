"""A queue of slots; a slot holds a connection, or nothing yet."""

from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, LifoQueue

import psycopg


class NobodyFree(Exception):
    """All connections are lent out."""


@dataclass
class State:
    status: str
    message: str


class Slots:
    def __init__(self, url, size, patience):
        self.url, self.size, self.patience = url, size, patience
        self.free = LifoQueue()
        for _ in range(size):
            self.free.put(None)

    @contextmanager
    def lend(self):
        try:
            connection = self.free.get(timeout=self.patience)
        except Empty:
            raise NobodyFree(f"{self.size} connections are at work") from None
        try:
            if connection is not None and not self.answers(connection):
                connection = None
            connection = connection or psycopg.connect(self.url)
            with connection.transaction():
                yield connection
        finally:
            if connection is not None and connection.closed:
                connection = None
            self.free.put(connection)

    @staticmethod
    def answers(connection):
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except psycopg.OperationalError:
            connection.close()
        return not connection.closed


def open_pool(url, size, patience):
    return Slots(url, size, patience)


def close_pool(pool):
    for _ in range(pool.size):
        connection = pool.free.get(timeout=pool.patience)
        if connection is not None:
            connection.close()


def record_visit(pool, user_id, lesson_id):
    with pool.lend() as connection:
        return connection.execute(
            "WITH new AS (INSERT INTO visits (user_id, lesson_id) VALUES (%s, %s) RETURNING 1)"
            " SELECT (SELECT count(*) FROM new) + count(*) FROM visits WHERE lesson_id = %s",
            (user_id, lesson_id, lesson_id),
        ).fetchone()[0]


def health(pool):
    if not pool:
        return State("disabled", "there is no database")
    try:
        with pool.lend() as connection:
            for table in ("users", "lessons", "visits"):
                connection.execute(f"SELECT count(*) FROM (SELECT FROM {table} LIMIT 1) AS found")
    except (psycopg.Error, NobodyFree) as error:
        return State("error", type(error).__name__)
    return State("connected", "ok")
