-- The first page that a learner sees: what did I do last?
SELECT id, lesson_id, handed_in, score
FROM attempts
WHERE user_id = :learner
ORDER BY handed_in DESC
LIMIT 10;
