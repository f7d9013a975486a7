"""Two or three connections are kept by a list; who finds it empty waits for a condition."""

import threading
import time
from types import SimpleNamespace

from sqlalchemy import column, create_engine, func, insert, select, table
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

VISITS = table("visits", column("user_id"), column("lesson_id"))


def open_pool(url, size, patience):
    engine = create_engine(url, poolclass=NullPool)
    return SimpleNamespace(
        engine=engine, idle=[], places=size, patience=patience, change=threading.Condition()
    )


def _fetch(pool):
    deadline = time.monotonic() + pool.patience
    with pool.change:
        while not pool.places:
            if not pool.change.wait(deadline - time.monotonic()) and not pool.places:
                raise TimeoutError("no connection is free")
        pool.places -= 1
        connection = pool.idle.pop() if pool.idle else None
    try:
        if connection is not None:
            try:
                connection.exec_driver_sql("SELECT 'are you there'")
                connection.rollback()
            except Exception:
                connection.close()
                connection = None
        return connection or pool.engine.connect()
    except BaseException:
        with pool.change:
            pool.places += 1
            pool.change.notify()
        raise


def _bring(pool, connection):
    try:
        connection.rollback()
    except Exception:
        connection.invalidate()
    with pool.change:
        pool.places += 1
        if connection.closed or connection.invalidated:
            connection.close()
        else:
            pool.idle.append(connection)
        pool.change.notify()


def close_pool(pool):
    while pool.idle:
        pool.idle.pop().close()


def record_visit(pool, user_id, lesson_id):
    connection = _fetch(pool)
    try:
        with Session(connection) as session:
            session.execute(insert(VISITS).values(user_id=user_id, lesson_id=lesson_id))
            visits = select(func.count()).select_from(VISITS).where(VISITS.c.lesson_id == lesson_id)
            number = session.scalar(visits)
            session.commit()
            return number
    finally:
        _bring(pool, connection)


def health(pool):
    if pool is None:
        return {"status": "disabled", "message": "DATABASE_URL is not set"}
    try:
        connection = _fetch(pool)
    except Exception:
        return {"status": "error", "message": "no connection can be had"}
    try:
        # Done, and undone: whatever a visit needs is tried.
        connection.exec_driver_sql("DELETE FROM visits WHERE id < 0")
        connection.exec_driver_sql("SELECT email, title FROM users, lessons WHERE false")
    except Exception:
        return {"status": "error", "message": "the tables cannot be used"}
    finally:
        _bring(pool, connection)
    return {"status": "connected", "message": "yes"}
