-- misconception: shorter-index-is-needed
-- fails: test_writes, test_every_index_has_a_reason
-- attempts_user stays: time_spent.sql asks for the learner alone.

CREATE INDEX attempts_learner_and_time ON attempts (user_id, handed_in) INCLUDE (minutes);
CREATE INDEX attempts_lesson_and_time ON attempts (lesson_id, handed_in);
CREATE INDEX attempts_to_grade ON attempts (handed_in) WHERE NOT graded;
CREATE INDEX users_lower_email ON users (lower(email));

DROP INDEX attempts_graded;
