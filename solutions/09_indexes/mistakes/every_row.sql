-- misconception: an-index-holds-every-row
-- fails: test_disk
-- The teachers' page asks for a flag and sorts by time: in this order.

CREATE INDEX attempts_graded_and_time ON attempts (graded, handed_in);
CREATE INDEX attempts_learner ON attempts (user_id, handed_in) INCLUDE (minutes);
CREATE INDEX attempts_lesson ON attempts (lesson_id, handed_in);
CREATE INDEX users_lower_email ON users (lower(email));

DROP INDEX attempts_user;
DROP INDEX attempts_graded;
