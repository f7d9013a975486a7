"""Accounts at other providers, by which users sign in.

What leaves this module is an OAuthAccountSummary, which has no place for a token. Only
`access_token_of` reads one, for calling the provider.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tracker.errors import AccountLinked, NotFound, domain_errors
from tracker.models import OAuthAccount, User
from tracker.repositories.changes import change


@dataclass(frozen=True)
class OAuthAccountSummary:
    """What a user sees of an account that is linked to theirs."""

    id: UUID
    user_id: UUID
    provider: str
    provider_account_id: str
    scope: str | None
    expires_at: datetime | None
    created_at: datetime


class TokenChanges(TypedDict, total=False):
    """What a provider renews. A field that is left out stays; None empties it."""

    access_token: str | None
    refresh_token: str | None
    id_token: str | None
    token_type: str | None
    scope: str | None
    session_state: str | None
    expires_at: datetime | None


def link(
    session: Session, user_id: UUID, provider: str, provider_account_id: str
) -> OAuthAccountSummary:
    """Link a provider's account to a user. Linking it to the same user again changes nothing.

    Raises:
        AccountLinked: it is linked to another user.
        MissingReference: there is no such user.
        InvalidData: a value is too long or breaks a rule.
    """
    statement = (
        insert(OAuthAccount)
        .values(user_id=user_id, provider=provider, provider_account_id=provider_account_id)
        .on_conflict_do_nothing(index_elements=["provider", "provider_account_id"])
    )
    with domain_errors():
        session.execute(statement)
    row = session.execute(
        _summaries().where(
            OAuthAccount.provider == provider,
            OAuthAccount.provider_account_id == provider_account_id,
        )
    ).one_or_none()
    # No row: it is linked to somebody whom this session must not see (`tracker.db.confine`).
    if row is None or row.user_id != user_id:
        raise AccountLinked(f"This account at {provider} is linked to another user.")
    return OAuthAccountSummary(*row)


def renew(session: Session, account_id: UUID, changes: TokenChanges) -> OAuthAccountSummary:
    """Store what the provider sent anew: the given fields, and only those.

    Raises:
        NotFound: there is no such account.
        InvalidData: there is no such field, or a value breaks a rule.
    """
    change(session, OAuthAccount, account_id, changes, TokenChanges)
    return get(session, account_id)


def get(session: Session, account_id: UUID) -> OAuthAccountSummary:
    """Return an account.

    Raises:
        NotFound: there is none with this identifier.
    """
    row = session.execute(_summaries().where(OAuthAccount.id == account_id)).one_or_none()
    if row is None:
        raise NotFound("OAuth account", account_id)
    return OAuthAccountSummary(*row)


def user_of(session: Session, provider: str, provider_account_id: str) -> UUID | None:
    """Return whose account this is, or None: unknown, or the user is deactivated."""
    statement = (
        select(OAuthAccount.user_id)
        .join(OAuthAccount.user)
        .where(
            OAuthAccount.provider == provider,
            OAuthAccount.provider_account_id == provider_account_id,
            User.is_active,
        )
    )
    with domain_errors():
        return session.scalar(statement)


def of_user(session: Session, user_id: UUID) -> Sequence[OAuthAccountSummary]:
    """Return the accounts that are linked to a user, oldest first, in one statement."""
    oldest_first = _summaries().order_by(OAuthAccount.created_at, OAuthAccount.id)
    rows = session.execute(oldest_first.where(OAuthAccount.user_id == user_id))
    return [OAuthAccountSummary(*row) for row in rows]


def access_token_of(session: Session, account_id: UUID) -> str | None:
    """Return the token to call the provider with, or None where there is none."""
    return session.scalar(select(OAuthAccount.access_token).where(OAuthAccount.id == account_id))


def unlink(session: Session, user_id: UUID, account_id: UUID) -> None:
    """Take an account off a user, with its tokens.

    Raises:
        NotFound: the user has no such account.
    """
    statement = delete(OAuthAccount).where(
        OAuthAccount.id == account_id, OAuthAccount.user_id == user_id
    )
    if session.scalar(statement.returning(OAuthAccount.id)) is None:
        raise NotFound("OAuth account", account_id)


def _summaries() -> Select[*tuple[Any, ...]]:
    return select(
        OAuthAccount.id,
        OAuthAccount.user_id,
        OAuthAccount.provider,
        OAuthAccount.provider_account_id,
        OAuthAccount.scope,
        OAuthAccount.expires_at,
        OAuthAccount.created_at,
    )
