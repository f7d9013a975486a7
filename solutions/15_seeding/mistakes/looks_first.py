# misconception: check-then-insert
# fails: test_two_at_once
"""The demo data: what is there, what is missing, and then the difference."""

from datetime import UTC, datetime, time, timedelta
from random import Random

from content import FIRST_NAMES, LAST_NAMES, TOPICS, TRACKS
from models import Enrollment, Lesson, Track, User
from passwords import hash_password
from sqlalchemy import insert, select


def school(number, learners, until):
    random = Random(number)
    midnight = datetime.combine(until, time(), tzinfo=UTC)
    tracks = [dict(slug=f"{name}-{number}", title=TRACKS[name]) for name in TRACKS]
    lessons, users, enrollments = [], [], []
    for track in tracks:
        for position in range(1, random.randint(4, 9) + 1):
            title, minutes = random.choice(TOPICS), random.randint(5, 60)
            lessons.append(
                dict(slug=track["slug"], position=position, title=title, minutes=minutes)
            )
    for n in range(1, learners + 1):
        email = f"learner{n}@school{number}.example"
        name = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
        joined = midnight - timedelta(minutes=random.randint(1, 500_000))
        users.append(dict(email=email, name=name, joined_at=joined))
        for track in random.sample(tracks, random.randint(1, 3)):
            when = joined + (midnight - joined) * random.random()
            enrollments.append(
                dict(
                    email=email,
                    slug=track["slug"],
                    enrolled_at=when,
                    progress=random.randint(0, 100),
                )
            )
    return tracks, lessons, users, enrollments


def store(session, model, rows, *key):
    there = set(session.execute(select(*(getattr(model, name) for name in key))).tuples())
    missing = [row for row in rows if tuple(row[name] for name in key) not in there]
    if missing:
        session.scalars(insert(model).returning(model.id), missing).all()
    return len(missing)


def seed(session, number, *, learners, until, password):
    tracks, lessons, users, enrollments = school(number, learners, until)
    kept = hash_password(password)
    for user in users:
        user["password_hash"] = kept
    added = {
        "tracks": store(session, Track, tracks, "slug"),
        "users": store(session, User, users, "email"),
    }
    track_ids = dict(session.execute(select(Track.slug, Track.id)).all())
    user_ids = dict(session.execute(select(User.email, User.id)).all())
    for row in lessons + enrollments:
        row["track_id"] = track_ids[row.pop("slug")]
    for row in enrollments:
        row["user_id"] = user_ids[row.pop("email")]
    added["lessons"] = store(session, Lesson, lessons, "track_id", "position")
    added["enrollments"] = store(session, Enrollment, enrollments, "user_id", "track_id")
    session.commit()
    return added
