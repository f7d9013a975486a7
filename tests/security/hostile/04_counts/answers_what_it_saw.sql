-- threat: 18
-- earns: 0
-- ends: assertion assertion
SELECT 21 AS rich, 40 AS total;
