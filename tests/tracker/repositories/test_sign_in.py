from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tracker.errors import InvalidData, MissingReference
from tracker.models import TokenPurpose, User
from tracker.repositories import sign_in, users

DAY = timedelta(days=1)


def test_a_session_is_open_until_it_is_closed_or_its_user_deactivated(
    session: Session, make_user: Callable[..., User]
) -> None:
    user = make_user()
    tokens = [sign_in.open_session(session, user.id, DAY) for _ in range(3)]
    assert {sign_in.user_of_session(session, token) for token in tokens} == {user.id}
    sign_in.close_session(session, tokens[0])
    assert sign_in.user_of_session(session, tokens[0]) is None
    assert sign_in.user_of_session(session, tokens[1]) == user.id
    users.deactivate(session, user.id)
    assert sign_in.user_of_session(session, tokens[1]) is None
    assert sign_in.close_all_sessions(session, user.id) == 2


def test_no_token_is_stored(session: Session, make_user: Callable[..., User]) -> None:
    user = make_user()
    login = sign_in.open_session(session, user.id, DAY)
    mailed = sign_in.issue_token(session, user.id, TokenPurpose.SIGN_IN, DAY)
    for table in ("login_sessions", "verification_tokens"):
        row = session.scalar(text(f"SELECT t::text FROM {table} t"))
        assert login not in row
        assert mailed not in row


def test_a_token_is_good_once_for_its_purpose(
    session: Session, make_user: Callable[..., User]
) -> None:
    user = make_user()
    token = sign_in.issue_token(session, user.id, TokenPurpose.RESET_PASSWORD, DAY)
    assert sign_in.use_token(session, TokenPurpose.VERIFY_EMAIL, token) is None
    assert sign_in.use_token(session, TokenPurpose.RESET_PASSWORD, token + "x") is None
    assert sign_in.use_token(session, TokenPurpose.RESET_PASSWORD, token) == user.id
    assert sign_in.use_token(session, TokenPurpose.RESET_PASSWORD, token) is None


def test_what_is_expired_is_not_good_and_can_be_removed(
    session: Session, make_user: Callable[..., User]
) -> None:
    user = make_user()
    login = sign_in.open_session(session, user.id, DAY)
    token = sign_in.issue_token(session, user.id, TokenPurpose.SIGN_IN, DAY)
    for table in ("login_sessions", "verification_tokens"):
        session.execute(
            text(
                f"UPDATE {table} SET created_at = now() - interval '2 days',"
                " expires_at = now() - interval '1 second'"
            )
        )
    kept = sign_in.open_session(session, user.id, DAY)
    assert sign_in.user_of_session(session, login) is None
    assert sign_in.use_token(session, TokenPurpose.SIGN_IN, token) is None
    assert sign_in.remove_expired(session) == 2
    assert sign_in.user_of_session(session, kept) == user.id


def test_a_session_needs_a_user_and_a_lifetime(
    session: Session, make_user: Callable[..., User], stranger: UUID
) -> None:
    user_id = make_user().id
    with pytest.raises(MissingReference), session.begin_nested():
        sign_in.open_session(session, stranger, DAY)
    with pytest.raises(InvalidData, match="expires_at"), session.begin_nested():
        sign_in.issue_token(session, user_id, TokenPurpose.SIGN_IN, timedelta(0))
