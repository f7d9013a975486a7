"""The demo data by COPY into temporary tables, and from there what is missing. One at a time."""

import hashlib
from datetime import UTC, datetime, timedelta

from content import FIRST_NAMES, LAST_NAMES, TOPICS, TRACKS
from passwords import hash_password


class Dice:
    """Draws for one row, from a digest of its name: the same for the same name."""

    def __init__(self, *name):
        self.name, self.thrown = "\x1f".join(map(str, name)), 0

    def below(self, many):
        self.thrown += 1
        digest = hashlib.sha256(f"{self.thrown}\x1f{self.name}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % many

    def of(self, things):
        return things[self.below(len(things))]


def draw(number, learners, until, password):
    end = datetime(until.year, until.month, until.day, tzinfo=UTC)
    hashed = hash_password(password)
    users, tracks, lessons, enrollments = [], [], [], []
    for name, title in TRACKS.items():
        slug = f"{name}-{number}"
        tracks.append((slug, title))
        for position in range(1, 5 + Dice(number, name).below(6)):
            dice = Dice(number, name, position)
            lessons.append((slug, position, dice.of(TOPICS), 5 + dice.below(56)))
    for n in range(1, learners + 1):
        dice = Dice(number, "learner", n)
        email = f"learner{n}@school{number}.example"
        joined = end - timedelta(seconds=1 + dice.below(365 * 86400))
        users.append((email, f"{dice.of(FIRST_NAMES)} {dice.of(LAST_NAMES)}", hashed, joined))
        left = list(TRACKS)
        for _ in range(1 + dice.below(3)):
            name = left.pop(dice.below(len(left)))
            seconds = dice.below(int((end - joined).total_seconds()) + 1)
            row = (email, f"{name}-{number}", joined + timedelta(seconds=seconds), dice.below(101))
            enrollments.append(row)
    return {"users": users, "tracks": tracks, "lessons": lessons, "enrollments": enrollments}


MAKE = {
    "users": "email text, name text, password_hash text, joined_at timestamptz",
    "tracks": "slug text, title text",
    "lessons": "slug text, position int, title text, minutes int",
    "enrollments": "email text, slug text, enrolled_at timestamptz, progress int",
}
ADD = {
    "users": """INSERT INTO users (email, name, password_hash, joined_at) SELECT * FROM new_users n
        WHERE NOT EXISTS (SELECT FROM users u WHERE u.email = n.email)""",
    "tracks": """INSERT INTO tracks (slug, title) SELECT * FROM new_tracks n
        WHERE NOT EXISTS (SELECT FROM tracks t WHERE t.slug = n.slug)""",
    "lessons": """INSERT INTO lessons (track_id, position, title, minutes)
        SELECT t.id, n.position, n.title, n.minutes FROM new_lessons n JOIN tracks t USING (slug)
        WHERE (t.id, n.position) NOT IN (SELECT track_id, position FROM lessons)""",
    "enrollments": """INSERT INTO enrollments (user_id, track_id, enrolled_at, progress)
        SELECT u.id, t.id, n.enrolled_at, n.progress
        FROM new_enrollments n JOIN users u USING (email) JOIN tracks t USING (slug)
        LEFT JOIN enrollments e ON (e.user_id, e.track_id) = (u.id, t.id) WHERE e.id IS NULL""",
}


def seed(session, number, *, learners, until, password):
    rows = draw(number, learners, until, password)
    postgres = session.connection().connection.driver_connection
    added = {}
    with postgres.cursor() as cursor:
        cursor.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
        for table, columns in MAKE.items():
            cursor.execute(f"CREATE TEMPORARY TABLE new_{table} ({columns}) ON COMMIT DROP")
            with cursor.copy(f"COPY new_{table} FROM STDIN") as stream:
                for row in rows[table]:
                    stream.write_row(row)
            added[table] = cursor.execute(ADD[table]).rowcount
    session.commit()
    return added
