-- The rules of the school's tables. Runs once, in one transaction.
--
-- I began with the emails, as the oldest ticket says, and PostgreSQL would not have it:
--
--     ALTER TABLE users ADD UNIQUE (email);
--     ERROR:  could not create unique index "users_email_key"
--
-- So somebody must go through the rows first. Until then the application goes on checking before
-- it writes, as it always has.

COMMENT ON TABLE payments IS 'To be kept for ten years, whatever becomes of users and tracks.';
