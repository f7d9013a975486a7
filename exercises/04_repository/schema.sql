-- The tables of this exercise. Every check starts from a fresh, empty copy of them.

CREATE TABLE users (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    email         text        NOT NULL UNIQUE,
    username      text        NOT NULL UNIQUE,
    password_hash text        NOT NULL,
    first_name    text,
    last_name     text,
    avatar        text,
    bio           text,
    role          text        NOT NULL DEFAULT 'student'
                              CHECK (role IN ('student', 'instructor', 'admin')),
    is_active     boolean     NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tracks (
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    title     text NOT NULL,
    author_id uuid NOT NULL REFERENCES users ON DELETE CASCADE
);

CREATE INDEX ON tracks (author_id);
