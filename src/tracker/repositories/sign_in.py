"""Login sessions and verification tokens. A token leaves this module once, when it is made."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from tracker.errors import domain_errors
from tracker.models import LoginSession, TokenPurpose, User, VerificationToken


def open_session(session: Session, user_id: UUID, lifetime: timedelta) -> str:
    """Sign a user in, and return the token for their cookie; only its hash is stored.

    Raises:
        MissingReference: there is no such user.
        InvalidData: the lifetime is not positive.
    """
    token = secrets.token_urlsafe(32)
    login = LoginSession(
        user_id=user_id, token_hash=_hash(token), expires_at=_after(session, lifetime)
    )
    session.add(login)
    with domain_errors():
        session.flush()
    return token


def user_of_session(session: Session, token: str) -> UUID | None:
    """Return who is signed in with this token, or None: unknown, expired, or deactivated."""
    return session.scalar(
        select(LoginSession.user_id)
        .join(LoginSession.user)
        .where(
            LoginSession.token_hash == _hash(token),
            LoginSession.expires_at > func.now(),
            User.is_active,
        )
    )


def close_session(session: Session, token: str) -> None:
    """Sign out. A token that nobody is signed in with is no error."""
    session.execute(delete(LoginSession).where(LoginSession.token_hash == _hash(token)))


def close_all_sessions(session: Session, user_id: UUID) -> int:
    """Sign a user out everywhere, and return from how many places."""
    closed = delete(LoginSession).where(LoginSession.user_id == user_id)
    return len(session.scalars(closed.returning(LoginSession.id)).all())


def issue_token(session: Session, user_id: UUID, purpose: TokenPurpose, lifetime: timedelta) -> str:
    """Return a new token to send to the user; only its hash is stored.

    Raises:
        MissingReference: there is no such user.
        InvalidData: the lifetime is not positive.
    """
    token = secrets.token_urlsafe(32)
    issued = VerificationToken(
        user_id=user_id,
        purpose=purpose,
        token_hash=_hash(token),
        expires_at=_after(session, lifetime),
    )
    session.add(issued)
    with domain_errors():
        session.flush()
    return token


def use_token(session: Session, purpose: TokenPurpose, token: str) -> UUID | None:
    """Use a token up and return whose it was, or None if it is not good (any more).

    It is not good if it is unknown, used, expired, or meant for something else. One statement
    finds and marks it: of two who use it at once, one gets nothing.
    """
    return session.scalar(
        update(VerificationToken)
        .where(
            VerificationToken.token_hash == _hash(token),
            VerificationToken.purpose == purpose,
            VerificationToken.used_at.is_(None),
            VerificationToken.expires_at > func.now(),
        )
        .values(used_at=func.now())
        .returning(VerificationToken.user_id)
    )


def remove_expired(session: Session) -> int:
    """Delete login sessions and tokens whose time is over, and return how many there were."""
    removed = 0
    for kind in (LoginSession, VerificationToken):
        expired = delete(kind).where(kind.expires_at <= func.now()).returning(kind.id)
        removed += len(session.scalars(expired).all())
    return removed


def _after(session: Session, lifetime: timedelta) -> datetime:
    # The server's clock, since it is the server that will compare.
    return session.scalars(select(func.now() + lifetime)).one()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
