# misconception: like-wildcards
# fails: test_searches
"""Users and tracks. Nothing here commits."""

from collections.abc import Mapping, Sequence
from typing import Any

from contract import EmailTaken, NotFound
from models import Enrollment, Lesson, Track, User
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

FIELDS = ("id", "title", "difficulty", "price_cents", "seats", "published")


def add_user(session: Session, email: str, name: str) -> dict[str, Any]:
    new = insert(User).values(email=email, name=name).on_conflict_do_nothing().returning(User.id)
    user_id = session.scalar(new)
    if user_id is None:
        raise EmailTaken("This email belongs to somebody else.")
    return {"id": user_id, "email": email, "name": name}


def read_user(session: Session, user_id: int) -> dict[str, Any]:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    return {"id": user.id, "email": user.email, "name": user.name}


def add_track(
    session: Session, lessons: Sequence[Mapping[str, Any]], **fields: Any
) -> dict[str, Any]:
    track = Track(
        **fields,
        published=False,
        lessons=[Lesson(position=n, **lesson) for n, lesson in enumerate(lessons)],
    )
    session.add(track)
    session.flush()
    return _shown(track)


def read_track(session: Session, track_id: int) -> dict[str, Any]:
    return _shown(_track(session, track_id))


def change_track(session: Session, track_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    track = _track(session, track_id)
    for field, value in changes.items():
        setattr(track, field, value)
    return _shown(track)


def find_tracks(
    session: Session, search: str | None, difficulty: str | None, page: int, limit: int
) -> dict[str, Any]:
    matching = [Track.published]
    if search:
        matching.append(Track.title.ilike(f"%{search}%"))
    if difficulty:
        matching.append(Track.difficulty == difficulty)
    lessons = select(func.count()).where(Lesson.track_id == Track.id).scalar_subquery()
    learners = select(func.count()).where(Enrollment.track_id == Track.id).scalar_subquery()
    wanted = (
        select(Track, lessons, learners)
        .where(*matching)
        .order_by(Track.id.desc())
        .limit(limit)
        .offset((page - 1) * limit)
    )
    return {
        "items": [
            {**_fields(track), "lessons": number, "learners": people}
            for track, number, people in session.execute(wanted)
        ],
        "total": session.scalar(select(func.count(Track.id)).where(*matching)),
    }


def _track(session: Session, track_id: int) -> Track:
    track = session.get(Track, track_id)
    if track is None:
        raise NotFound(f"There is no track {track_id}.")
    return track


def _fields(track: Track) -> dict[str, Any]:
    return {field: getattr(track, field) for field in FIELDS}


def _shown(track: Track) -> dict[str, Any]:
    lessons = [{"id": one.id, "title": one.title, "minutes": one.minutes} for one in track.lessons]
    return {**_fields(track), "lessons": lessons}
