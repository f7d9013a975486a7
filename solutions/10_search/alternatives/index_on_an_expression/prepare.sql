-- No column at all: the index is over what a search computes.

CREATE INDEX ON lessons USING gin (
    (to_tsvector('english', title || ' / ' || coalesce(content, '')))
) WHERE is_published;
