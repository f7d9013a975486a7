-- misconception: no-stored-vector
-- fails: test_a_search_looks_up
-- The words of each lesson are computed once and stored, so that no search has to do it.

ALTER TABLE lessons ADD COLUMN words tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('english', title), 'A')
    || setweight(to_tsvector('english', coalesce(content, '')), 'D')
) STORED;
