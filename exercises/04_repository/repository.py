"""Everything that the learning tracker asks of its table of users.

The web pages call these functions and nothing else: no page writes SQL of its own. A page opens the
session, calls one function or several, and commits when all went well.

The last developer left after the docstrings. README.md says exactly what each function must do.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models import User, UserNotFound  # noqa: F401 - you will want both
from sqlalchemy import select  # noqa: F401
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
    raise NotImplementedError


def find_user(session: Session, user_id: UUID) -> dict[str, Any] | None:
    """Return the user with this id, active or not; None where there is none."""
    raise NotImplementedError


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
    raise NotImplementedError


def update_user(
    session: Session, user_id: UUID, changes: Mapping[str, str | None]
) -> dict[str, Any]:
    """Change the given profile fields, leave all others as they are, and return the user."""
    raise NotImplementedError


def soft_delete_user(session: Session, user_id: UUID) -> None:
    """Make a user inactive. Nothing is deleted."""
    raise NotImplementedError


def hard_delete_user(session: Session, user_id: UUID) -> None:
    """Delete a user for good, and with them what they wrote."""
    raise NotImplementedError


def user_exists(session: Session, identifier: str) -> bool:
    """Tell whether a user, active or not, has exactly this email or this username."""
    raise NotImplementedError
