CREATE TABLE words (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text NOT NULL);
INSERT INTO words (word) SELECT md5(n::text) FROM generate_series(1, 5000) AS n;
