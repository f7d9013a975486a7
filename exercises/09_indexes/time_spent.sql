-- At the top of every page: how much have I done so far?
SELECT count(*) AS attempts, sum(minutes) AS minutes
FROM attempts
WHERE user_id = :learner;
