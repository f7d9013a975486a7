from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tracker.errors import (
    DomainTaken,
    InvalidData,
    MissingReference,
    NotAvailable,
    NotFound,
    SlugTaken,
)
from tracker.models import Role, Track, User
from tracker.repositories import organizations, users

Statements = Callable[[], AbstractContextManager[list[str]]]
LETTERS = "aAbBé019 %_\\'"
relaxed = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_a_new_organization_has_a_slug_and_nothing_in_it(session: Session) -> None:
    made = organizations.create(session, name="École SQL")
    assert made.slug.startswith("ecole-sql-")
    assert (made.domain, made.members, made.tracks) == (None, 0, 0)
    assert organizations.get(session, made.id) == made
    assert organizations.get_by_slug(session, made.slug) == made
    with pytest.raises(NotFound, match="nowhere"):
        organizations.get_by_slug(session, "nowhere")


def test_slug_and_domain_belong_to_one_organization(session: Session) -> None:
    organizations.create(session, name="A", slug="a", domain="a.example")
    with pytest.raises(SlugTaken), session.begin_nested():
        organizations.create(session, name="B", slug="a")
    with pytest.raises(DomainTaken, match="domain"), session.begin_nested():
        organizations.create(session, name="B", domain="a.example")
    with pytest.raises(InvalidData, match="domain"), session.begin_nested():
        organizations.create(session, name="B", domain="B.example")


def test_a_user_is_a_member_of_one_organization_at_a_time(
    session: Session, make_user: Callable[..., User], stranger: UUID
) -> None:
    first, second = (organizations.create(session, name=name) for name in "AB")
    user = make_user()
    organizations.add_member(session, first.id, user.id)
    organizations.add_member(session, first.id, user.id)
    with pytest.raises(NotAvailable):
        organizations.add_member(session, second.id, user.id)
    with pytest.raises(NotFound):
        organizations.remove_member(session, second.id, user.id)
    organizations.remove_member(session, first.id, user.id)
    organizations.add_member(session, second.id, user.id)
    assert [organizations.get(session, one.id).members for one in (first, second)] == [0, 1]
    with pytest.raises(NotFound):
        organizations.add_member(session, first.id, stranger)
    with pytest.raises(MissingReference), session.begin_nested():
        organizations.add_member(session, stranger, make_user().id)


def test_members_are_found_and_counted_by_role(
    session: Session, make_user: Callable[..., User]
) -> None:
    school, other = (organizations.create(session, name=name) for name in "AB")
    for role in (Role.STUDENT, Role.STUDENT, Role.INSTRUCTOR):
        organizations.add_member(session, school.id, make_user(role=role).id)
    organizations.add_member(session, school.id, make_user(is_active=False).id)
    organizations.add_member(session, other.id, make_user().id)
    assert organizations.members_by_role(session, school.id) == {
        Role.STUDENT: 2,
        Role.INSTRUCTOR: 1,
        Role.ADMIN: 0,
    }
    found = users.find(session, organization_id=school.id, role=Role.STUDENT)
    assert found.total == 2


def test_an_organization_that_is_not_empty_stays(
    session: Session, make_user: Callable[..., User], make_track: Callable[..., Track]
) -> None:
    school = organizations.create(session, name="A")
    user = make_user(organization_id=school.id)
    make_track(author=user, organization_id=school.id)
    found = organizations.get(session, school.id)
    assert (found.members, found.tracks) == (1, 1)
    with pytest.raises(MissingReference), session.begin_nested():
        organizations.remove(session, school.id)
    users.remove(session, user.id)
    organizations.remove(session, school.id)
    with pytest.raises(NotFound, match=str(school.id)):
        organizations.remove(session, school.id)


def test_listing_takes_two_statements_whatever_its_size(
    session: Session,
    make_user: Callable[..., User],
    make_track: Callable[..., Track],
    statements: Statements,
) -> None:
    counts = []
    for size in (3, 6):
        for number in range(size):
            made = organizations.create(session, name=f"School {size} {number}")
            for _ in range(2):
                author = make_user(organization_id=made.id)
                make_track(author=author, organization_id=made.id)
        with statements() as sent:
            found = organizations.find(session, limit=100)
        assert {(item.members, item.tracks) for item in found.items} == {(2, 2)}
        counts.append(len(sent))
    assert counts == [2, 2]


@relaxed
@given(
    st.lists(st.text(LETTERS, min_size=1, max_size=4), max_size=6),
    st.none() | st.text(LETTERS, min_size=1, max_size=2),
    st.integers(1, 4),
)
def test_the_pages_put_together_are_the_filtered_list(
    shared_engine: Engine, names: list[str], search: str | None, limit: int
) -> None:
    with Session(shared_engine) as session:
        made = [organizations.create(session, name=name) for name in names]
        expected = {one.id for one in made if search is None or search.lower() in one.name.lower()}
        first = organizations.find(session, search=search, limit=limit)
        read = [
            item.id
            for page in range(1, first.total_pages + 1)
            for item in organizations.find(session, search=search, page=page, limit=limit).items
        ]
        assert (len(read), set(read)) == (first.total, expected)


@relaxed
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "name": st.text(LETTERS, min_size=1, max_size=4),
                "domain": st.none() | st.text("ab.é", max_size=4),
            },
        ),
        max_size=4,
    )
)
def test_updates_are_dictionary_updates(
    shared_engine: Engine, steps: list[organizations.OrganizationChanges]
) -> None:
    with Session(shared_engine) as session:
        made = organizations.create(session, name="A", domain="a.example")
        expected = asdict(made)
        for step in steps:
            expected.update(step)
            assert asdict(organizations.update_fields(session, made.id, step)) == expected


def test_nothing_else_can_be_changed(session: Session) -> None:
    made = organizations.create(session, name="A")
    with pytest.raises(InvalidData, match="members"):
        organizations.update_fields(session, made.id, {"members": 3})
