-- misconception: vector-filled-once
-- fails: test_later_lessons
-- A column for the words of each lesson, filled for all that are there, and its index.

ALTER TABLE lessons ADD COLUMN words tsvector;

UPDATE lessons
SET words = setweight(to_tsvector('english', title), 'A')
         || setweight(to_tsvector('english', coalesce(content, '')), 'D');

CREATE INDEX lessons_words ON lessons USING gin (words);
