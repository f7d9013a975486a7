"""SQLAlchemy's pool over psycopg's connections; no engine."""

from psycopg import Error, OperationalError, connect
from sqlalchemy import exc
from sqlalchemy.pool import QueuePool


class Pool:
    def __init__(self, url, size, patience):
        self.connections = QueuePool(
            lambda: connect(url, autocommit=True),
            pool_size=size, max_overflow=0, timeout=patience,
        )  # fmt: skip

    def run(self, work):
        """Give the work a connection that answers; one that does not is replaced, once for each."""
        lent = self.connections.connect()
        try:
            try:
                lent.cursor().execute("SELECT")
            except OperationalError:
                lent.invalidate()
                lent.close()
                lent = self.connections.connect()
                if lent.dbapi_connection.closed:
                    lent.invalidate()
            return work(lent.cursor())
        finally:
            lent.close()


def open_pool(url, size, patience):
    return Pool(url, size, patience)


def close_pool(pool):
    pool.connections.dispose()


def record_visit(pool, user_id, lesson_id):
    def work(cursor):
        cursor.execute(
            "INSERT INTO visits (user_id, lesson_id) VALUES (%s, %s)", (user_id, lesson_id)
        )
        cursor.execute("TABLE visits")
        return sum(1 for visit in cursor if visit[2] == lesson_id)

    return pool.run(work)


def health(pool):
    answer = {"status": "connected", "message": "PostgreSQL is there", "pool": pool is not None}
    if not answer["pool"]:
        return answer | {"status": "disabled", "message": "no pool was made"}

    def work(cursor):
        cursor.execute(
            "EXPLAIN INSERT INTO visits (user_id, lesson_id)"
            " SELECT u.id, l.id FROM users u, lessons l"
        )

    try:
        pool.run(work)
    except (Error, exc.TimeoutError, exc.DBAPIError) as failure:
        answer.update(status="error", message=str(failure))
    return answer
