-- threat: 14, 17
-- earns: 0
-- ends: assertion assertion
COMMIT;
DELETE FROM accounts;
SET statement_timeout = 0;
SELECT 1 AS rich, 2 AS total;
