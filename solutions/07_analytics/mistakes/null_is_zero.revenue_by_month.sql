-- misconception: null-is-zero
-- fails: test_months_without_payments, test_a_year_without_payments
-- Revenue of the months of a year in Berlin, and no NULLs anywhere.

WITH there AS (
    SELECT extract(month FROM paid_at AT TIME ZONE 'Europe/Berlin') AS month,
           count(*) AS payments, sum(amount_cents) AS cents
    FROM payments
    WHERE status = 'paid' AND extract(year FROM paid_at AT TIME ZONE 'Europe/Berlin') = :year
    GROUP BY 1
)
SELECT m AS month,
       coalesce(payments, 0) AS payments,
       coalesce(cents, 0) / 100.0 AS revenue,
       coalesce(cents / 100.0 / payments, 0) AS average,
       coalesce(100.0 * coalesce(cents, 0) / sum(cents) OVER (), 0) AS share
FROM generate_series(1, 12) AS m
LEFT JOIN there ON there.month = m
ORDER BY m;
