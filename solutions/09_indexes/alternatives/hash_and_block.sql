DO $$
DECLARE
    old record;
BEGIN
    FOR old IN SELECT indexrelid::regclass AS name FROM pg_index
               WHERE indrelid = 'attempts'::regclass AND NOT indisunique
    LOOP
        EXECUTE format('DROP INDEX %s', old.name);
    END LOOP;
    EXECUTE 'CREATE INDEX ON users USING hash (lower(email))';
    EXECUTE 'CREATE INDEX ON attempts (lesson_id, handed_in)';
    EXECUTE 'CREATE INDEX ON attempts (user_id, handed_in DESC NULLS FIRST) INCLUDE (minutes)';
    EXECUTE 'CREATE INDEX ON attempts (handed_in) INCLUDE (id) WHERE graded <> true';
END $$;
