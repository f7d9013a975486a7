"""A psycopg cursor, an advisory lock for each track, and the constraint as the one who counts."""

import psycopg
from models import TrackNotFound

LOCK = "SELECT pg_advisory_xact_lock(1200, id) FROM tracks WHERE id = %s"
HAVE = "SELECT track_id FROM bookings WHERE user_id = %s AND track_id = %s"
BOOK = """WITH taken AS (UPDATE tracks SET seats = seats - 1 WHERE id = %s RETURNING id)
          INSERT INTO bookings (user_id, track_id) SELECT %s, id FROM taken"""


def book_seat(session, user_id, track_id):
    return book_bundle(session, user_id, [track_id])


def book_bundle(session, user_id, track_ids):
    connection = session.connection().connection.driver_connection
    attempts = 0
    try:
        while True:
            attempts += 1
            try:
                with connection.transaction():
                    for track_id in track_ids:
                        _book(connection, user_id, track_id)
                return True
            except psycopg.errors.CheckViolation:
                return False
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                if attempts == 5:
                    raise
    finally:
        session.rollback()


def _book(connection, user_id, track_id):
    if connection.execute(LOCK, [track_id]).fetchone() is None:
        raise TrackNotFound(track_id)
    if connection.execute(HAVE, [user_id, track_id]).fetchone() is None:
        connection.execute(BOOK, [track_id, user_id])
