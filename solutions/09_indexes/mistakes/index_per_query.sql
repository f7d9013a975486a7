-- misconception: index-per-query
-- fails: test_writes
-- Five queries, five indexes.

CREATE INDEX for_last_attempts ON attempts (user_id, handed_in);
CREATE INDEX for_time_spent ON attempts (user_id) INCLUDE (minutes);
CREATE INDEX for_to_grade ON attempts (handed_in) WHERE NOT graded;
CREATE INDEX for_lesson_report ON attempts (lesson_id, handed_in);
CREATE INDEX for_sign_in ON users (lower(email));

DROP INDEX attempts_user;
DROP INDEX attempts_graded;
