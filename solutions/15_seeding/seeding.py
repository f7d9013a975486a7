"""The demo data of the learning tracker: drawn first, whole; then what is missing is added."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from content import FIRST_NAMES, LAST_NAMES, TOPICS, TRACKS
from models import Enrollment, Lesson, Track, User
from passwords import hash_password
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

Row = dict[str, Any]


def seed(
    session: Session, number: int, *, learners: int, until: date, password: str
) -> dict[str, int]:
    """Add the rows of a demo school that are not there yet, and commit.

    Args:
        number: which school; the same number gives the same rows, wherever and whenever.
        learners: how many learners it has.
        until: the day before which everything has happened.
        password: of all its learners.

    Returns:
        How many rows were added to each table.
    """
    # All draws come before the first look into the database: what is there decides none of them.
    draw = Random(number)  # noqa: S311 (names, not secrets)
    tracks = {f"{name}-{number}": title for name, title in TRACKS.items()}
    lessons = [lesson for slug in tracks for lesson in _lessons(draw, slug)]
    people = _people(draw, number, learners, until)
    enrollments = [e for person in people for e in _enrollments(draw, person, list(tracks), until)]
    hashed = {"password_hash": hash_password(password)}

    with session.begin():
        users = _add(session, User, [person | hashed for person in people])
        added = _add(session, Track, [{"slug": s, "title": t} for s, t in tracks.items()])
        theirs = User.email.endswith(f"@school{number}.example")
        of_email = dict(session.execute(select(User.email, User.id).where(theirs)).all())
        of_slug = dict(session.execute(select(Track.slug, Track.id)).all())
        for row in enrollments:
            row["user_id"] = of_email[row.pop("email")]
        for row in lessons + enrollments:
            row["track_id"] = of_slug[row.pop("slug")]
        return {
            "users": users,
            "tracks": added,
            "lessons": _add(session, Lesson, lessons),
            "enrollments": _add(session, Enrollment, enrollments),
        }


def _lessons(draw: Random, slug: str) -> list[Row]:
    return [
        {
            "slug": slug,
            "position": position,
            "title": draw.choice(TOPICS),
            "minutes": draw.randint(5, 60),
        }
        for position in range(1, draw.randint(4, 9) + 1)
    ]


def _people(draw: Random, number: int, learners: int, until: date) -> list[Row]:
    end = datetime.combine(until, time(), UTC)
    return [
        {
            "email": f"learner{n}@school{number}.example",
            "name": f"{draw.choice(FIRST_NAMES)} {draw.choice(LAST_NAMES)}",
            "joined_at": end - timedelta(minutes=draw.randint(1, 365 * 24 * 60)),
        }
        for n in range(1, learners + 1)
    ]


def _enrollments(draw: Random, person: Row, slugs: list[str], until: date) -> list[Row]:
    days = datetime.combine(until, time(), UTC) - person["joined_at"]
    return [
        {
            "email": person["email"],
            "slug": slug,
            "enrolled_at": person["joined_at"] + days * draw.random(),
            "progress": draw.randint(0, 100),
        }
        for slug in draw.sample(slugs, draw.randint(1, 3))
    ]


def _add(session: Session, model: type, rows: list[Row]) -> int:
    """Insert those rows whose keys are not there, many in one statement; how many these were."""
    if not rows:
        return 0
    # With RETURNING SQLAlchemy puts many rows into one statement.
    statement = insert(model).on_conflict_do_nothing().returning(model.id)
    return len(session.scalars(statement, rows).all())
