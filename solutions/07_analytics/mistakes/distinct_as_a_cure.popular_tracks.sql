-- misconception: fan-out
-- fails: test_equal_amounts
-- Published tracks by learners. What the joins repeat is taken out again by DISTINCT.

SELECT rank() OVER (ORDER BY count(DISTINCT e.user_id) DESC) AS rank,
       t.title,
       count(DISTINCT e.user_id) AS learners,
       count(DISTINCT (p.user_id, p.lesson_id)) FILTER (WHERE p.is_completed) AS completed,
       coalesce(sum(DISTINCT m.amount_cents) / 100.0, 0) AS revenue
FROM tracks t
LEFT JOIN enrollments e ON e.track_id = t.id
LEFT JOIN lessons l ON l.track_id = t.id
LEFT JOIN lesson_progress p ON p.lesson_id = l.id
LEFT JOIN payments m ON m.track_id = t.id AND m.status = 'paid'
WHERE t.is_published
GROUP BY t.id
ORDER BY rank, t.id;
