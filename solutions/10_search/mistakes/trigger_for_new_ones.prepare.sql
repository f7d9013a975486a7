-- misconception: vector-filled-once
-- fails: test_later_lessons
-- A column for the words of each lesson: filled for those that are there, and for new ones.

ALTER TABLE lessons ADD COLUMN words tsvector;

CREATE FUNCTION words_of_lesson() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.words := setweight(to_tsvector('english', NEW.title), 'A')
              || setweight(to_tsvector('english', coalesce(NEW.content, '')), 'D');
    RETURN NEW;
END $$;

CREATE TRIGGER words_of_lesson BEFORE INSERT ON lessons
    FOR EACH ROW EXECUTE FUNCTION words_of_lesson();

UPDATE lessons
SET words = setweight(to_tsvector('english', title), 'A')
         || setweight(to_tsvector('english', coalesce(content, '')), 'D');

CREATE INDEX lessons_words ON lessons USING gin (words);
