-- misconception: inner-join-loses-zeros
-- fails: test_tracks_that_nobody_takes
-- Published tracks by learners. Learners, lessons and money are counted apart.

SELECT rank() OVER (ORDER BY learners DESC) AS rank, t.title, learners,
       coalesce(completed, 0) AS completed, coalesce(cents, 0) / 100.0 AS revenue
FROM tracks t
JOIN (SELECT track_id, count(*) AS learners FROM enrollments GROUP BY track_id) AS e
  ON e.track_id = t.id,
LATERAL (SELECT count(*) AS completed FROM lessons l, lesson_progress p
          WHERE l.track_id = t.id AND p.lesson_id = l.id AND p.is_completed) AS done,
LATERAL (SELECT sum(amount_cents) AS cents FROM payments m
          WHERE m.track_id = t.id AND m.status = 'paid') AS paid
WHERE t.is_published
ORDER BY rank, t.id;
