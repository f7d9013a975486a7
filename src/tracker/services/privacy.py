"""Consent, and the right to be forgotten."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.errors import NotFound
from tracker.models import (
    AIInteraction,
    LoginSession,
    OAuthAccount,
    Payment,
    Prediction,
    QuizAttempt,
    User,
    VerificationToken,
)


def give_consent(session: Session, user_id: UUID, *, retain_until: datetime | None = None) -> None:
    """Record that a user agrees to the processing of their data.

    Arguments:
        retain_until: after this date the data may be erased; None for no date.

    Raises:
        NotFound: there is no such user.
        InvalidData: the date lies before the account was made.
    """
    with unit_of_work(session):
        user = _get(session, user_id)
        user.consented_at = func.now()
        user.retain_until = retain_until


def withdraw_consent(session: Session, user_id: UUID) -> None:
    """Record that a user does not agree any more.

    Raises:
        NotFound: there is no such user.
    """
    with unit_of_work(session):
        _get(session, user_id).consented_at = None


def erase_user(session: Session, user_id: UUID) -> None:
    """Erase what tells who a user is, and keep what others and the law need.

    Name, address, profile, sign-ins, questions to assistants, answers in quizzes and predictions
    are gone; the account cannot be used again. Progress, scores and payments stay, and belong to
    nobody known. To delete the rows as well, use `users.remove`: even then payments stay.

    Raises:
        NotFound: there is no such user.
    """
    with unit_of_work(session):
        user = _get(session, user_id)
        user.email = f"erased-{user_id}@example.invalid"
        user.username = f"erased-{user_id.hex}"
        user.password_hash = "!"  # noqa: S105 (no password has this hash)
        for field in ("first_name", "last_name", "avatar", "bio", "timezone", "consented_at"):
            setattr(user, field, None)
        user.email_verified_at = None
        user.learning_preferences = {}
        user.is_active = False
        user.erased_at = func.now()
        for kind in (OAuthAccount, LoginSession, VerificationToken, AIInteraction):
            session.execute(delete(kind).where(kind.user_id == user_id))
        session.execute(
            update(QuizAttempt).where(QuizAttempt.user_id == user_id).values(answers={})
        )
        session.execute(update(Prediction).where(Prediction.user_id == user_id).values(answer=None))
        session.execute(update(Payment).where(Payment.user_id == user_id).values(details={}))


def erase_overdue(session: Session) -> int:
    """Erase the users whose data is kept past its date, and return how many there were."""
    with unit_of_work(session):
        overdue = session.scalars(
            select(User.id).where(User.retain_until < func.now(), User.erased_at.is_(None))
        ).all()
    for user_id in overdue:
        erase_user(session, user_id)
    return len(overdue)


def _get(session: Session, user_id: UUID) -> User:
    user = session.get(User, user_id, with_for_update={"key_share": True})
    if user is None:
        raise NotFound("user", user_id)
    return user
