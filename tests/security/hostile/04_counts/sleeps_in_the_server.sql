-- threat: 13, 19
-- earns: 0
-- ends: timeout timeout
SET statement_timeout = 0;
SELECT pg_sleep(3600);
SELECT 1 AS rich, 2 AS total;
