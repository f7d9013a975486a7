-- misconception: index-per-column
-- fails: test_last_attempts, test_time_spent, test_writes, test_a_new_company
-- Each column that stands behind WHERE or ORDER BY has an index. (attempts_user is there already.)

CREATE INDEX attempts_handed_in ON attempts (handed_in);
CREATE INDEX attempts_lesson ON attempts (lesson_id);
CREATE INDEX users_lower_email ON users (lower(email));
CREATE INDEX attempts_to_grade ON attempts (handed_in) WHERE NOT graded;

DROP INDEX attempts_graded;
