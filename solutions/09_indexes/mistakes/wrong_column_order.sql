-- misconception: order-of-columns
-- fails: test_a_lessons_report
-- Time first, as in a diary: it is in nearly every query.

CREATE INDEX attempts_learner ON attempts (user_id, handed_in) INCLUDE (minutes);
CREATE INDEX attempts_time_and_lesson ON attempts (handed_in, lesson_id);
CREATE INDEX attempts_to_grade ON attempts (handed_in) WHERE NOT graded;
CREATE INDEX users_lower_email ON users (lower(email));

DROP INDEX attempts_user;
DROP INDEX attempts_graded;
