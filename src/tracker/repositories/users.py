"""Users.

What leaves this module is a UserSummary or a UserDetail: neither has a place for a password hash,
so no query reads it and no answer can show it. Only `password_hash_of` does, for signing in.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from tracker.errors import NotFound, domain_errors
from tracker.models import Difficulty, Lesson, LessonProgress, Role, Track, User
from tracker.repositories.changes import change
from tracker.repositories.pages import Page, paged, total_of


@dataclass(frozen=True)
class UserSummary:
    """What a list of users shows of each."""

    id: UUID
    email: str
    username: str
    first_name: str | None
    last_name: str | None
    avatar: str | None
    bio: str | None
    role: Role
    is_active: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class AuthoredTrack:
    """A track as its author's page shows it."""

    id: UUID
    title: str
    difficulty: Difficulty
    estimated_hours: int
    is_published: bool
    lesson_count: int


@dataclass(frozen=True)
class CompletedLesson:
    """A lesson that the user has finished."""

    lesson_id: UUID
    title: str
    duration_minutes: int
    completed_at: datetime | None


@dataclass(frozen=True)
class UserDetail:
    """A user with the tracks they wrote and the lessons they completed."""

    user: UserSummary
    tracks: list[AuthoredTrack]
    completed_lessons: list[CompletedLesson]


class UserChanges(TypedDict, total=False):
    """The fields of a user to change. A field that is left out stays; None empties it."""

    email: str
    username: str
    first_name: str | None
    last_name: str | None
    avatar: str | None
    bio: str | None
    role: Role


_SUMMARY = (
    User.id,
    User.email,
    User.username,
    User.first_name,
    User.last_name,
    User.avatar,
    User.bio,
    User.role,
    User.is_active,
    User.created_at,
    User.updated_at,
)


def create(
    session: Session,
    *,
    email: str,
    username: str,
    password_hash: str,
    first_name: str | None = None,
    last_name: str | None = None,
    role: Role = Role.STUDENT,
    organization_id: UUID | None = None,
) -> UserSummary:
    """Add a user.

    Arguments:
        password_hash: as `tracker.passwords.hash_password` makes it, never the password.

    Raises:
        EmailTaken, UsernameTaken: another user has it, in whatever case it is written.
        InvalidData: a value is too long or breaks a rule.
    """
    user = User(
        email=email,
        username=username,
        password_hash=password_hash,
        first_name=first_name,
        last_name=last_name,
        role=role,
        organization_id=organization_id,
    )
    session.add(user)
    with domain_errors():
        session.flush()
    return _summary(session, user.id)


def get(session: Session, user_id: UUID) -> UserSummary:
    """Return a user, active or not.

    Raises:
        NotFound: there is none with this identifier.
    """
    return _summary(session, user_id)


def get_detail(session: Session, user_id: UUID) -> UserDetail:
    """Return a user with tracks and completed lessons, in three statements whatever their number.

    Raises:
        NotFound: there is none with this identifier.
    """
    user = _summary(session, user_id)
    lesson_count = (
        select(func.count()).where(Lesson.track_id == Track.id).correlate(Track).scalar_subquery()
    )
    tracks = session.execute(
        select(
            Track.id,
            Track.title,
            Track.difficulty,
            Track.estimated_hours,
            Track.is_published,
            lesson_count,
        )
        .where(Track.author_id == user_id)
        .order_by(Track.created_at.desc(), Track.id.desc())
    )
    completed = session.execute(
        select(Lesson.id, Lesson.title, Lesson.duration_minutes, LessonProgress.completed_at)
        .join(LessonProgress.lesson)
        .where(LessonProgress.user_id == user_id, LessonProgress.completed)
        .order_by(LessonProgress.completed_at, Lesson.id)
    )
    return UserDetail(
        user,
        [AuthoredTrack(*row) for row in tracks],
        [CompletedLesson(*row) for row in completed],
    )


def find(
    session: Session,
    *,
    search: str | None = None,
    role: Role | None = None,
    is_active: bool | None = True,
    organization_id: UUID | None = None,
    page: int = 1,
    limit: int = 10,
) -> Page[UserSummary]:
    """List users, newest first.

    Arguments:
        search: text that stands anywhere in the username, first name or last name, in any case;
            ``%`` and ``_`` are letters like any other.
        role: only users of this role.
        is_active: True, False, or None for both.
        organization_id: only the members of this organization.
        page: counted from 1.
        limit: users on a page, at most 100.
    """
    matching = _matching(search=search, role=role, is_active=is_active)
    if organization_id is not None:
        matching = matching.where(User.organization_id == organization_id)
    newest_first = matching.order_by(User.created_at.desc(), User.id.desc())
    with domain_errors():
        rows = session.execute(paged(newest_first, page, limit)).mappings().all()
        total = total_of(session, matching)
    return Page([UserSummary(**row) for row in rows], page, limit, total)


def update_fields(session: Session, user_id: UUID, changes: UserChanges) -> UserSummary:
    """Change the given fields of a user, and only those.

    Raises:
        NotFound: there is none with this identifier.
        EmailTaken, UsernameTaken: another user has it.
        InvalidData: there is no such field, or a value breaks a rule.
    """
    change(session, User, user_id, changes, UserChanges)
    return _summary(session, user_id)


def deactivate(session: Session, user_id: UUID) -> None:
    """Take a user out of all lists and keep every row (soft delete).

    Raises:
        NotFound: there is none with this identifier.
    """
    found = session.scalar(
        update(User).where(User.id == user_id).values(is_active=False).returning(User.id)
    )
    if found is None:
        raise NotFound("user", user_id)


def remove(session: Session, user_id: UUID) -> None:
    """Delete a user for good. The database deletes their tracks and progress with them.

    Raises:
        NotFound: there is none with this identifier.
    """
    if session.scalar(delete(User).where(User.id == user_id).returning(User.id)) is None:
        raise NotFound("user", user_id)


def exists(session: Session, identifier: str) -> bool:
    """Return whether a user, active or not, has this email address or username."""
    wanted = identifier.lower()
    found = select(User.id).where(or_(User.email == wanted, User.username == wanted))
    with domain_errors():
        return session.scalar(found) is not None


def password_hash_of(session: Session, identifier: str) -> tuple[UUID, str] | None:
    """Return identifier and password hash of the active user with this email or username."""
    wanted = identifier.lower()
    row = session.execute(
        select(User.id, User.password_hash).where(
            or_(User.email == wanted, User.username == wanted), User.is_active
        )
    ).one_or_none()
    return None if row is None else (row.id, row.password_hash)


def _matching(
    *, search: str | None, role: Role | None, is_active: bool | None
) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = select(*_SUMMARY)
    if is_active is not None:
        statement = statement.where(User.is_active == is_active)
    if role is not None:
        statement = statement.where(User.role == role)
    if search:
        columns = (User.username, User.first_name, User.last_name)
        statement = statement.where(
            or_(*(column.icontains(search, autoescape=True) for column in columns))
        )
    return statement


def _summary(session: Session, user_id: UUID) -> UserSummary:
    row = session.execute(select(*_SUMMARY).where(User.id == user_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("user", user_id)
    return UserSummary(**row)
