-- The rules of the school's tables. Runs once, in one transaction.

-- Users: one account for an email, among those who are not deleted.
UPDATE users SET deleted_at = now()
WHERE deleted_at IS NULL
  AND EXISTS (SELECT FROM users AS older
              WHERE older.email = users.email AND older.deleted_at IS NULL AND older.id < users.id);

CREATE UNIQUE INDEX users_email_in_use ON users (email) WHERE deleted_at IS NULL;

-- Enrollments: values first, so that NULL counts as 0 when the best one is chosen.
UPDATE enrollments SET progress = least(100, greatest(0, coalesce(progress, 0)));

UPDATE enrollments SET status = 'active' WHERE status = 'completed' AND completed_at IS NULL;
UPDATE enrollments SET completed_at = NULL WHERE status <> 'completed';

DELETE FROM enrollments
WHERE id NOT IN (SELECT DISTINCT ON (user_id, track_id) id FROM enrollments
                 ORDER BY user_id, track_id, progress DESC, id);

ALTER TABLE enrollments
    ALTER COLUMN progress SET NOT NULL,
    ADD CONSTRAINT enrollments_once UNIQUE (user_id, track_id),
    ADD CONSTRAINT enrollments_percent CHECK (progress BETWEEN 0 AND 100),
    ADD CONSTRAINT enrollments_completed_says_when
        CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    ADD CONSTRAINT enrollments_end_after_the_beginning CHECK (completed_at >= enrolled_at),
    DROP CONSTRAINT enrollments_user_id_fkey,
    DROP CONSTRAINT enrollments_track_id_fkey,
    ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE,
    ADD FOREIGN KEY (track_id) REFERENCES tracks ON DELETE CASCADE;

-- Payments: they outlive users and tracks.
UPDATE payments SET amount = -amount WHERE amount < 0;

ALTER TABLE payments
    ALTER COLUMN user_id DROP NOT NULL,
    ALTER COLUMN track_id DROP NOT NULL,
    ADD CONSTRAINT payments_amount_is_positive CHECK (amount > 0),
    ADD CONSTRAINT payments_reference_once UNIQUE (provider, reference),
    DROP CONSTRAINT payments_user_id_fkey,
    DROP CONSTRAINT payments_track_id_fkey,
    ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE SET NULL,
    ADD FOREIGN KEY (track_id) REFERENCES tracks ON DELETE SET NULL;
