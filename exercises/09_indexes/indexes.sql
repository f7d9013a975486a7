-- The indexes of the school. Runs once; each statement is a transaction of its own.
--
-- I made one for each thing that is looked for: learners and what is graded had theirs already (see
-- schema.sql). It is as slow as before. Perhaps PostgreSQL must get used to them?

CREATE INDEX attempts_lesson ON attempts (lesson_id);
CREATE INDEX users_email ON users (email);
