-- The teachers' page: what waits to be graded, and has waited longest?
SELECT id, lesson_id, answer
FROM attempts
WHERE NOT graded
ORDER BY handed_in
LIMIT 20;
