-- misconception: fan-out
-- fails: test_each_is_counted_once, test_equal_amounts
-- Published tracks by learners: everything that belongs to a track is joined to it, then counted.

SELECT rank() OVER (ORDER BY count(DISTINCT e.user_id) DESC) AS rank,
       t.title,
       count(DISTINCT e.user_id) AS learners,
       count(p.lesson_id) FILTER (WHERE p.is_completed) AS completed,
       coalesce(sum(m.amount_cents) / 100.0, 0) AS revenue
FROM tracks t
LEFT JOIN enrollments e ON e.track_id = t.id
LEFT JOIN lessons l ON l.track_id = t.id
LEFT JOIN lesson_progress p ON p.lesson_id = l.id
LEFT JOIN payments m ON m.track_id = t.id AND m.status = 'paid'
WHERE t.is_published
GROUP BY t.id
ORDER BY rank, t.id;
