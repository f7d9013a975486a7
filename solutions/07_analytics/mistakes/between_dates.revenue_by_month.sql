-- misconception: between-ends-at-midnight
-- fails: test_midnight_in_berlin
-- Revenue of the months of a year in Berlin, from the first to the last day of each.

WITH months AS (
    SELECT m, make_date(:year, m, 1) AS first_day,
           (make_date(:year, m, 1) + interval '1 month - 1 day')::date AS last_day
    FROM generate_series(1, 12) AS m
)
SELECT m AS month,
       count(p.id) AS payments,
       coalesce(sum(p.amount_cents), 0) / 100.0 AS revenue,
       avg(p.amount_cents) / 100.0 AS average,
       100.0 * coalesce(sum(p.amount_cents), 0) / nullif(sum(sum(p.amount_cents)) OVER (), 0) AS share
FROM months
LEFT JOIN payments p
       ON p.paid_at AT TIME ZONE 'Europe/Berlin' BETWEEN first_day AND last_day
      AND p.status = 'paid'
GROUP BY m
ORDER BY m;
