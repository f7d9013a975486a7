-- misconception: found-is-read
-- fails: test_time_spent
-- With (user_id, handed_in) a learner's attempts are found at once, on both pages.

CREATE INDEX attempts_learner_and_time ON attempts (user_id, handed_in);
CREATE INDEX attempts_lesson_and_time ON attempts (lesson_id, handed_in);
CREATE INDEX attempts_to_grade ON attempts (handed_in) WHERE NOT graded;
CREATE INDEX users_lower_email ON users (lower(email));

DROP INDEX attempts_user;
DROP INDEX attempts_graded;
