# threat: 14
# earns: 0
# ends: limit|timeout assertion limit|timeout
"""Takes locks on a connection of its own and never gives them back."""

from sqlalchemy import create_engine, text

kept = []


def add_note(session, body):
    other = create_engine(session.get_bind().url).connect()
    other.execute(text("LOCK TABLE notes IN ACCESS EXCLUSIVE MODE"))
    other.execute(text("SELECT pg_advisory_lock(1)"))
    kept.append(other)


def find_notes(session, word):
    return []
