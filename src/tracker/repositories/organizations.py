"""Organizations and their members. `users.find(organization_id=…)` lists the members."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from tracker.errors import NotAvailable, NotFound, domain_errors
from tracker.models import Organization, Role, Track, User
from tracker.repositories.changes import change
from tracker.repositories.pages import Page, paged, total_of
from tracker.slugs import unique_slug


@dataclass(frozen=True)
class OrganizationSummary:
    """An organization, and how many users and tracks belong to it."""

    id: UUID
    name: str
    slug: str
    domain: str | None
    created_at: datetime
    members: int
    tracks: int


class OrganizationChanges(TypedDict, total=False):
    """The fields of an organization to change. A field that is left out stays; None empties it."""

    name: str
    slug: str
    domain: str | None


def create(
    session: Session, *, name: str, slug: str | None = None, domain: str | None = None
) -> OrganizationSummary:
    """Add an organization.

    Arguments:
        slug: its part of the URL; without one, one that nobody has is made from the name.
        domain: of its email addresses, in lower case.

    Raises:
        SlugTaken: another organization has this slug.
        DomainTaken: another organization has this domain.
        InvalidData: a value is too long or breaks a rule.
    """
    organization = Organization(name=name, slug=slug or unique_slug(name), domain=domain)
    session.add(organization)
    with domain_errors():
        session.flush()
    return get(session, organization.id)


def get(session: Session, organization_id: UUID) -> OrganizationSummary:
    """Return an organization.

    Raises:
        NotFound: there is none with this identifier.
    """
    row = session.execute(_summaries().where(Organization.id == organization_id)).one_or_none()
    if row is None:
        raise NotFound("organization", organization_id)
    return OrganizationSummary(*row)


def get_by_slug(session: Session, slug: str) -> OrganizationSummary:
    """Return an organization by its slug.

    Raises:
        NotFound: there is none with this slug.
    """
    row = session.execute(_summaries().where(Organization.slug == slug)).one_or_none()
    if row is None:
        raise NotFound("organization", slug)
    return OrganizationSummary(*row)


def find(
    session: Session, *, search: str | None = None, page: int = 1, limit: int = 10
) -> Page[OrganizationSummary]:
    """List organizations by name, in two statements whatever their number.

    Arguments:
        search: text that stands anywhere in name or domain, in any case; ``%`` and ``_`` are
            letters like any other.
        page: counted from 1.
        limit: organizations on a page, at most 100.
    """
    statement = _summaries()
    if search:
        columns = (Organization.name, Organization.domain)
        statement = statement.where(
            or_(*(column.icontains(search, autoescape=True) for column in columns))
        )
    by_name = statement.order_by(Organization.name, Organization.id)
    with domain_errors():
        rows = session.execute(paged(by_name, page, limit)).all()
        total = total_of(session, statement)
    return Page([OrganizationSummary(*row) for row in rows], page, limit, total)


def update_fields(
    session: Session, organization_id: UUID, changes: OrganizationChanges
) -> OrganizationSummary:
    """Change the given fields of an organization, and only those.

    Raises:
        NotFound: there is none with this identifier.
        SlugTaken: another organization has this slug.
        DomainTaken: another organization has this domain.
        InvalidData: there is no such field, or a value breaks a rule.
    """
    change(session, Organization, organization_id, changes, OrganizationChanges)
    return get(session, organization_id)


def add_member(session: Session, organization_id: UUID, user_id: UUID) -> None:
    """Make a user a member. One who is a member already stays it.

    One statement looks and writes, so of two organizations that want a user at once, one gets them.

    Raises:
        NotFound: there is no such user.
        NotAvailable: the user is a member of another organization.
        MissingReference: there is no such organization.
    """
    free = or_(User.organization_id.is_(None), User.organization_id == organization_id)
    statement = update(User).where(User.id == user_id, free)
    with domain_errors():
        joined = session.scalar(
            statement.values(organization_id=organization_id).returning(User.id)
        )
    if joined is None:
        if session.scalar(select(User.id).where(User.id == user_id)) is None:
            raise NotFound("user", user_id)
        raise NotAvailable(
            "The user is a member of another organization and has to leave it first."
        )


def remove_member(session: Session, organization_id: UUID, user_id: UUID) -> None:
    """Take a user out of an organization. The account stays.

    Raises:
        NotFound: the organization has no such member.
    """
    left = session.scalar(
        update(User)
        .where(User.id == user_id, User.organization_id == organization_id)
        .values(organization_id=None)
        .returning(User.id)
    )
    if left is None:
        raise NotFound("member", user_id)


def members_by_role(session: Session, organization_id: UUID) -> dict[Role, int]:
    """Count the active members by role, in one statement; a role that nobody has counts 0."""
    rows = session.execute(
        select(User.role, func.count())
        .where(User.organization_id == organization_id, User.is_active)
        .group_by(User.role)
    )
    return dict.fromkeys(Role, 0) | dict(rows.all())


def remove(session: Session, organization_id: UUID) -> None:
    """Delete an organization that nothing belongs to.

    Raises:
        NotFound: there is none with this identifier.
        MissingReference: users or tracks still belong to it.
    """
    statement = delete(Organization).where(Organization.id == organization_id)
    with domain_errors():
        removed = session.scalar(statement.returning(Organization.id))
    if removed is None:
        raise NotFound("organization", organization_id)


def _summaries() -> Select[*tuple[Any, ...]]:
    # Each counted by a query of its own: joined together, every user would count once a track.
    members, tracks = (
        select(func.count())
        .where(kind.organization_id == Organization.id)
        .correlate(Organization)
        .scalar_subquery()
        for kind in (User, Track)
    )
    return select(
        Organization.id,
        Organization.name,
        Organization.slug,
        Organization.domain,
        Organization.created_at,
        members,
        tracks,
    )
