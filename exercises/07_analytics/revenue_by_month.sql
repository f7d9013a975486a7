-- What came in, month by month. Written for the first year, when there was no other.

SELECT to_char(paid_at, 'Month') AS month, sum(amount_cents) AS cents
FROM payments
GROUP BY to_char(paid_at, 'Month');
