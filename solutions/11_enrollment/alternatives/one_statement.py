"""Enrolling in tracks, each call in one statement of PostgreSQL's."""

from collections.abc import Sequence

import psycopg
from models import AlreadyEnrolled, TrackNotAvailable, UserNotFound
from psycopg.rows import dict_row
from sqlalchemy.orm import Session

ENROLL = """
WITH track AS MATERIALIZED (
    SELECT id FROM tracks WHERE id = %(track)s AND is_published FOR NO KEY UPDATE
), seats AS (
    INSERT INTO enrollments (user_id, track_id)
    SELECT who, track.id FROM track, unnest(%(users)s::int[]) AS who ORDER BY who
    ON CONFLICT (user_id, track_id) DO NOTHING
    RETURNING user_id, track_id
), begun AS (
    INSERT INTO lesson_progress (user_id, lesson_id)
    SELECT user_id, lessons.id FROM seats JOIN lessons USING (track_id)
    ON CONFLICT DO NOTHING
)
SELECT (SELECT count(*) FROM track) AS tracks, (SELECT count(*) FROM seats) AS seats,
       (SELECT count(*) FROM lessons JOIN track ON track.id = track_id) AS lessons
"""


class _Undo(Exception):
    pass


def _run(session: Session, users: list[int], track_id: int) -> dict[str, int]:
    connection = session.connection().connection.driver_connection
    try:
        with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            done = cursor.execute(ENROLL, {"track": track_id, "users": users}).fetchone()
            if not done["tracks"]:
                raise TrackNotAvailable(track_id)
            if done["seats"] < len(users):
                raise AlreadyEnrolled(users)
    except psycopg.errors.ForeignKeyViolation as error:
        raise UserNotFound(users) from error
    finally:
        session.close()
    return done


def enroll(session: Session, user_id: int, track_id: int) -> int:
    return _run(session, [user_id], track_id)["lessons"]


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    return _run(session, list(user_ids), track_id)["seats"]
