# threat: 17
# earns: 2
# ends: passed assertion assertion
# says: Another number of statements was sent. | FETCH FORWARD 1 FROM "beside" | CLOSE "beside"
"""Reads row by row through cursors in the server, and prepares by SQL."""

from sqlalchemy import text


def add_note(session, body):
    raw = session.connection().connection.driver_connection
    with raw.cursor(name="beside") as cursor:
        cursor.itersize = 1
        cursor.execute("SELECT n FROM generate_series(1, 9) AS n")
        assert len(list(cursor)) == 9
    for statement in (
        "DECLARE c CURSOR WITH HOLD FOR SELECT n FROM generate_series(1, 9) AS n",
        "MOVE 3 FROM c",
        "FETCH 3 FROM c",
        "CLOSE c",
        "PREPARE p AS SELECT 1",
        "DEALLOCATE p",
    ):
        raw.execute(statement)
    session.execute(text("INSERT INTO notes (body) VALUES (:body)"), {"body": body})


def find_notes(session, word):
    return []
