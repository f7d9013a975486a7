"""The demo data as arrays, one for each column, which PostgreSQL puts together again."""

from datetime import UTC, datetime, time, timedelta
from random import Random

from content import FIRST_NAMES, LAST_NAMES, TOPICS, TRACKS
from passwords import hash_password
from sqlalchemy import text

INTO = {
    "users": "users (email, name, password_hash, joined_at) SELECT * FROM given",
    "tracks": "tracks (slug, title) SELECT * FROM given",
    "lessons": """lessons (track_id, position, title, minutes)
        SELECT t.id, b, c, d FROM given JOIN tracks t ON t.slug = a""",
    "enrollments": """enrollments (user_id, track_id, enrolled_at, progress)
        SELECT u.id, t.id, c, d
        FROM given JOIN users u ON u.email = a JOIN tracks t ON t.slug = b""",
}
TYPES = {
    "users": ("text", "text", "text", "timestamptz"),
    "tracks": ("text", "text"),
    "lessons": ("text", "int", "text", "int"),
    "enrollments": ("text", "text", "timestamptz", "int"),
}


def seed(session, number, *, learners, until, password):
    end = datetime.combine(until, time(0), UTC)
    rows = {table: [] for table in INTO}
    for name, title in TRACKS.items():
        slug = f"{name}-{number}"
        rows["tracks"].append((slug, title))
        dice = Random(f"{number}/{name}")
        for place in range(dice.randint(4, 9)):
            rows["lessons"].append((slug, place + 1, dice.choice(TOPICS), dice.randint(5, 60)))
    hashed = hash_password(password)
    for n in range(learners):
        dice = Random(f"{number}/{n}")
        mail = f"learner{n + 1}@school{number}.example"
        joined = end - timedelta(days=dice.randint(1, 365))
        name = " ".join((dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)))
        rows["users"].append((mail, name, hashed, joined))
        for slug, _ in dice.sample(rows["tracks"], dice.randint(1, 3)):
            when = joined + timedelta(days=dice.randint(0, (end - joined).days))
            rows["enrollments"].append((mail, slug, when, dice.randint(0, 100)))
    with session.begin():
        return {table: store(session, table, rows[table]) for table in INTO}


def store(session, table, rows):
    columns = [[row[n] for row in rows] for n in range(len(TYPES[table]))]
    arrays = ", ".join(
        f"CAST(:{n} AS {kind}[])" for n, kind in zip("abcd", TYPES[table], strict=False)
    )
    given = (
        f"WITH given AS (SELECT * FROM unnest({arrays}) AS g ({', '.join('abcd'[: len(columns)])}))"
    )
    statement = text(f"{given} INSERT INTO {INTO[table]} ON CONFLICT DO NOTHING")
    return session.execute(statement, dict(zip("abcd", columns, strict=False))).rowcount
