# threat: 19
# earns: 5
# ends: passed passed assertion
"""Reads, computes for a while, and writes what it computed."""

import time

from sqlalchemy import text


def transfer(session, source, target, cents):
    read = text("SELECT cents FROM accounts WHERE id = :id")
    left = session.scalar(read, {"id": source}) - cents
    there = session.scalar(read, {"id": target}) + cents
    time.sleep(0.05)
    write = text("UPDATE accounts SET cents = :cents WHERE id = :id")
    session.execute(write, {"cents": left, "id": source})
    session.execute(write, {"cents": there, "id": target})
    session.commit()
