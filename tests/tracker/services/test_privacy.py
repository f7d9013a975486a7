from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tracker.errors import InvalidData, NotFound
from tracker.models import (
    AIInteraction,
    AIInteractionKind,
    PredictionKind,
    TokenPurpose,
    Track,
    User,
)
from tracker.repositories import enrollments, sign_in, users
from tracker.repositories import payments as stored
from tracker.repositories.practice import PredictionMade, predictions_of
from tracker.services import accounts, learning, payments, practice, privacy


def test_nothing_that_names_an_erased_user_is_left_but_progress_and_payments_stay(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=1, price_cents=100)
    user = accounts.register(
        session,
        email="zaphod@example.com",
        username="zaphod",
        password="beeblebrox",
        first_name="Zaphod",
        last_name="Beeblebrox",
    )
    payments.take_payment(
        session, user_id=user.id, track_id=track.id, provider="p", provider_payment_id="1"
    )
    payments.complete_payment(session, "p", "1")
    session.execute(text("""UPDATE payments SET details = '{"name": "Zaphod"}'"""))
    learning.enroll(session, user.id, track.id)
    sign_in.open_session(session, user.id, timedelta(days=1))
    sign_in.issue_token(session, user.id, TokenPurpose.VERIFY_EMAIL, timedelta(days=1))
    session.add(
        AIInteraction(
            user_id=user.id,
            kind=AIInteractionKind.QUESTION,
            query="Who is Zaphod?",
            response="You are.",
        )
    )
    lesson_id = track.lessons[0].id
    guess = PredictionMade(lesson_id, datetime.now(UTC), "who", PredictionKind.TEXT, "Zaphod", 90)
    practice.record(session, user.id, [guess])

    privacy.erase_user(session, user.id)

    tables = session.scalars(
        text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    ).all()
    assert len(tables) > 20
    for table in tables:
        found = text(f"SELECT count(*) FROM {table} t WHERE t::text ~* 'zaphod|beeblebrox'")
        assert session.scalar(found) == 0, table
    assert stored.of_user(session, user.id)[0].amount_cents == 100
    assert enrollments.get(session, user.id, track.id) is not None
    assert [p.confidence for p in predictions_of(session, user.id, lesson_id)] == [90]
    assert accounts.authenticate(session, "zaphod", "beeblebrox") is None
    assert not users.get(session, user.id).is_active


def test_consent_has_a_date_and_can_be_withdrawn(
    session: Session, make_user: Callable[..., User]
) -> None:
    user = make_user()
    privacy.give_consent(session, user.id, retain_until=datetime(2100, 1, 1, tzinfo=UTC))
    session.refresh(user)
    assert user.consented_at is not None
    assert user.retain_until == datetime(2100, 1, 1, tzinfo=UTC)
    privacy.withdraw_consent(session, user.id)
    session.refresh(user)
    assert user.consented_at is None
    with pytest.raises(InvalidData, match="retain_until"):
        privacy.give_consent(session, user.id, retain_until=datetime(2000, 1, 1, tzinfo=UTC))


def test_only_users_past_their_date_are_erased_and_each_once(
    session: Session, make_user: Callable[..., User]
) -> None:
    old = datetime(2020, 1, 1, tzinfo=UTC)
    due = make_user(created_at=old, retain_until=datetime(2021, 1, 1, tzinfo=UTC))
    kept = make_user(created_at=old, retain_until=datetime(2100, 1, 1, tzinfo=UTC))
    forever = make_user(created_at=old)
    session.commit()
    assert privacy.erase_overdue(session) == 1
    assert privacy.erase_overdue(session) == 0
    for user, erased in ((due, True), (kept, False), (forever, False)):
        session.refresh(user)
        assert (user.erased_at is not None) is erased


def test_nobody_can_be_erased_who_is_not_there(session: Session, stranger: UUID) -> None:
    with pytest.raises(NotFound):
        privacy.erase_user(session, stranger)
