-- misconception: no-rows-no-group
-- fails: test_months_without_payments, test_a_year_without_payments
-- Revenue of the months of a year in Berlin, one group for each month.

SELECT extract(month FROM paid_at AT TIME ZONE 'Europe/Berlin') AS month,
       count(*) AS payments,
       sum(amount_cents) / 100.0 AS revenue,
       avg(amount_cents) / 100.0 AS average,
       100.0 * sum(amount_cents) / sum(sum(amount_cents)) OVER () AS share
FROM payments
WHERE status = 'paid' AND extract(year FROM paid_at AT TIME ZONE 'Europe/Berlin') = :year
GROUP BY 1
ORDER BY 1;
