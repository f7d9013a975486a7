-- Who signs in? Nobody remembers which letters were capitals.
SELECT id, name
FROM users
WHERE lower(email) = lower(:email);
