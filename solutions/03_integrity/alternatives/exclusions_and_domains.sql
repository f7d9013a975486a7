-- Exclusion constraints, domains, MERGE, and NULLs that are not distinct.
CREATE DOMAIN percent AS integer CHECK (VALUE >= 0 AND VALUE <= 100);
CREATE DOMAIN price AS numeric(10, 2) CHECK (VALUE > 0);

MERGE INTO users AS u
USING (SELECT email, min(id) AS first FROM users WHERE deleted_at IS NULL GROUP BY email) AS f
ON f.email = u.email AND u.deleted_at IS NULL AND u.id > f.first
WHEN MATCHED THEN UPDATE SET deleted_at = clock_timestamp();

ALTER TABLE users ADD EXCLUDE USING hash (email WITH =) WHERE (deleted_at IS NULL);

DELETE FROM enrollments AS worse USING enrollments AS better
WHERE better.user_id = worse.user_id AND better.track_id = worse.track_id
  AND (coalesce(better.progress, 0), -better.id) > (coalesce(worse.progress, 0), -worse.id);

ALTER TABLE enrollments
    ALTER progress TYPE percent USING CASE WHEN progress > 100 THEN 100 WHEN progress > 0 THEN progress ELSE 0 END,
    ALTER progress SET NOT NULL;

UPDATE enrollments SET
    status = CASE WHEN status = 'completed' AND completed_at IS NULL THEN 'active' ELSE status END,
    completed_at = CASE WHEN status = 'completed' THEN completed_at END;

ALTER TABLE enrollments ADD CHECK (
    CASE status WHEN 'completed' THEN coalesce(completed_at >= enrolled_at, false)
                ELSE completed_at IS NULL END);
ALTER TABLE enrollments ADD EXCLUDE USING btree (user_id WITH =, track_id WITH =);
ALTER TABLE enrollments DROP CONSTRAINT enrollments_user_id_fkey,
    DROP CONSTRAINT enrollments_track_id_fkey;
ALTER TABLE enrollments
    ADD CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID,
    ADD CONSTRAINT of_track FOREIGN KEY (track_id) REFERENCES tracks ON DELETE CASCADE NOT VALID;
ALTER TABLE enrollments VALIDATE CONSTRAINT of_user, VALIDATE CONSTRAINT of_track;

ALTER TABLE payments ALTER amount TYPE price USING abs(amount);
CREATE UNIQUE INDEX ON payments (reference, provider) WHERE reference IS NOT NULL;
ALTER TABLE payments ALTER user_id DROP NOT NULL, ALTER track_id DROP NOT NULL,
    DROP CONSTRAINT payments_user_id_fkey, DROP CONSTRAINT payments_track_id_fkey;
ALTER TABLE payments
    ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE SET DEFAULT,
    ADD FOREIGN KEY (track_id) REFERENCES tracks ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED;
