SELECT count(*) FILTER (WHERE cents >= :cents) AS rich, count(*) AS total FROM accounts;
