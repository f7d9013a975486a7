-- Ranges of time, and the payments that lie in them.

SELECT extract(month FROM first_day) AS month,
       payments,
       revenue::numeric(12, 2),
       revenue / nullif(payments, 0) AS average,
       revenue / nullif(sum(revenue) OVER (), 0) * 100 AS share
FROM generate_series(
         make_timestamp(:year, 1, 1, 0, 0, 0), make_timestamp(:year, 12, 1, 0, 0, 0), '1 month'
     ) AS first_day,
LATERAL (
    SELECT count(*) AS payments, coalesce(sum(amount_cents), 0) * 0.01 AS revenue
    FROM payments
    WHERE status = 'paid'
      AND paid_at <@ tstzrange(first_day AT TIME ZONE 'Europe/Berlin',
                               (first_day + interval '1 month') AT TIME ZONE 'Europe/Berlin')
) AS there
ORDER BY first_day;
