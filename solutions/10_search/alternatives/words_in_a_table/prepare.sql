-- A table of words: which stands in which lesson, in its title or not, and where. Triggers keep it.

CREATE TABLE lesson_words (
    word      text     NOT NULL,
    lesson_id bigint   NOT NULL REFERENCES lessons ON DELETE CASCADE,
    in_title  boolean  NOT NULL,
    places    smallint[] NOT NULL,
    PRIMARY KEY (word, lesson_id, in_title)
);

CREATE FUNCTION index_lesson(lesson lessons) RETURNS void LANGUAGE sql BEGIN ATOMIC
    DELETE FROM lesson_words WHERE lesson_id = lesson.id;
    INSERT INTO lesson_words
    SELECT lexeme, lesson.id, in_title, positions
    FROM (VALUES (true, lesson.title), (false, lesson.content)) AS texts (in_title, said),
         LATERAL unnest(to_tsvector('english', said));
END;

CREATE FUNCTION lesson_was_stored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM index_lesson(NEW);
    RETURN NULL;
END $$;

CREATE TRIGGER lesson_was_stored AFTER INSERT OR UPDATE ON lessons
    FOR EACH ROW EXECUTE FUNCTION lesson_was_stored();

INSERT INTO lesson_words
SELECT lexeme, id, in_title, positions
FROM lessons,
     LATERAL (VALUES (true, title), (false, content)) AS texts (in_title, said),
     LATERAL unnest(to_tsvector('english', said));
