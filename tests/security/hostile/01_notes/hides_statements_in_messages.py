# threat: 17
# earns: 2
# ends: passed assertion assertion
# says: INSIDE a portal 9 and a function 1 | Another number of statements was sent. | 33
"""Fetches row by row from a portal and calls a function by messages of the protocol that carry no SQL."""

import os
import struct

from sqlalchemy import text

NOW = 1299  # the number of pg_catalog.now()


def message(kind, body):
    return kind + struct.pack(">I", len(body) + 4) + body


def ask(raw, content):
    """Send messages behind the driver's back, and take the answer to them."""
    os.set_blocking(raw.fileno(), True)
    os.write(raw.fileno(), content)
    answer = b""
    while not answer.endswith(b"Z\0\0\0\5T"):
        answer += os.read(raw.fileno(), 65536)
    os.set_blocking(raw.fileno(), False)
    return answer


def add_note(session, body):
    raw = session.connection().connection.driver_connection
    raw.execute("BEGIN")
    query = b"\0SELECT n FROM generate_series(1, 9) AS n\0" + struct.pack(">H", 0)
    begun = message(b"P", query) + message(b"B", b"hidden\0\0" + struct.pack(">HHH", 0, 0, 0))
    fetched = message(b"E", b"hidden\0" + struct.pack(">I", 1)) * 9
    rows = ask(raw, begun + fetched + message(b"S", b"")).count(b"D\0\0\0")
    called = ask(raw, message(b"F", struct.pack(">IHHH", NOW, 0, 0, 0))).count(b"V\0\0\0")
    print("INSIDE a portal", rows, "and a function", called)
    session.execute(text("INSERT INTO notes (body) VALUES (:body)"), {"body": body})


def find_notes(session, word):
    return []
