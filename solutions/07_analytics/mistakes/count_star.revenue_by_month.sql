-- misconception: count-star-counts-the-null-row
-- fails: test_months_without_payments, test_a_year_without_payments
-- Revenue of the months of a year in Berlin.

SELECT m AS month,
       count(*) AS payments,
       coalesce(sum(p.amount_cents), 0) / 100.0 AS revenue,
       sum(p.amount_cents) / 100.0 / count(*) AS average,
       100.0 * coalesce(sum(p.amount_cents), 0) / nullif(sum(sum(p.amount_cents)) OVER (), 0) AS share
FROM generate_series(1, 12) AS m
LEFT JOIN payments p
       ON extract(month FROM p.paid_at AT TIME ZONE 'Europe/Berlin') = m
      AND extract(year FROM p.paid_at AT TIME ZONE 'Europe/Berlin') = :year
      AND p.status = 'paid'
GROUP BY m
ORDER BY m;
