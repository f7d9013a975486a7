-- misconception: unique-is-an-index
-- fails: test_the_tables_are_what_they_were
-- No query looks up the plain email any more, so its index can go. That saves a megabyte.

CREATE INDEX users_lower_email ON users (lower(email));
ALTER TABLE users DROP CONSTRAINT users_email_key;

CREATE INDEX attempts_learner ON attempts (user_id, handed_in) INCLUDE (minutes);
CREATE INDEX attempts_lesson ON attempts (lesson_id, handed_in);
CREATE INDEX attempts_to_grade ON attempts (handed_in) WHERE NOT graded;

DROP INDEX attempts_user;
DROP INDEX attempts_graded;
