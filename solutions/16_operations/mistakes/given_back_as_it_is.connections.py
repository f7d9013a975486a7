# misconception: caught-is-not-over
# fails: test_given_back, test_no_transaction
"""The program's connections to PostgreSQL, in a queue: who wants one takes it, and puts it back."""

from queue import Empty, Queue

import psycopg


class Pool:
    def __init__(self, url, size, patience):
        self.url, self.size, self.patience = url, size, patience
        self.free = Queue()
        for _ in range(size):
            self.free.put(None)  # a place; a connection is made when it is needed

    def take(self):
        connection = self.free.get(timeout=self.patience)
        try:
            if connection is not None:
                if connection.info.transaction_status.name != "INERROR":
                    connection.execute("SELECT 1")
                    connection.rollback()
                return connection
        except psycopg.OperationalError:
            connection.close()
        try:
            return psycopg.connect(self.url)
        except psycopg.OperationalError:
            self.free.put(None)
            raise

    def give_back(self, connection):
        self.free.put(None if connection.closed else connection)


def open_pool(url, size, patience):
    return Pool(url, size, patience)


def close_pool(pool):
    for _ in range(pool.size):
        connection = pool.free.get(timeout=pool.patience)
        if connection:
            connection.close()


def record_visit(pool, user_id, lesson_id):
    connection = pool.take()
    try:
        connection.execute(
            "INSERT INTO visits (user_id, lesson_id) VALUES (%s, %s)", [user_id, lesson_id]
        )
        [(number,)] = connection.execute(
            "SELECT count(*) FROM visits WHERE lesson_id = %s", [lesson_id]
        )
        connection.commit()
        return number
    finally:
        pool.give_back(connection)


def health(pool):
    if pool is None:
        return {"status": "disabled", "message": "No database."}
    try:
        connection = pool.take()
    except (psycopg.Error, Empty) as error:
        return {"status": "error", "message": f"No connection: {error}"}
    try:
        connection.execute("SELECT FROM users, lessons, visits LIMIT 1")
        connection.rollback()
    except psycopg.Error as error:
        connection.rollback()
        return {"status": "error", "message": str(error)}
    finally:
        pool.give_back(connection)
    return {"status": "connected", "message": "The database answers."}
