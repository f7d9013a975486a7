-- A generated column that is NULL for the deleted, and a plain UNIQUE on it; windows to choose by.
WITH ranked AS (
    SELECT id, row_number() OVER (PARTITION BY email ORDER BY id) AS place
    FROM users WHERE deleted_at IS NULL
)
UPDATE users SET deleted_at = transaction_timestamp()
FROM ranked WHERE ranked.id = users.id AND place > 1;

ALTER TABLE users
    ADD COLUMN email_in_use text GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN email END) STORED,
    ADD UNIQUE (email_in_use) DEFERRABLE INITIALLY DEFERRED;

WITH ranked AS (
    SELECT id, rank() OVER (PARTITION BY user_id, track_id
                            ORDER BY progress DESC NULLS LAST, id) AS place
    FROM enrollments
)
DELETE FROM enrollments WHERE id IN (SELECT id FROM ranked WHERE place > 1);

UPDATE enrollments SET progress = 0 WHERE progress IS NULL OR progress < 0;
UPDATE enrollments SET progress = 100 WHERE progress > 100;
UPDATE enrollments SET status = 'active' WHERE completed_at IS NULL AND status = 'completed';
UPDATE enrollments SET completed_at = NULL WHERE status != 'completed';
UPDATE payments SET amount = abs(amount);

CREATE UNIQUE INDEX ON enrollments (track_id, user_id);
ALTER TABLE enrollments ADD CHECK (progress IS NOT NULL AND progress >= 0 AND progress <= 100);
ALTER TABLE enrollments ADD CHECK (num_nonnulls(completed_at) = (status = 'completed')::int);
ALTER TABLE enrollments ADD CHECK (completed_at IS NULL OR completed_at >= enrolled_at);
ALTER TABLE payments ADD CHECK (amount > 0);
ALTER TABLE payments ADD UNIQUE NULLS DISTINCT (provider, reference);

DO $$
DECLARE
    key record;
BEGIN
    FOR key IN SELECT conname, conrelid::regclass AS tab, pg_get_constraintdef(oid) AS def
               FROM pg_constraint
               WHERE contype = 'f' AND conrelid IN ('payments'::regclass, 'enrollments'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.tab, key.conname);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s ON DELETE %s', key.tab, key.conname,
                       replace(key.def, ' ON DELETE CASCADE', ''),
                       CASE key.tab WHEN 'payments'::regclass THEN 'SET NULL' ELSE 'CASCADE' END);
    END LOOP;
    ALTER TABLE payments ALTER user_id DROP NOT NULL;
    ALTER TABLE payments ALTER track_id DROP NOT NULL;
END $$;
