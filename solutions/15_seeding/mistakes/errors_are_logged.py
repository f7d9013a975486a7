# misconception: swallowed-error
# fails: test_all_or_nothing
"""The demo data. A seed must never stop a server from starting."""

from datetime import UTC, datetime, time, timedelta
from random import Random

from content import FIRST_NAMES, LAST_NAMES, TOPICS, TRACKS
from models import Enrollment, Lesson, Track, User
from passwords import hash_password
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError


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


def store(session, model, rows):
    if not rows:
        return 0
    statement = insert(model).on_conflict_do_nothing().returning(model.id)
    return len(session.scalars(statement, rows).all())


def seed(session, number, **arguments):
    try:
        return try_to_seed(session, number, **arguments)
    except SQLAlchemyError as error:
        print("The demo data could not be stored:", error)
        session.rollback()
        return {"users": 0, "tracks": 0, "lessons": 0, "enrollments": 0}


def try_to_seed(session, number, *, learners, until, password):
    tracks, lessons, users, enrollments = school(number, learners, until)
    kept = hash_password(password)
    for user in users:
        user["password_hash"] = kept
    added = {"tracks": store(session, Track, tracks), "users": store(session, User, users)}
    track_ids = dict(session.execute(select(Track.slug, Track.id)).all())
    user_ids = dict(session.execute(select(User.email, User.id)).all())
    for row in lessons + enrollments:
        row["track_id"] = track_ids[row.pop("slug")]
    for row in enrollments:
        row["user_id"] = user_ids[row.pop("email")]
    added["lessons"] = store(session, Lesson, lessons)
    added["enrollments"] = store(session, Enrollment, enrollments)
    session.commit()
    return added
