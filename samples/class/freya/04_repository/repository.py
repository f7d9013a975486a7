"""Freya Lindqvist

Every function saves what it did, so nothing can get lost.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models import User, UserNotFound
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

PUBLIC = (
    "id",
    "email",
    "username",
    "first_name",
    "last_name",
    "avatar",
    "bio",
    "role",
    "is_active",
    "created_at",
    "updated_at",
)
PROFILE = {"first_name", "last_name", "avatar", "bio"}
SEARCHED = (User.username, User.first_name, User.last_name)


def create_user(
    session: Session,
    *,
    email: str,
    username: str,
    password_hash: str,
    first_name: str | None = None,
    last_name: str | None = None,
) -> dict[str, Any]:
    user = User(
        email=email,
        username=username,
        password_hash=password_hash,
        first_name=first_name,
        last_name=last_name,
    )
    session.add(user)
    session.commit()
    session.refresh(user)
    return _public(user)


def find_user(session: Session, user_id: UUID) -> dict[str, Any] | None:
    user = session.get(User, user_id)
    return None if user is None else _public(user)


def list_users(
    session: Session,
    *,
    search: str | None = None,
    role: str | None = None,
    is_active: bool | None = True,
    page: int = 1,
    page_size: int = 10,
) -> dict[str, Any]:
    matching = select(User)
    if search is not None:
        matching = matching.where(or_(*(c.ilike("%" + search + "%") for c in SEARCHED)))
    if role is not None:
        matching = matching.where(User.role == role)
    if is_active is not None:
        matching = matching.where(User.is_active == is_active)

    one_page = (
        matching.order_by(User.created_at.desc(), User.id)  # the id decides between equal moments
        .limit(page_size)
        .offset((page - 1) * page_size)
    )
    users = [_public(user) for user in session.scalars(one_page)]
    return {"users": users, "total": len(users)}


def update_user(
    session: Session, user_id: UUID, changes: Mapping[str, str | None]
) -> dict[str, Any]:
    if unknown := changes.keys() - PROFILE:
        raise ValueError(f"not a profile field: {', '.join(sorted(unknown))}")
    user = _existing(session, user_id)
    for field, value in changes.items():
        setattr(user, field, value)
    session.commit()
    session.refresh(user)
    return _public(user)


def soft_delete_user(session: Session, user_id: UUID) -> None:
    _existing(session, user_id).is_active = False
    session.commit()


def hard_delete_user(session: Session, user_id: UUID) -> None:
    session.delete(_existing(session, user_id))
    session.commit()


def user_exists(session: Session, identifier: str) -> bool:
    same = or_(User.email == identifier, User.username == identifier)
    return session.scalar(select(User.id).where(same).limit(1)) is not None


def _existing(session: Session, user_id: UUID) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise UserNotFound(user_id)
    return user


def _public(user: User) -> dict[str, Any]:
    return {field: getattr(user, field) for field in PUBLIC}
