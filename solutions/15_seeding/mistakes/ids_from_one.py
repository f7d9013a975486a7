# misconception: an-id-of-my-own
# fails: test_the_same_again, test_others
"""The demo data. Track 1 is track 1: so its lessons know where they belong."""

from datetime import UTC, datetime, time, timedelta
from random import Random

from content import FIRST_NAMES, LAST_NAMES, TOPICS, TRACKS
from models import Enrollment, Lesson, Track, User
from passwords import hash_password
from sqlalchemy.dialects.postgresql import insert


def school(number, learners, until):
    random = Random(number)
    midnight = datetime.combine(until, time(), tzinfo=UTC)
    tracks = [
        dict(id=n, slug=f"{name}-{number}", title=TRACKS[name]) for n, name in enumerate(TRACKS, 1)
    ]
    lessons, users, enrollments = [], [], []
    for track in tracks:
        for position in range(1, random.randint(4, 9) + 1):
            title, minutes = random.choice(TOPICS), random.randint(5, 60)
            lessons.append(
                dict(track_id=track["id"], position=position, title=title, minutes=minutes)
            )
    for n in range(1, learners + 1):
        email = f"learner{n}@school{number}.example"
        name = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
        joined = midnight - timedelta(minutes=random.randint(1, 500_000))
        users.append(dict(id=n, email=email, name=name, joined_at=joined))
        for track in random.sample(tracks, random.randint(1, 3)):
            when = joined + (midnight - joined) * random.random()
            enrollments.append(
                dict(
                    user_id=n,
                    track_id=track["id"],
                    enrolled_at=when,
                    progress=random.randint(0, 100),
                )
            )
    return tracks, lessons, users, enrollments


def store(session, model, rows):
    if not rows:
        return 0
    statement = insert(model).on_conflict_do_nothing().returning(model.id)
    return len(session.scalars(statement, rows).all())


def seed(session, number, *, learners, until, password):
    tracks, lessons, users, enrollments = school(number, learners, until)
    kept = hash_password(password)
    for user in users:
        user["password_hash"] = kept
    added = {"tracks": store(session, Track, tracks), "users": store(session, User, users)}
    added["lessons"] = store(session, Lesson, lessons)
    added["enrollments"] = store(session, Enrollment, enrollments)
    session.commit()
    return added
