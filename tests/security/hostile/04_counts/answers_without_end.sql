-- threat: 7, 13
-- earns: 0
-- ends: raised|timeout raised|timeout
SELECT repeat('x', 1000000) AS rich, n AS total FROM generate_series(1, 100000000) AS n;
