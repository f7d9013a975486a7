"""Users. Dalia Haddad, late but complete"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import User, UserNotFound


@dataclass
class UserView:
    """What the outside may see of a user. No hash in here, so no hash can get out."""

    id: UUID
    email: str
    username: str
    first_name: str | None
    last_name: str | None
    avatar: str | None
    bio: str | None
    role: str
    is_active: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, user: User) -> "UserView":
        return cls(**{name: getattr(user, name) for name in cls.__dataclass_fields__})


def _load(session: Session, user_id: UUID) -> User:
    user = session.get(User, user_id)
    if not user:
        raise UserNotFound(f"There is no user {user_id}")
    return user


def create_user(session, *, email, username, password_hash, first_name=None, last_name=None):
    user = User(email=email, username=username, password_hash=password_hash)
    user.first_name = first_name
    user.last_name = last_name
    session.add(user)
    session.flush()
    session.refresh(user)
    return UserView.of(user)


def find_user(session, user_id):
    user = session.get(User, user_id)
    return UserView.of(user) if user else None


def list_users(session, *, search=None, role=None, is_active=True, page=1, page_size=10):
    filters = []
    if search:
        filters.append(
            or_(
                User.username.icontains(search, autoescape=True),
                User.first_name.icontains(search, autoescape=True),
                User.last_name.icontains(search, autoescape=True),
            )
        )
    if role:
        filters.append(User.role == role)
    if is_active is not None:
        filters.append(User.is_active.is_(is_active))

    # one query instead of two: the window function counts before LIMIT cuts
    rows = session.execute(
        select(User, func.count().over())
        .where(*filters)
        .order_by(User.created_at.desc())
        .offset(page_size * (page - 1))
        .limit(page_size)
    ).all()
    total = rows[0][1] if rows else 0
    return {"users": [UserView.of(user) for user, _ in rows], "total": total}


EDITABLE = ["first_name", "last_name", "avatar", "bio"]


def update_user(session, user_id, changes):
    for name in changes:
        if name not in EDITABLE:
            raise ValueError(f"{name} cannot be changed here")
    user = _load(session, user_id)
    for name in EDITABLE:
        if name in changes:
            setattr(user, name, changes[name])
    session.flush()
    session.refresh(user)
    return UserView.of(user)


def soft_delete_user(session, user_id):
    user = _load(session, user_id)
    user.is_active = False
    session.flush()


def hard_delete_user(session, user_id):
    session.delete(_load(session, user_id))
    session.flush()


def user_exists(session, identifier):
    query = select(func.count()).where(or_(User.email == identifier, User.username == identifier))
    return session.scalar(query) > 0
