-- misconception: integer-division
-- fails: test_twelve_months
-- Revenue of the months of a year in Berlin.

WITH payments_of_the_year AS (
    SELECT extract(month FROM paid_at AT TIME ZONE 'Europe/Berlin') AS month, amount_cents
    FROM payments
    WHERE status = 'paid' AND extract(year FROM paid_at AT TIME ZONE 'Europe/Berlin') = :year
)
SELECT m AS month,
       count(amount_cents) AS payments,
       coalesce(sum(amount_cents), 0) / 100 AS revenue,
       sum(amount_cents) / nullif(count(amount_cents), 0) / 100 AS average,
       100 * coalesce(sum(amount_cents), 0)
           / (SELECT sum(amount_cents) FROM payments_of_the_year) AS share
FROM generate_series(1, 12) AS m
LEFT JOIN payments_of_the_year p ON p.month = m
GROUP BY m
ORDER BY m;
