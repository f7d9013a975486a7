-- misconception: where-undoes-the-outer-join
-- fails: test_months_without_payments, test_a_year_without_payments
-- Revenue of the months of a year in Berlin. The LEFT JOIN keeps the months in which nobody paid.

SELECT m AS month,
       count(p.id) AS payments,
       coalesce(sum(p.amount_cents), 0) / 100.0 AS revenue,
       avg(p.amount_cents) / 100.0 AS average,
       100.0 * coalesce(sum(p.amount_cents), 0) / nullif(sum(sum(p.amount_cents)) OVER (), 0) AS share
FROM generate_series(1, 12) AS m
LEFT JOIN payments p ON extract(month FROM p.paid_at AT TIME ZONE 'Europe/Berlin') = m
WHERE p.status = 'paid'
  AND extract(year FROM p.paid_at AT TIME ZONE 'Europe/Berlin') = :year
GROUP BY m
ORDER BY m;
