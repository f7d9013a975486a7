# threat: 13
# earns: 0
# ends: limit|timeout assertion limit|timeout
"""Fills the table with rows until somebody stops it."""

from sqlalchemy import text

ROWS = text("INSERT INTO notes (body) SELECT repeat('x', 1000) FROM generate_series(1, 2000)")


def add_note(session, body):
    while True:
        session.execute(ROWS)
        session.commit()


def find_notes(session, word):
    return []
