-- misconception: cluster-stays
-- fails: test_the_tables_are_what_they_were
-- A learner's attempts stand side by side now, so that few pages have to be read for them.

CREATE INDEX attempts_learner ON attempts (user_id, handed_in);
CLUSTER attempts USING attempts_learner;

CREATE INDEX attempts_lesson ON attempts (lesson_id, handed_in);
CREATE INDEX attempts_to_grade ON attempts (handed_in) WHERE NOT graded;
CREATE INDEX users_lower_email ON users (lower(email));

DROP INDEX attempts_user;
DROP INDEX attempts_graded;
