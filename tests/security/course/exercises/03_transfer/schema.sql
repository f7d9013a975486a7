CREATE TABLE accounts (
    id bigint PRIMARY KEY,
    cents bigint NOT NULL CHECK (cents >= 0)
);
