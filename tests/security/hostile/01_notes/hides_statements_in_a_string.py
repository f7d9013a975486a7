# threat: 17
# earns: 2
# ends: passed assertion assertion
"""Sends several statements in one string, over the simple query protocol."""


def add_note(session, body):
    quoted = body.replace("'", "''")
    raw = session.connection().connection.driver_connection
    raw.execute(f"SELECT 1; SELECT 2; INSERT INTO notes (body) VALUES ('{quoted}')")


def find_notes(session, word):
    return []
