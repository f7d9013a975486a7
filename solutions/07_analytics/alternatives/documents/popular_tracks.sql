-- Keys that are distinct by themselves; the least number among equals is their rank.

SELECT min(place) OVER (PARTITION BY learners) AS rank, title, learners, completed, revenue
FROM (
    SELECT t.id, t.title, count(DISTINCT e.user_id) AS learners,
           count(DISTINCT (p.user_id, p.lesson_id)) FILTER (WHERE p.is_completed) AS completed,
           coalesce((SELECT sum(amount_cents) FROM payments m
                      WHERE m.id = ANY (array_agg(DISTINCT pay.id))), 0) / 100.0 AS revenue,
           row_number() OVER (ORDER BY count(DISTINCT e.user_id) DESC, t.id) AS place
    FROM tracks t
    LEFT JOIN enrollments e ON e.track_id = t.id
    LEFT JOIN (lessons l JOIN lesson_progress p ON p.lesson_id = l.id AND p.is_completed)
           ON l.track_id = t.id
    LEFT JOIN payments pay ON pay.track_id = t.id AND pay.status = 'paid'
    WHERE t.is_published
    GROUP BY t.id
) AS numbered
ORDER BY place;
