-- Makes the lessons ready to be searched. Runs once, in one transaction, before the first search.

-- Somebody said that an index makes it fast.
CREATE INDEX lessons_title ON lessons (title);
