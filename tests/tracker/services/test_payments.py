from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tracker.errors import InvalidTransition, NotAvailable, NotFound, PaymentMismatch
from tracker.models import EnrollmentStatus, PaymentStatus, Track, User
from tracker.repositories import enrollments, tracks, users
from tracker.repositories import payments as stored
from tracker.seeding import seed
from tracker.services import learning, payments


@pytest.fixture
def buyer(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> User:
    user = make_user()
    session.commit()
    return user


@pytest.fixture
def track(session: Session, make_track: Callable[..., Track]) -> Track:
    track = make_track(lessons=2, price_cents=4900, currency="EUR")
    session.commit()
    return track


def take(session: Session, user: User, track: Track, name: str = "pay_1") -> UUID:
    return payments.take_payment(
        session, user_id=user.id, track_id=track.id, provider="stripe", provider_payment_id=name
    ).id


def test_a_payment_is_of_the_tracks_price_and_pending(
    session: Session, buyer: User, track: Track
) -> None:
    take(session, buyer, track)
    payment = stored.of_user(session, buyer.id)[0]
    assert (payment.amount_cents, payment.currency) == (4900, "EUR")
    assert (payment.status, payment.track_title) == (PaymentStatus.PENDING, track.title)


def test_the_same_news_told_twice_changes_nothing(
    session: Session, buyer: User, track: Track
) -> None:
    assert take(session, buyer, track) == take(session, buyer, track)
    first = payments.complete_payment(session, "stripe", "pay_1").completed_at
    assert payments.complete_payment(session, "stripe", "pay_1").completed_at == first
    assert take(session, buyer, track) == stored.of_user(session, buyer.id)[0].id
    refunded = payments.refund_payment(session, "stripe", "pay_1").refunded_at
    assert payments.refund_payment(session, "stripe", "pay_1").refunded_at == refunded
    assert len(stored.of_user(session, buyer.id)) == 1


def test_of_many_clients_who_tell_the_same_news_at_once_one_makes_the_payment(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        seed(session)
        user_id = session.scalar(text("SELECT id FROM users WHERE username = 'bob'"))
        track_id = session.scalar(text("SELECT id FROM tracks WHERE price_cents > 0"))
        before = len(stored.of_user(session, user_id))

    def tell(_: int) -> UUID:
        with sessions() as session:
            payment = payments.take_payment(
                session,
                user_id=user_id,
                track_id=track_id,
                provider="stripe",
                provider_payment_id="pay_1",
            )
            payments.complete_payment(session, "stripe", "pay_1")
            return payment.id

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(tell, range(20)))) == 1
    with sessions() as session:
        assert len(stored.of_user(session, user_id)) == before + 1


def test_a_provider_cannot_use_one_name_for_two_payments(
    session: Session, buyer: User, track: Track, make_user: Callable[..., User]
) -> None:
    other = make_user()
    take(session, buyer, track)
    with pytest.raises(PaymentMismatch, match="pay_1"):
        take(session, other, track)


def test_a_payment_keeps_the_price_at_which_it_was_begun(
    session: Session, buyer: User, track: Track
) -> None:
    first = take(session, buyer, track)
    tracks.update_fields(session, track.id, {"price_cents": 0})
    session.commit()
    assert take(session, buyer, track) == first
    assert stored.of_user(session, buyer.id)[0].amount_cents == 4900


def test_a_payment_takes_the_steps_that_a_payment_can_take(
    session: Session, buyer: User, track: Track
) -> None:
    take(session, buyer, track)
    with pytest.raises(InvalidTransition, match="from pending to refunded"):
        payments.refund_payment(session, "stripe", "pay_1")
    payments.fail_payment(session, "stripe", "pay_1", "The card was declined.")
    assert stored.of_user(session, buyer.id)[0].failure_reason == "The card was declined."
    with pytest.raises(InvalidTransition, match="from failed to completed"):
        payments.complete_payment(session, "stripe", "pay_1")
    take(session, buyer, track, "pay_2")
    payments.complete_payment(session, "stripe", "pay_2")
    with pytest.raises(InvalidTransition, match="from completed to failed"):
        payments.fail_payment(session, "stripe", "pay_2", "late")


def test_a_refund_ends_the_enrollment_that_was_paid_for(
    session: Session, buyer: User, track: Track
) -> None:
    take(session, buyer, track)
    payments.complete_payment(session, "stripe", "pay_1")
    learning.enroll(session, buyer.id, track.id)
    payments.refund_payment(session, "stripe", "pay_1")
    enrollment = enrollments.get(session, buyer.id, track.id)
    assert enrollment is not None
    assert enrollment.status is EnrollmentStatus.CANCELLED


def test_a_payment_outlives_its_user_and_its_track(
    session: Session, buyer: User, track: Track
) -> None:
    take(session, buyer, track)
    payments.complete_payment(session, "stripe", "pay_1")
    users.remove(session, buyer.id)
    tracks.remove(session, track.id)
    session.expire_all()
    payment = payments.refund_payment(session, "stripe", "pay_1")
    assert (payment.user_id, payment.track_id) == (None, None)
    assert (payment.amount_cents, payment.track_title) == (4900, "SQL 101")


def test_what_cannot_be_paid_is_refused_in_words(
    session: Session,
    buyer: User,
    make_track: Callable[..., Track],
    stranger: UUID,
) -> None:
    free = make_track(lessons=1)
    session.commit()
    with pytest.raises(NotAvailable, match="free"):
        take(session, buyer, free)
    with pytest.raises(NotFound):
        payments.take_payment(
            session, user_id=buyer.id, track_id=stranger, provider="p", provider_payment_id="1"
        )
    with pytest.raises(NotFound, match="pay_9"):
        payments.complete_payment(session, "stripe", "pay_9")


def test_payments_that_stay_pending_are_found(session: Session, buyer: User, track: Track) -> None:
    take(session, buyer, track)
    assert stored.pending_longer_than(session, timedelta(minutes=15)) == []
    session.execute(text("UPDATE payments SET created_at = now() - interval '16 minutes'"))
    assert len(stored.pending_longer_than(session, timedelta(minutes=15))) == 1
