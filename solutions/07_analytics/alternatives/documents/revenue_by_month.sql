-- Every month is a condition of its own on the same rows; the year's sum is among the groups.

SELECT m.month,
       count(*) FILTER (WHERE p.month = m.month) AS payments,
       coalesce(sum(p.euros) FILTER (WHERE p.month = m.month), 0) AS revenue,
       avg(p.euros) FILTER (WHERE p.month = m.month) AS average,
       100 * coalesce(sum(p.euros) FILTER (WHERE p.month = m.month), 0) / sum(p.euros) AS share
FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12)) AS m (month)
LEFT JOIN (
    SELECT date_part('month', local) AS month, amount_cents::numeric / 100 AS euros
    FROM (SELECT timezone('Europe/Berlin', paid_at) AS local, * FROM payments) AS there
    WHERE status = 'paid' AND date_part('year', local) = :year
) AS p ON true
GROUP BY m.month
ORDER BY m.month;
