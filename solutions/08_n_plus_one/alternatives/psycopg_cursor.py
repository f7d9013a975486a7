"""psycopg alone, on the session's own connection: dataclasses as answers, scalar subqueries."""

from dataclasses import dataclass, field

from psycopg.rows import class_row, scalar_row, tuple_row


@dataclass
class Entry:
    title: str
    author: str
    lessons: list = field(default_factory=list)


@dataclass
class Totals:
    title: str
    lessons: int
    minutes: int
    reviews: int
    stars: float | None


@dataclass
class MenuItem:
    title: str
    minutes: int


def _cursor(session, row_factory):
    return session.connection().connection.driver_connection.cursor(row_factory=row_factory)


def catalog(session):
    with _cursor(session, tuple_row) as cursor:
        cursor.execute(
            "SELECT tracks.id, tracks.title, username, lessons.title FROM tracks"
            " JOIN users ON users.id = author_id LEFT JOIN lessons ON lessons.track_id = tracks.id"
            " WHERE is_published ORDER BY tracks.id, lessons.position"
        )
        entries = {}
        for track_id, title, author, lesson in cursor:
            entry = entries.setdefault(track_id, Entry(title, author))
            if lesson is not None:
                entry.lessons.append(lesson)
    return list(entries.values())


def track_totals(session):
    with _cursor(session, class_row(Totals)) as cursor:
        cursor.execute(
            "SELECT title,"
            " (SELECT count(*) FROM lessons WHERE track_id = tracks.id) AS lessons,"
            " (SELECT coalesce(sum(minutes), 0) FROM lessons"
            "  WHERE track_id = tracks.id) AS minutes,"
            " (SELECT count(*) FROM reviews WHERE track_id = tracks.id) AS reviews,"
            " (SELECT avg(stars)::float8 FROM reviews WHERE track_id = tracks.id) AS stars"
            " FROM tracks ORDER BY id"
        )
        return cursor.fetchall()


def lesson_menu(session, track_id):
    with _cursor(session, class_row(MenuItem)) as cursor:
        return cursor.execute(
            "SELECT title, minutes FROM"
            " (SELECT title, minutes, position FROM lessons WHERE track_id = %s) menu"
            " ORDER BY position",
            [track_id],
        ).fetchall()


def badges(session, user_ids):
    wanted = [(place, user_id) for place, user_id in enumerate(user_ids)]
    with _cursor(session, scalar_row) as cursor:
        cursor.execute(
            "SELECT username FROM jsonb_array_elements(%s::jsonb) AS asked"
            " LEFT JOIN users ON users.id = (asked ->> 1)::bigint ORDER BY (asked ->> 0)::int",
            [str([list(pair) for pair in wanted])],
        )
        return cursor.fetchall()
