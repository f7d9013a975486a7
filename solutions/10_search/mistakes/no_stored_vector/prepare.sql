-- misconception: no-stored-vector
-- fails: test_a_search_looks_up
-- PostgreSQL's full text search needs no preparation; an index on what is searched makes it fast.

CREATE INDEX lessons_title ON lessons (title);
CREATE INDEX lessons_published ON lessons (is_published);
