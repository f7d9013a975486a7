-- misconception: month-of-the-server
-- fails: test_midnight_in_berlin
-- Revenue of the months of a year.

SELECT m AS month,
       count(p.id) AS payments,
       coalesce(sum(p.amount_cents), 0) / 100.0 AS revenue,
       avg(p.amount_cents) / 100.0 AS average,
       100.0 * coalesce(sum(p.amount_cents), 0) / nullif(sum(sum(p.amount_cents)) OVER (), 0) AS share
FROM generate_series(1, 12) AS m
LEFT JOIN payments p
       ON date_trunc('month', p.paid_at) = make_date(:year, m, 1)
      AND p.status = 'paid'
GROUP BY m
ORDER BY m;
