-- misconception: todays-values
-- fails: test_a_new_company
-- Only companies have many attempts: learners 1 to 10. All others are served by attempts_user.

CREATE INDEX attempts_of_companies ON attempts (user_id, handed_in) INCLUDE (minutes)
    WHERE user_id <= 10;
CREATE INDEX attempts_lesson ON attempts (lesson_id, handed_in);
CREATE INDEX attempts_to_grade ON attempts (handed_in) WHERE NOT graded;
CREATE INDEX users_lower_email ON users (lower(email));

DROP INDEX attempts_graded;
