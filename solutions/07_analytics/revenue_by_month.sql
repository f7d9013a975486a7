-- Revenue of the months of a year in Berlin. The months come first, so that each of them is there.

WITH months AS (
    SELECT month,
           make_timestamptz(:year, month, 1, 0, 0, 0, 'Europe/Berlin') AS begins,
           make_timestamptz(:year + month / 12, month % 12 + 1, 1, 0, 0, 0, 'Europe/Berlin') AS ends
    FROM generate_series(1, 12) AS month
), totals AS (
    SELECT month,
           count(p.id) AS payments,
           coalesce(sum(p.amount_cents), 0) AS cents,
           avg(p.amount_cents) AS average
    FROM months
    LEFT JOIN payments p ON p.status = 'paid' AND p.paid_at >= begins AND p.paid_at < ends
    GROUP BY month
)
SELECT month,
       payments,
       cents / 100.0 AS revenue,
       average / 100 AS average,
       cents * 100.0 / nullif(sum(cents) OVER (), 0) AS share
FROM totals
ORDER BY month;
