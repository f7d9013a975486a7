"""Signing up and signing in."""

from functools import cache
from uuid import UUID

from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.models import Role
from tracker.passwords import hash_password, verify_password
from tracker.repositories import users
from tracker.repositories.users import UserSummary


def register(
    session: Session,
    *,
    email: str,
    username: str,
    password: str,
    first_name: str | None = None,
    last_name: str | None = None,
    role: Role = Role.STUDENT,
    organization_id: UUID | None = None,
) -> UserSummary:
    """Make an account, of a member of the organization if one is given.

    Raises:
        EmailTaken, UsernameTaken: another user has it.
        InvalidData: a value is too long or breaks a rule.
    """
    password_hash = hash_password(password)  # slow, so before the transaction is open
    with unit_of_work(session):
        return users.create(
            session,
            email=email,
            username=username,
            password_hash=password_hash,
            first_name=first_name,
            last_name=last_name,
            role=role,
            organization_id=organization_id,
        )


def authenticate(session: Session, identifier: str, password: str) -> UUID | None:
    """Return who the active user with this email or username and this password is, or None."""
    with unit_of_work(session):
        found = users.password_hash_of(session, identifier)
    user_id, password_hash = found or (None, _hash_of_nobody())
    return user_id if verify_password(password_hash, password) else None


@cache
def _hash_of_nobody() -> str:
    # Verified where there is no such user, so that the time of the answer does not tell a stranger
    # which email addresses have an account.
    return hash_password("nobody")
