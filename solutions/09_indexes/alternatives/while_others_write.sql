-- Nobody has to wait while these are built, and a second run does no harm.
BEGIN;
DROP INDEX IF EXISTS attempts_user, attempts_graded;
COMMIT;

CREATE INDEX CONCURRENTLY IF NOT EXISTS learner ON attempts (user_id, handed_in DESC, minutes);
CREATE INDEX CONCURRENTLY IF NOT EXISTS lesson
    ON attempts USING btree (lesson_id, handed_in DESC) INCLUDE (score);
CREATE INDEX CONCURRENTLY IF NOT EXISTS queue ON attempts (graded, handed_in, id) WHERE graded = false;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS sign_in ON users (lower(email));

COMMENT ON INDEX learner IS 'last_attempts.sql, time_spent.sql';
ANALYZE users, attempts;
