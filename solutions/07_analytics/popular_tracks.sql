-- Published tracks by learners. Each thing is counted by itself, before it meets the others.

WITH learners AS (
    SELECT track_id, count(*) AS number FROM enrollments GROUP BY track_id
), completed AS (
    SELECT l.track_id, count(*) AS number
    FROM lessons l
    JOIN lesson_progress p ON p.lesson_id = l.id
    WHERE p.is_completed
    GROUP BY l.track_id
), paid AS (
    SELECT track_id, sum(amount_cents) AS cents
    FROM payments
    WHERE status = 'paid'
    GROUP BY track_id
)
SELECT rank() OVER (ORDER BY coalesce(learners.number, 0) DESC) AS rank,
       t.title,
       coalesce(learners.number, 0) AS learners,
       coalesce(completed.number, 0) AS completed,
       coalesce(paid.cents, 0) / 100.0 AS revenue
FROM tracks t
LEFT JOIN learners ON learners.track_id = t.id
LEFT JOIN completed ON completed.track_id = t.id
LEFT JOIN paid ON paid.track_id = t.id
WHERE t.is_published
ORDER BY rank, t.id;
