-- misconception: row-number-is-a-rank
-- fails: test_ranks
-- Published tracks by learners, numbered from the top.

WITH figures AS (
    SELECT t.id, t.title,
           (SELECT count(*) FROM enrollments e WHERE e.track_id = t.id) AS learners,
           (SELECT count(*) FROM lesson_progress p JOIN lessons l ON l.id = p.lesson_id
             WHERE l.track_id = t.id AND p.is_completed) AS completed,
           (SELECT coalesce(sum(amount_cents), 0) FROM payments m
             WHERE m.track_id = t.id AND m.status = 'paid') / 100.0 AS revenue
    FROM tracks t
    WHERE t.is_published
)
SELECT row_number() OVER (ORDER BY learners DESC, id) AS rank, title, learners, completed, revenue
FROM figures
ORDER BY rank;
