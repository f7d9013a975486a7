-- Scalar subqueries beside each track; a rank is one more than there are better ones.

WITH figures AS MATERIALIZED (
    SELECT id, title,
           (SELECT count(*) FROM enrollments WHERE track_id = tracks.id) AS learners,
           (SELECT count(*) FROM lesson_progress
             WHERE is_completed
               AND lesson_id IN (SELECT id FROM lessons WHERE track_id = tracks.id)) AS completed,
           (SELECT coalesce(sum(amount_cents::numeric / 100), 0) FROM payments
             WHERE track_id = tracks.id AND status = 'paid') AS revenue
    FROM tracks
    WHERE is_published
)
SELECT (SELECT 1 + count(*) FROM figures better WHERE better.learners > figures.learners) AS rank,
       figures.*
FROM figures
ORDER BY learners DESC, id;
