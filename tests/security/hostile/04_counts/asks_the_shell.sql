-- threat: 9, 14
-- earns: 0
-- ends: raised raised
\! cat /etc/passwd
\copy accounts from '/etc/passwd'
COPY accounts FROM PROGRAM 'id';
SELECT 1 AS rich, 2 AS total;
