"""Everything that the learning tracker asks of its table of users.

The web pages call these functions and nothing else: no page writes SQL of its own. A page opens the
session, calls one function or several, and commits when all went well.

The last developer left after the docstrings. README.md says exactly what each function must do.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models import User, UserNotFound
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session


def create_user(
    session: Session,
    *,
    email: str,
    username: str,
    password_hash: str,
    first_name: str | None = None,
    last_name: str | None = None,
) -> dict[str, Any]:
    """Store a user and return them as the public may see them, with the id they got."""
    user = User(
        email=email,
        username=username,
        password_hash=password_hash,
        first_name=first_name,
        last_name=last_name,
    )
    session.add(user)
    session.flush()
    return to_dict(user)


def find_user(session: Session, user_id: UUID) -> dict[str, Any] | None:
    """Return the user with this id, active or not; None where there is none."""
    user = session.get(User, user_id)
    return to_dict(user) if user is not None else None


def list_users(
    session: Session,
    *,
    search: str | None = None,
    role: str | None = None,
    is_active: bool | None = True,
    page: int = 1,
    page_size: int = 10,
) -> dict[str, Any]:
    """Return one page of the users that match, newest first, and how many match in all."""
    query = select(User)
    if search:
        query = query.where(
            or_(
                User.username.icontains(search, autoescape=True),
                User.first_name.icontains(search, autoescape=True),
                User.last_name.icontains(search, autoescape=True),
            )
        )
    if role:
        query = query.where(User.role == role)
    if is_active is not None:
        query = query.where(User.is_active == is_active)
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    query = query.order_by(User.created_at.desc(), User.id)
    users = session.scalars(query.offset((page - 1) * page_size).limit(page_size))
    return {"users": [to_dict(user) for user in users], "total": total}


def update_user(
    session: Session, user_id: UUID, changes: Mapping[str, str | None]
) -> dict[str, Any]:
    """Change the given profile fields, leave all others as they are, and return the user."""
    user = session.get(User, user_id)
    if user is None:
        raise UserNotFound(user_id)
    if set(changes) - {"first_name", "last_name", "avatar", "bio"}:
        raise ValueError("only the profile can be changed")
    user.first_name = changes.get("first_name") or user.first_name
    user.last_name = changes.get("last_name") or user.last_name
    user.avatar = changes.get("avatar") or user.avatar
    user.bio = changes.get("bio") or user.bio
    session.flush()
    return to_dict(user)


def soft_delete_user(session: Session, user_id: UUID) -> None:
    """Make a user inactive. Nothing is deleted."""
    raise NotImplementedError


def hard_delete_user(session: Session, user_id: UUID) -> None:
    """Delete a user for good, and with them what they wrote."""
    raise NotImplementedError


def user_exists(session: Session, identifier: str) -> bool:
    """Tell whether a user, active or not, has exactly this email or this username."""
    raise NotImplementedError


def to_dict(user):
    return {
        "id": user.id,
        "email": user.email,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "avatar": user.avatar,
        "bio": user.bio,
        "role": user.role,
        "is_active": user.is_active,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }
