-- misconception: unused-costs-nothing
-- fails: test_disk, test_writes, test_every_index_has_a_reason
-- The five queries, and two more columns that somebody will ask for one day.

CREATE INDEX attempts_learner ON attempts (user_id, handed_in) INCLUDE (minutes);
CREATE INDEX attempts_lesson ON attempts (lesson_id, handed_in);
CREATE INDEX attempts_to_grade ON attempts (handed_in) WHERE NOT graded;
CREATE INDEX users_lower_email ON users (lower(email));

CREATE INDEX attempts_answer ON attempts (answer);
CREATE INDEX users_name ON users (name);

DROP INDEX attempts_user;
DROP INDEX attempts_graded;
