-- The words of each lesson, reduced to their stems and kept by PostgreSQL itself; those of the title
-- weigh most.

ALTER TABLE lessons ADD COLUMN words tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('english', title), 'A')
    || setweight(to_tsvector('english', coalesce(content, '')), 'D')
) STORED;

CREATE INDEX lessons_words ON lessons USING gin (words);
