"""Chidi: SQL is a perfectly good language. One query a report."""


def _rows(session, statement, *values):
    return session.connection().exec_driver_sql(statement, values).mappings().all()


def catalog(session):
    return _rows(
        session,
        """
        SELECT t.title, u.username AS author,
               ARRAY(
                   SELECT l.title FROM lessons l WHERE l.track_id = t.id ORDER BY l.position
               ) AS lessons
        FROM tracks t, users u
        WHERE u.id = t.author_id AND t.is_published
        ORDER BY t.id
        """,
    )


def track_totals(session):
    return _rows(
        session,
        """
        SELECT t.title, l.*, r.*
        FROM tracks t
        CROSS JOIN LATERAL (
            SELECT count(*) AS lessons, coalesce(sum(minutes), 0) AS minutes
            FROM lessons WHERE track_id = t.id
        ) l
        CROSS JOIN LATERAL (
            SELECT count(*) AS reviews, round(avg(stars), 2) AS stars
            FROM reviews WHERE track_id = t.id
        ) r
        ORDER BY t.id
        """,
    )


def lesson_menu(session, track_id):
    [row] = _rows(
        session,
        """
        WITH menu AS (SELECT position, title, minutes FROM lessons WHERE track_id = %s)
        SELECT coalesce(jsonb_agg(to_jsonb(menu) ORDER BY position), '[]') AS menu
        FROM (SELECT * FROM menu) menu
        """,
        track_id,
    )
    return row["menu"]


def badges(session, user_ids):
    rows = _rows(
        session,
        """
        SELECT u.username
        FROM unnest(%s::bigint[]) WITH ORDINALITY AS asked (id, place)
        LEFT JOIN users u USING (id)
        ORDER BY place
        """,
        list(user_ids),
    )
    return [row["username"] for row in rows]
