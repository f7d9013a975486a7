-- For the authors: how does a lesson go, from one day to another?
SELECT count(*) AS attempts, round(avg(score), 1) AS score
FROM attempts
WHERE lesson_id = :lesson AND handed_in >= :since AND handed_in < :until;
