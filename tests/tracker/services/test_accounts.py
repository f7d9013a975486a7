import pytest
from sqlalchemy.orm import Session

from tracker.errors import EmailTaken
from tracker.passwords import hash_password, verify_password
from tracker.repositories import users
from tracker.services import accounts


def test_who_registers_can_sign_in_by_email_or_username_with_that_password_only(
    session: Session,
) -> None:
    user = accounts.register(
        session, email="Alice@Example.com", username="Alice", password="a long secret"
    )
    assert accounts.authenticate(session, "alice", "a long secret") == user.id
    assert accounts.authenticate(session, "ALICE@example.com", "a long secret") == user.id
    assert accounts.authenticate(session, "alice", "another") is None
    assert accounts.authenticate(session, "nobody", "nobody") is None


def test_a_deactivated_user_cannot_sign_in(session: Session) -> None:
    user = accounts.register(session, email="a@example.com", username="a", password="secret")
    users.deactivate(session, user.id)
    assert accounts.authenticate(session, "a", "secret") is None


def test_a_refused_registration_leaves_the_session_usable(session: Session) -> None:
    accounts.register(session, email="a@example.com", username="a", password="secret")
    with pytest.raises(EmailTaken):
        accounts.register(session, email="A@example.com", username="b", password="secret")
    assert not users.exists(session, "b")


def test_a_hash_is_argon2id_salted_and_does_not_hold_the_password() -> None:
    first, second = hash_password("secret"), hash_password("secret")
    assert first.startswith("$argon2id$")
    assert first != second
    assert "secret" not in first
    assert verify_password(first, "secret")
    assert not verify_password(first, "Secret")
    assert not verify_password("not a hash", "secret")
