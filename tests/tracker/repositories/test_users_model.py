"""The repository of users against a dictionary that does the same."""

from dataclasses import asdict
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tracker.models import Role
from tracker.repositories import users

# Letters whose lower case PostgreSQL and Python agree on, and everything that LIKE treats
# specially.
LETTERS = "aAbBzZéÉ019 %_\\'\"-"
names = st.none() | st.text(LETTERS, max_size=4)
people = st.lists(
    st.fixed_dictionaries({"first_name": names, "last_name": names, "role": st.sampled_from(Role)}),
    max_size=6,
)
changes = st.fixed_dictionaries(
    {}, optional={"first_name": names, "last_name": names, "bio": names, "avatar": names}
)
relaxed = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def fill(session: Session, rows: list[dict[str, Any]]) -> list[users.UserSummary]:
    return [
        users.create(
            session,
            email=f"u{number}@example.com",
            username=f"u{number}",
            password_hash="$argon2id$",
            **row,
        )
        for number, row in enumerate(rows)
    ]


@relaxed
@given(
    people, st.none() | st.text(LETTERS, min_size=1, max_size=2), st.none() | st.sampled_from(Role)
)
def test_finding_is_filtering(
    shared_engine: Engine, rows: list[dict[str, Any]], search: str | None, role: Role | None
) -> None:
    with Session(shared_engine) as session:
        made = fill(session, rows)
        expected = [
            user.id
            for user in reversed(made)
            if (role is None or user.role is role)
            and (
                search is None
                or any(
                    search.lower() in (name or "").lower()
                    for name in (user.username, user.first_name, user.last_name)
                )
            )
        ]
        found = users.find(session, search=search, role=role, limit=100)
        assert [user.id for user in found.items] == expected
        assert found.total == len(expected)


@relaxed
@given(people, st.integers(1, 4))
def test_the_pages_put_together_are_the_list(
    shared_engine: Engine, rows: list[dict[str, Any]], limit: int
) -> None:
    with Session(shared_engine) as session:
        made = fill(session, rows)
        first = users.find(session, limit=limit)
        pages = [
            users.find(session, page=page, limit=limit) for page in range(1, first.total_pages + 1)
        ]
        assert [user.id for page in pages for user in page.items] == [
            user.id for user in reversed(made)
        ]


@relaxed
@given(st.lists(changes, max_size=4))
def test_updates_are_dictionary_updates(
    shared_engine: Engine, steps: list[users.UserChanges]
) -> None:
    with Session(shared_engine) as session:
        (user,) = fill(session, [{"first_name": "A"}])
        expected = asdict(user)
        for step in steps:
            expected.update(step)
            assert asdict(users.update_fields(session, user.id, step)) == expected
