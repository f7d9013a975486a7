"""psycopg alone: a row of figures beside each track, by subqueries."""

from dataclasses import dataclass
from decimal import Decimal

from psycopg.rows import class_row


@dataclass
class Progress:
    track: str
    lessons: int
    completed: int
    minutes: int
    percent: Decimal | None
    score: Decimal | None


def user_progress(session, user_id):
    with session.connection().connection.driver_connection.cursor(
        row_factory=class_row(Progress)
    ) as cursor:
        cursor.execute(
            """
            SELECT title AS track, lessons, completed, minutes,
                   CASE WHEN lessons > 0 THEN round(100.0 * completed / lessons, 2) END AS percent,
                   score
            FROM tracks,
            LATERAL (SELECT count(*) AS lessons FROM lessons WHERE track_id = tracks.id) AS a,
            LATERAL (
                SELECT count(nullif(is_completed, false)) AS completed,
                       coalesce(sum(minutes * is_completed::int), 0) AS minutes,
                       round(sum(score)::numeric / nullif(count(score), 0), 2) AS score
                FROM lesson_progress, lessons
                WHERE lesson_id = lessons.id AND track_id = tracks.id AND user_id = %(user)s
            ) AS b
            WHERE EXISTS (
                SELECT FROM enrollments WHERE track_id = tracks.id AND user_id = %(user)s
            )
            ORDER BY tracks.id
            """,
            {"user": user_id},
        )
        return cursor.fetchall()
