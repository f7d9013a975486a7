-- misconception: every-word-weighs-the-same
-- fails: test_the_best_come_first
-- The words of each lesson, of its title and of its content.

ALTER TABLE lessons ADD COLUMN words tsvector GENERATED ALWAYS AS (
    to_tsvector('english', title || ' ' || coalesce(content, ''))
) STORED;

CREATE INDEX lessons_words ON lessons USING gin (words);
