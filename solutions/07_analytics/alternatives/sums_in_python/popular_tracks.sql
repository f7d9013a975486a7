-- One long list of what happened, each line with its ones and zeros; then one sum over all of it.

WITH happened (track_id, learner, lesson, cents) AS (
    SELECT track_id, 1, 0, 0 FROM enrollments
    UNION ALL
    SELECT lessons.track_id, 0, is_completed::int, 0 FROM lesson_progress
    JOIN lessons ON lessons.id = lesson_id
    UNION ALL
    SELECT track_id, 0, 0, CASE status WHEN 'paid' THEN amount_cents ELSE 0 END FROM payments
    UNION ALL
    SELECT id, 0, 0, 0 FROM tracks
), summed AS (
    SELECT track_id, sum(learner) AS learners, sum(lesson) AS completed, sum(cents) AS cents
    FROM happened
    GROUP BY track_id
)
SELECT title, learners, completed, cents::float / 100 AS revenue, track_id,
       rank() OVER w AS rank
FROM summed JOIN tracks ON id = track_id AND is_published
WINDOW w AS (ORDER BY learners DESC)
ORDER BY rank, track_id;
