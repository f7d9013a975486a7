-- The indexes of the school. Runs once; each statement is a transaction of its own.

-- A learner's attempts in the order of time, and how long each took: two pages, one index.
CREATE INDEX attempts_of_a_learner ON attempts (user_id, handed_in) INCLUDE (minutes);

-- Every index that begins with user_id finds a learner's attempts; one is enough.
DROP INDEX attempts_user;

-- What waits for the teachers: one in a hundred, and in the order in which they want it.
CREATE INDEX attempts_to_grade ON attempts (handed_in) WHERE NOT graded;
DROP INDEX attempts_graded;

-- First the lesson, which is one; then the time, which is a range.
CREATE INDEX attempts_of_a_lesson ON attempts (lesson_id, handed_in);

-- Looked up is not the email, but what lower() makes of it.
CREATE INDEX users_email_in_small_letters ON users (lower(email));
