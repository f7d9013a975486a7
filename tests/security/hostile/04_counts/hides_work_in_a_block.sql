-- threat: 15, 17
-- earns: 0
-- ends: assertion assertion
DO $$ BEGIN EXECUTE 'INSERT INTO accounts VALUES (-1, 0)'; END $$;
SELECT count(*) FILTER (WHERE cents >= :cents) AS rich, count(*) - 1 AS total FROM accounts;
