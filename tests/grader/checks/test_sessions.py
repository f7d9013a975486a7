"""A submission's own connections are counted, whatever it does with them, and the kit's are not."""

from __future__ import annotations

import pytest

from grader.results import Outcome
from tests.grader.examining import Examine, failed

HEAD = """
import os
import psycopg
from concurrent.futures import ThreadPoolExecutor
from sqlalchemy import create_engine, text

URL = os.environ["DATABASE_URL"]
kept = []

def connect(**how):
    return psycopg.connect(URL.replace("+psycopg", ""), **how)

def one_more(session):
    kept.append(connect(autocommit=True))
    kept[-1].execute("SELECT 1")

def close(session):
    kept.pop().close()

def read(session):
    kept.append(connect())
    kept[-1].execute("SELECT count(*) FROM notes")

def fail(session):
    kept.append(connect())
    try:
        kept[-1].execute("SELECT 1/0")
    except psycopg.Error:
        pass

def nothing(session):
    return session.scalar(text("SELECT 1"))

def in_a_loop(session, times):
    for _ in range(times):
        with connect() as connection:
            connection.execute("SELECT 1")

def from_a_pool(session, times):
    engine = create_engine(URL, pool_size=1)
    for _ in range(times):
        with engine.connect() as connection:
            connection.scalar(text("SELECT 1"))
    engine.dispose()

def add(session, body):
    with connect() as connection:
        connection.execute("INSERT INTO notes (body) VALUES (%s)", [body])

def add_three(session):
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda body: add(session, body), "abc"))
"""


def test_open_connections_are_counted_and_the_kits_are_not(examine: Examine) -> None:
    check = """
def test_it(student, sessions):
    assert sessions.now.count == 0
    student.call("nothing")
    assert sessions.settled().count == 0
    student.call("one_more")
    student.call("one_more")
    assert sessions.settled().count == 2
    student.call("close")
    assert sessions.when(lambda seen: seen.count == 1).count == 1
"""
    assert examine(check, HEAD).outcome is Outcome.PASSED


@pytest.mark.parametrize("function", ["read", "fail"])
def test_a_transaction_that_was_left_open_is_seen(examine: Examine, function: str) -> None:
    check = f"""
def test_it(student, sessions):
    student.call("one_more")
    assert not sessions.settled().in_transaction
    student.call("{function}")
    assert not sessions.settled().in_transaction, hint("It was left open.")
"""
    assert failed(examine(check, HEAD)) == "It was left open."


def test_connections_are_counted_that_were_closed_again(examine: Examine) -> None:
    check = """
def test_it(student, sessions):
    student.call("from_a_pool", 5)
    assert sessions.used == 1
    student.call("in_a_loop", 5)
    assert sessions.used == 1, hint(f"It used {sessions.used}.")
"""
    assert failed(examine(check, HEAD)) == "It used 5."


def test_who_waits_for_a_lock_is_seen_waiting(examine: Examine) -> None:
    check = """
def test_it(student, db, rivals, sessions):
    with rivals.gate("notes"):
        student.begin("add_three")
        waiting = sessions.when(lambda seen: len(seen.waiting) == 3)
        settled = sessions.settled()
    student.finish()
    assert len(waiting.waiting) == settled.count == 3
    assert not settled.working and not settled.in_transaction
    assert db.count("notes") == 3
    assert sessions.when(lambda seen: seen.count == 0).count == 0
"""
    assert examine(check, HEAD).outcome is Outcome.PASSED


def test_what_never_comes_is_not_waited_for_without_an_end(examine: Examine) -> None:
    check = """
def test_it(student, sessions):
    student.call("one_more")
    seen = sessions.when(lambda seen: seen.count == 0, seconds=0.05)
    assert not seen.count, hint(f"{seen.count} is still open.")
"""
    assert failed(examine(check, HEAD)) == "1 is still open."
