-- Months by recursion, joined by their name.

WITH RECURSIVE months (month) AS (
    VALUES (1) UNION ALL SELECT month + 1 FROM months WHERE month < 12
), payments_there AS (
    SELECT to_char(paid_at AT TIME ZONE 'Europe/Berlin', 'YYYY-MM') AS name, amount_cents AS cents
    FROM payments WHERE status = 'paid'
), summed AS (
    SELECT month, count(cents)::int AS payments, sum(cents) AS cents
    FROM months LEFT JOIN payments_there
      ON name = :year::text || '-' || lpad(month::text, 2, '0')
    GROUP BY month
)
SELECT month,
       payments,
       coalesce(cents / 100::numeric, 0) AS revenue,
       round(cents / (100.0 * payments), 2) AS average,
       round(coalesce(100 * cents, 0) / (SELECT sum(cents) FROM summed)::numeric, 2) AS share
FROM summed
ORDER BY month;
