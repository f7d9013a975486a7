-- misconception: where-undoes-the-outer-join
-- fails: test_tracks_that_nobody_takes
-- Published tracks by learners: LEFT JOINs, so that no track gets lost.

WITH paid AS (
    SELECT t.id, coalesce(sum(m.amount_cents), 0) AS cents
    FROM tracks t
    LEFT JOIN payments m ON m.track_id = t.id
    WHERE m.status = 'paid'
    GROUP BY t.id
), done AS (
    SELECT t.id, coalesce(count(p.lesson_id), 0) AS lessons
    FROM tracks t
    LEFT JOIN lessons l ON l.track_id = t.id
    LEFT JOIN lesson_progress p ON p.lesson_id = l.id
    WHERE p.is_completed
    GROUP BY t.id
)
SELECT rank() OVER (ORDER BY count(e.user_id) DESC) AS rank,
       t.title,
       count(e.user_id) AS learners,
       done.lessons AS completed,
       paid.cents / 100.0 AS revenue
FROM tracks t
JOIN paid ON paid.id = t.id
JOIN done ON done.id = t.id
LEFT JOIN enrollments e ON e.track_id = t.id
WHERE t.is_published
GROUP BY t.id, done.lessons, paid.cents
ORDER BY rank, t.id;
