"""The demo data, drawn by PostgreSQL itself: each value from a digest of what it belongs to."""

from content import FIRST_NAMES, LAST_NAMES, TOPICS, TRACKS
from passwords import hash_password
from sqlalchemy import text

# A number from 0 to 1 for a text: the first 32 bits of its digest.
DRAW = "(('x' || left(md5({}), 8))::bit(32)::bigint::float8 / 4294967296)"


def below(many, *of_what):
    words = "concat_ws('/', CAST(:number AS text), " + ", ".join(of_what) + ")"
    return f"floor({DRAW.format(words)} * {many})::int"


LEARNERS = f"""
INSERT INTO users (email, name, password_hash, joined_at)
SELECT 'learner' || n || '@school' || CAST(:number AS text) || '.example',
       (CAST(:first AS text[]))[1 + {below(len(FIRST_NAMES), "'first'", "n")}] || ' ' ||
       (CAST(:last AS text[]))[1 + {below(len(LAST_NAMES), "'last'", "n")}],
       :hash,
       CAST(:until AS date)::timestamp AT TIME ZONE 'UTC'
           - (1 + {below(365 * 24 * 60, "'joined'", "n")}) * interval '1 minute'
FROM generate_series(1, CAST(:learners AS int)) n
ON CONFLICT (email) DO NOTHING"""

TRACKS_OF_IT = """
INSERT INTO tracks (slug, title)
SELECT name || '-' || CAST(:number AS text), title
FROM unnest(CAST(:names AS text[]), CAST(:titles AS text[])) AS given (name, title)
ON CONFLICT (slug) DO NOTHING"""

LESSONS = f"""
INSERT INTO lessons (track_id, position, title, minutes)
SELECT t.id, p, (CAST(:topics AS text[]))[1 + {below(len(TOPICS), "'topic'", "t.slug", "p")}],
       5 + {below(56, "'minutes'", "t.slug", "p")}
FROM tracks t, generate_series(1, 4 + {below(6, "'lessons'", "t.slug")}) p
WHERE t.slug = ANY (CAST(:slugs AS text[]))
ON CONFLICT (track_id, position) DO NOTHING"""

ENROLLMENTS = f"""
INSERT INTO enrollments (user_id, track_id, enrolled_at, progress)
SELECT u.id, t.id,
       u.joined_at + {DRAW.format("concat_ws('/', 'when', u.email, t.slug)")}
           * (CAST(:until AS date)::timestamp AT TIME ZONE 'UTC' - u.joined_at),
       {below(101, "'progress'", "u.email", "t.slug")}
FROM users u
CROSS JOIN LATERAL (
    SELECT id, slug FROM tracks
    WHERE slug = ANY (CAST(:slugs AS text[]))
    ORDER BY md5(u.email || slug)
    LIMIT 1 + {below(3, "'how many'", "u.email")}
) t
WHERE split_part(u.email, '@', 2) = 'school' || CAST(:number AS text) || '.example'
ON CONFLICT (user_id, track_id) DO NOTHING"""


def seed(session, number, *, learners, until, password):
    values = {
        "number": str(number),
        "learners": learners,
        "until": until,
        "hash": hash_password(password),
        "first": list(FIRST_NAMES),
        "last": list(LAST_NAMES),
        "topics": list(TOPICS),
        "names": list(TRACKS),
        "slugs": [f"{name}-{number}" for name in TRACKS],
        "titles": list(TRACKS.values()),
    }
    steps = {
        "users": LEARNERS,
        "tracks": TRACKS_OF_IT,
        "lessons": LESSONS,
        "enrollments": ENROLLMENTS,
    }
    added = {}
    for table, statement in steps.items():
        added[table] = session.execute(text(statement), values).rowcount
    session.commit()
    return added
