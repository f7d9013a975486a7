"""One JSON document from PostgreSQL, figures and all."""

from sqlalchemy import text

DOCUMENT = text(
    """
    SELECT coalesce(jsonb_agg(to_jsonb(report) - 'id' ORDER BY id), '[]') FROM (
        SELECT t.id, t.title AS track, cardinality(l.ids) AS lessons,
               (SELECT count(*) FROM lesson_progress p
                 WHERE p.user_id = e.user_id AND p.is_completed AND p.lesson_id = ANY (l.ids))
                   AS completed,
               coalesce((SELECT sum(x.minutes) FROM lessons x
                 WHERE x.id IN (SELECT p.lesson_id FROM lesson_progress p
                                 WHERE p.user_id = e.user_id AND p.is_completed)
                   AND x.track_id = t.id), 0) AS minutes,
               l.percent,
               (SELECT avg(p.score) FROM lesson_progress p
                 WHERE p.user_id = e.user_id AND p.lesson_id = ANY (l.ids)) AS score
        FROM enrollments e
        NATURAL JOIN (SELECT id AS track_id, * FROM tracks) AS t
        CROSS JOIN LATERAL (
            SELECT array_remove(array_agg(x.id), NULL) AS ids,
                   avg(CASE WHEN p.is_completed THEN 100.0 ELSE 0 END) AS percent
            FROM lessons x
            LEFT JOIN lesson_progress p ON p.lesson_id = x.id AND p.user_id = e.user_id
            WHERE x.track_id = t.id
        ) AS found
        CROSS JOIN LATERAL (SELECT coalesce(found.ids, '{}') AS ids, found.percent) AS l
        WHERE e.user_id = :user_id
    ) AS report
    """
)


def user_progress(session, user_id):
    return session.scalar(DOCUMENT, {"user_id": user_id})
