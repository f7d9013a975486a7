-- misconception: function-hides-the-column
-- fails: test_sign_in, test_every_index_has_a_reason
-- Who signs in is looked up by email.

CREATE INDEX users_email ON users (email);
CREATE INDEX attempts_learner ON attempts (user_id, handed_in) INCLUDE (minutes);
CREATE INDEX attempts_lesson ON attempts (lesson_id, handed_in);
CREATE INDEX attempts_to_grade ON attempts (handed_in) WHERE NOT graded;

DROP INDEX attempts_user;
DROP INDEX attempts_graded;
