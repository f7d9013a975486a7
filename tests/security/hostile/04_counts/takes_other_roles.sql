-- threat: 14
-- earns: 0
-- ends: raised raised
SET ROLE kit_author;
SELECT 1 AS rich, 2 AS total;
