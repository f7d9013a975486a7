-- misconception: and-or-precedence
-- fails: test_several_words, test_unpublished_lessons
-- An index over the words of the titles, and one over those of the contents.

ALTER TABLE lessons
    ADD COLUMN title_words tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED,
    ADD COLUMN content_words tsvector
        GENERATED ALWAYS AS (to_tsvector('english', coalesce(content, ''))) STORED;

CREATE INDEX lessons_title_words ON lessons USING gin (title_words);
CREATE INDEX lessons_content_words ON lessons USING gin (content_words);
