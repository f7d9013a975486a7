-- misconception: null-in-concatenation
-- fails: test_lessons_without_content
-- The words of each lesson, those of the title first.

ALTER TABLE lessons ADD COLUMN words tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('english', title), 'A')
    || setweight(to_tsvector('english', content), 'D')
) STORED;

CREATE INDEX lessons_words ON lessons USING gin (words);
