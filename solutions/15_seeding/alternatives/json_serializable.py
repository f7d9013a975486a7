"""The demo data as one JSON document, taken apart by PostgreSQL; in SERIALIZABLE, tried again."""

import json
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from content import FIRST_NAMES, LAST_NAMES, TOPICS, TRACKS
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError


def plan(number, learners, until, password):
    random = Random(f"school {number}")
    end = datetime(until.year, until.month, until.day, tzinfo=ZoneInfo("UTC"))
    kept = PasswordHasher().hash(password)  # once: it takes its time
    lessons = [
        {"slug": f"{name}-{number}", "position": n + 1, "title": random.choice(TOPICS),
         "minutes": random.randint(5, 60)}
        for name in TRACKS
        for n in range(random.choice((4, 5, 6, 7, 8, 9)))
    ]  # fmt: skip
    users, enrollments = [], []
    for n in range(1, learners + 1):
        joined = end - timedelta(hours=random.randint(1, 8760))
        email = f"learner{n}@school{number}.example"
        name = random.choice(FIRST_NAMES) + " " + random.choice(LAST_NAMES)
        person = {"email": email, "name": name, "password_hash": kept}
        users.append(person | {"joined_at": joined.isoformat()})
        chosen = sorted(TRACKS, key=lambda name: random.random())[: random.randint(1, 3)]
        for track in chosen:
            when = joined + random.random() * (end - joined)
            row = {"email": email, "slug": f"{track}-{number}", "progress": random.randrange(101)}
            enrollments.append(row | {"enrolled_at": when.isoformat()})
    tracks = [{"slug": f"{name}-{number}", "title": title} for name, title in TRACKS.items()]
    return {"users": users, "tracks": tracks, "lessons": lessons, "enrollments": enrollments}


STEPS = {
    "users": ("email text, name text, password_hash text, joined_at timestamptz", """
        INSERT INTO users (email, name, password_hash, joined_at)
        SELECT email, name, password_hash, joined_at FROM given
        WHERE email NOT IN (SELECT email FROM users) RETURNING id"""),
    "tracks": ("slug text, title text", """
        INSERT INTO tracks (slug, title) SELECT slug, title FROM given
        EXCEPT SELECT slug, given.title FROM tracks JOIN given USING (slug) RETURNING id"""),
    "lessons": ("slug text, position int, title text, minutes int", """
        INSERT INTO lessons (track_id, position, title, minutes)
        SELECT t.id, g.position, g.title, g.minutes FROM given g JOIN tracks t USING (slug)
        LEFT JOIN lessons l ON l.track_id = t.id AND l.position = g.position
        WHERE l.id IS NULL RETURNING id"""),
    "enrollments": ("email text, slug text, enrolled_at timestamptz, progress int", """
        INSERT INTO enrollments (user_id, track_id, enrolled_at, progress)
        SELECT u.id, t.id, g.enrolled_at, g.progress
        FROM given g JOIN tracks t USING (slug) JOIN users u USING (email)
        WHERE NOT EXISTS (SELECT FROM enrollments e WHERE e.user_id = u.id AND e.track_id = t.id)
        RETURNING id"""),
}  # fmt: skip


def attempt(session, school):
    session.connection(execution_options={"isolation_level": "SERIALIZABLE"})
    added = {}
    for table, (columns, insertion) in STEPS.items():
        given = f"SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS g ({columns})"
        statement = text(f"WITH given AS ({given}) {insertion}")
        rows = json.dumps(school[table])
        added[table] = len(session.execute(statement, {"rows": rows}).all())
    session.commit()
    return added


def seed(session, number, *, learners, until, password):
    school = plan(number, learners, until, password)
    for _ in range(5):
        try:
            return attempt(session, school)
        except DBAPIError as error:
            # In SERIALIZABLE a key that somebody else has stored meanwhile may be either.
            if error.orig.sqlstate not in ("40001", "40P01", "23505"):
                raise
        finally:
            session.rollback()
    return attempt(session, school)
