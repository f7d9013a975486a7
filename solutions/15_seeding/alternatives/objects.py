"""The demo data as mapped objects: those that are missing are added and flushed at once."""

import random
from datetime import UTC, datetime, timedelta

import content
from models import Enrollment, Lesson, Track, User
from passwords import hash_password
from sqlalchemy import func, select


def draws(*key):
    return random.Random("/".join(str(part) for part in key))


def add_missing(session, things, known):
    new = [thing for key, thing in things.items() if key not in known]
    session.add_all(new)
    session.flush()
    return len(new)


def seed(session, number, *, learners, until, password):
    end = datetime(until.year, until.month, until.day, tzinfo=UTC)
    with session.no_autoflush, session.begin():
        # Whoever comes second waits here until the first one has committed.
        session.execute(select(func.pg_advisory_xact_lock(number)))

        slugs = {f"{name}-{number}": title for name, title in content.TRACKS.items()}
        there = {t.slug: t for t in session.scalars(select(Track).where(Track.slug.in_(slugs)))}
        new = {slug: Track(slug=slug, title=title) for slug, title in slugs.items()}
        added = {"tracks": add_missing(session, new, there)}
        tracks = new | there

        lessons = {}
        for slug, track in tracks.items():
            for position in range(1, draws(number, slug).randint(4, 9) + 1):
                one = draws(number, slug, position)
                title, minutes = one.choice(content.TOPICS), one.randrange(5, 61)
                lesson = Lesson(track_id=track.id, position=position, title=title, minutes=minutes)
                lessons[track.id, position] = lesson
        known = {tuple(row) for row in session.execute(select(Lesson.track_id, Lesson.position))}
        added["lessons"] = add_missing(session, lessons, known)

        people, wishes = {}, {}
        for n in range(1, learners + 1):
            one = draws(number, "learner", n)
            email = f"learner{n}@school{number}.example"
            joined = end - timedelta(days=one.uniform(0.001, 364.9))
            name = f"{one.choice(content.FIRST_NAMES)} {one.choice(content.LAST_NAMES)}"
            hashed = hash_password(password)
            people[email] = User(email=email, name=name, password_hash=hashed, joined_at=joined)
            wishes[email] = [
                (slug, joined + (end - joined) * one.random(), one.randint(0, 100))
                for slug in one.sample(list(slugs), one.randint(1, 3))
            ]
        here = select(User).where(User.email.endswith(f"@school{number}.example"))
        there = {u.email: u for u in session.scalars(here)}
        added["users"] = add_missing(session, people, there)
        users = people | there

        enrollments = {}
        for email, wanted in wishes.items():
            for slug, when, progress in wanted:
                user_id, track_id = users[email].id, tracks[slug].id
                enrollments[user_id, track_id] = Enrollment(
                    user_id=user_id, track_id=track_id, enrolled_at=when, progress=progress
                )
        ids = select(Enrollment.user_id, Enrollment.track_id)
        known = {tuple(row) for row in session.execute(ids)}
        added["enrollments"] = add_missing(session, enrollments, known)
    return added
