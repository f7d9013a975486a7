from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tracker.errors import AccountLinked, InvalidData, MissingReference, NotFound
from tracker.models import OAuthAccount, User
from tracker.repositories import oauth_accounts, users

Statements = Callable[[], AbstractContextManager[list[str]]]
SECRET = "gho_not-to-be-seen"


def test_linking_twice_is_linking_once(session: Session, make_user: Callable[..., User]) -> None:
    user = make_user()
    first = oauth_accounts.link(session, user.id, "github", "42")
    assert oauth_accounts.link(session, user.id, "github", "42") == first
    assert oauth_accounts.of_user(session, user.id) == [first]


def test_an_account_belongs_to_one_user(
    session: Session, make_user: Callable[..., User], stranger: UUID
) -> None:
    owner, other = make_user(), make_user()
    account = oauth_accounts.link(session, owner.id, "github", "42")
    with pytest.raises(AccountLinked):
        oauth_accounts.link(session, other.id, "github", "42")
    with pytest.raises(NotFound):
        oauth_accounts.unlink(session, other.id, account.id)
    with pytest.raises(MissingReference), session.begin_nested():
        oauth_accounts.link(session, stranger, "github", "43")
    oauth_accounts.unlink(session, owner.id, account.id)
    assert oauth_accounts.link(session, other.id, "github", "42").user_id == other.id


def test_only_an_active_user_signs_in_by_it(
    session: Session, make_user: Callable[..., User]
) -> None:
    user = make_user()
    oauth_accounts.link(session, user.id, "github", "42")
    assert oauth_accounts.user_of(session, "github", "42") == user.id
    assert oauth_accounts.user_of(session, "google", "42") is None
    users.deactivate(session, user.id)
    assert oauth_accounts.user_of(session, "github", "42") is None


def test_no_answer_holds_a_token_and_no_query_but_one_reads_it(
    session: Session, make_user: Callable[..., User], statements: Statements
) -> None:
    user = make_user()
    account = oauth_accounts.link(session, user.id, "github", "42")
    tokens = {"access_token": SECRET, "refresh_token": SECRET, "id_token": SECRET}
    renewed = oauth_accounts.renew(session, account.id, {**tokens, "scope": "user"})
    session.expire_all()
    with statements() as sent:
        answers = [
            renewed,
            oauth_accounts.get(session, account.id),
            *oauth_accounts.of_user(session, user.id),
            session.get(OAuthAccount, account.id).__dict__,
        ]
    assert SECRET not in str(answers)
    assert "access_token" not in " ".join(sent)
    assert oauth_accounts.access_token_of(session, account.id) == SECRET


def test_renewing_changes_what_is_given_and_can_empty_it(
    session: Session, make_user: Callable[..., User], stranger: UUID
) -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    account = oauth_accounts.link(session, make_user().id, "github", "42")
    oauth_accounts.renew(
        session, account.id, {"access_token": SECRET, "expires_at": moment, "scope": "user"}
    )
    renewed = oauth_accounts.renew(session, account.id, {"access_token": None, "scope": None})
    assert (renewed.scope, renewed.expires_at) == (None, moment)
    assert oauth_accounts.access_token_of(session, account.id) is None
    with pytest.raises(InvalidData, match="provider"):
        oauth_accounts.renew(session, account.id, {"provider": "x"})
    with pytest.raises(NotFound):
        oauth_accounts.renew(session, stranger, {"scope": None})


def test_the_accounts_of_a_user_take_one_statement_whatever_their_number(
    session: Session, make_user: Callable[..., User], statements: Statements
) -> None:
    user, counts = make_user(), []
    for size in (3, 6):
        for number in range(size):
            oauth_accounts.link(session, user.id, f"provider {size}", str(number))
        with statements() as sent:
            oauth_accounts.of_user(session, user.id)
        counts.append(len(sent))
    assert counts == [1, 1]
