-- A column that a trigger keeps up to date, and a GiST index.

ALTER TABLE lessons ADD COLUMN looked_up tsvector;

CREATE FUNCTION look_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.looked_up := setweight(to_tsvector('pg_catalog.english', NEW.title), 'A')
                  || setweight(to_tsvector('pg_catalog.english', coalesce(NEW.content, '')), 'B');
    RETURN NEW;
END $$;

CREATE TRIGGER look_up BEFORE INSERT OR UPDATE OF title, content ON lessons
    FOR EACH ROW EXECUTE FUNCTION look_up();

UPDATE lessons SET title = title;

ALTER TABLE lessons ALTER COLUMN looked_up SET NOT NULL;
CREATE INDEX ON lessons USING gist (looked_up tsvector_ops (siglen = 256));
