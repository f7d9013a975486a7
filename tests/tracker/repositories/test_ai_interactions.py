from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tracker.errors import InvalidData, MissingReference
from tracker.models import AIInteraction, AIInteractionKind, User
from tracker.repositories import ai_interactions
from tracker.repositories.pages import Position

Statements = Callable[[], AbstractContextManager[list[str]]]
QUESTION, HINT = AIInteractionKind.QUESTION, AIInteractionKind.HINT
LETTERS = "aAbBé %_\\'"


def test_question_answer_and_context_are_kept(
    session: Session, make_user: Callable[..., User], stranger: UUID
) -> None:
    user = make_user()
    made = ai_interactions.add(session, user.id, HINT, "?", "!", context={"lesson": 4})
    bare = ai_interactions.add(session, user.id, QUESTION, "?", "!")
    session.expire_all()
    assert (made.context, bare.context) == ({"lesson": 4}, None)
    assert session.scalar(text("SELECT count(*) FROM ai_interactions WHERE context IS NULL")) == 1
    with pytest.raises(MissingReference), session.begin_nested():
        ai_interactions.add(session, stranger, HINT, "?", "!")
    with pytest.raises(InvalidData), session.begin_nested():
        ai_interactions.add(session, user.id, HINT, "a\0b", "!")


def test_kinds_are_counted_and_a_missing_one_is_zero(
    session: Session, make_user: Callable[..., User]
) -> None:
    user, other = make_user(), make_user()
    for owner, kind in ((user, HINT), (user, HINT), (user, QUESTION), (other, HINT)):
        ai_interactions.add(session, owner.id, kind, "?", "!")
    counted = ai_interactions.count_by_kind(session, user.id)
    assert counted == dict.fromkeys(AIInteractionKind, 0) | {HINT: 2, QUESTION: 1}


def test_what_is_too_old_is_removed_for_one_user(
    session: Session, make_user: Callable[..., User]
) -> None:
    user, other = make_user(), make_user()
    for owner in (user, other):
        ai_interactions.add(session, owner.id, HINT, "old", "!")
    session.execute(text("UPDATE ai_interactions SET created_at = now() - interval '91 days'"))
    ai_interactions.add(session, user.id, HINT, "new", "!")
    assert ai_interactions.remove_older_than(session, user.id, timedelta(days=90)) == 1
    assert [item.query for item in ai_interactions.find(session, user.id).items] == ["new"]
    assert ai_interactions.find(session, other.id).total == 1


def test_a_page_takes_two_statements_and_a_slice_one_whatever_the_number(
    session: Session, make_user: Callable[..., User], statements: Statements
) -> None:
    user_id, counts = make_user().id, []
    for size in (5, 10):
        for _ in range(size):
            ai_interactions.add(session, user_id, HINT, "?", "!")
        session.expunge_all()
        with statements() as sent:
            ai_interactions.find(session, user_id, limit=100)
        with statements() as sent_for_slice:
            ai_interactions.find_after(session, user_id, limit=100)
        counts.append((len(sent), len(sent_for_slice)))
    assert counts == [(2, 1), (2, 1)]


def test_a_slice_does_not_shift_when_something_is_added(
    session: Session, make_user: Callable[..., User]
) -> None:
    user_id = make_user().id
    made = [ai_interactions.add(session, user_id, HINT, "?", "!").id for _ in range(4)]
    first = ai_interactions.find_after(session, user_id, limit=2)
    ai_interactions.add(session, user_id, HINT, "?", "!")
    second = ai_interactions.find_after(session, user_id, first.next, limit=2)
    assert [item.id for item in (*first.items, *second.items)] == made[::-1]
    assert second.next is None


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(AIInteractionKind),
            st.text(LETTERS, max_size=3),
            st.text(LETTERS, max_size=3),
        ),
        max_size=7,
    ),
    st.none() | st.text(LETTERS, min_size=1, max_size=2),
    st.none() | st.sampled_from(AIInteractionKind),
    st.integers(1, 4),
)
def test_pages_and_slices_put_together_are_the_filtered_history(
    shared_engine: Engine,
    rows: list[tuple[AIInteractionKind, str, str]],
    search: str | None,
    kind: AIInteractionKind | None,
    limit: int,
) -> None:
    with Session(shared_engine) as session:
        user = User(email="a@b", username="a", password_hash="$argon2id$")
        session.add(user)
        session.flush()
        made = [ai_interactions.add(session, user.id, *row) for row in rows]
        expected = [
            item.id
            for item in reversed(made)
            if (kind is None or item.kind is kind)
            and (
                search is None or any(_holds(text, search) for text in (item.query, item.response))
            )
        ]
        filters = {"search": search, "kind": kind, "limit": limit}
        first = ai_interactions.find(session, user.id, **filters)
        pages = [
            item.id
            for page in range(1, first.total_pages + 1)
            for item in ai_interactions.find(session, user.id, page=page, **filters).items
        ]
        assert (pages, first.total) == (expected, len(expected))
        assert [item.id for item in _slices(session, user.id, filters)] == expected


def _holds(text: str, search: str) -> bool:
    return search.lower() in text.lower()


def _slices(session: Session, user_id: UUID, filters: dict) -> list[AIInteraction]:
    read: list[AIInteraction] = []
    position: Position | None = None
    while True:
        part = ai_interactions.find_after(session, user_id, position, **filters)
        read += part.items
        position = part.next
        if position is None:
            return read
