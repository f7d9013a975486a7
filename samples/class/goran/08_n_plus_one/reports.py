# Goran's reports. One query each, as fast as it gets.

from sqlalchemy import text


def _rows(session, sql, **values):
    return [dict(row) for row in session.execute(text(sql), values).mappings()]


def catalog(session):
    return _rows(
        session,
        """
        SELECT t.title, u.username AS author, array_agg(l.title ORDER BY l.position) AS lessons
        FROM tracks t
        JOIN users u ON u.id = t.author_id
        JOIN lessons l ON l.track_id = t.id
        WHERE t.is_published
        GROUP BY t.id, u.id
        ORDER BY t.id
        """,
    )


def track_totals(session):
    return _rows(
        session,
        """
        SELECT t.title,
               count(DISTINCT l.id) AS lessons,
               coalesce(sum(l.minutes), 0) AS minutes,
               count(DISTINCT r.id) AS reviews,
               avg(r.stars) AS stars
        FROM tracks t
        LEFT JOIN lessons l ON l.track_id = t.id
        LEFT JOIN reviews r ON r.track_id = t.id
        GROUP BY t.id
        ORDER BY t.id
        """,
    )


def lesson_menu(session, track_id):
    return _rows(
        session,
        "SELECT title, minutes FROM lessons WHERE track_id = :track ORDER BY position",
        track=track_id,
    )


def badges(session, user_ids):
    names = {
        row["id"]: row["username"]
        for row in _rows(
            session, "SELECT id, username FROM users WHERE id = ANY(:ids)", ids=list(user_ids)
        )
    }
    return [names.get(i) for i in user_ids]
