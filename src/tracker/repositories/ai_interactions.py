"""Questions to an assistant, and its answers. They are written once and never changed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from tracker.errors import domain_errors
from tracker.models import AIInteraction, AIInteractionKind
from tracker.repositories.pages import Page, Position, Slice, checked_limit, paged, total_of


def add(
    session: Session,
    user_id: UUID,
    kind: AIInteractionKind,
    query: str,
    response: str,
    *,
    context: Mapping[str, Any] | None = None,
) -> AIInteraction:
    """Record a question and its answer.

    Arguments:
        context: where it was asked, such as ``{"lesson_id": "…"}``.

    Raises:
        MissingReference: there is no such user.
        InvalidData: a value breaks a rule.
    """
    interaction = AIInteraction(user_id=user_id, kind=kind, query=query, response=response)
    if context is not None:
        interaction.context = dict(context)
    session.add(interaction)
    with domain_errors():
        session.flush()
    return interaction


def find(
    session: Session,
    user_id: UUID,
    *,
    search: str | None = None,
    kind: AIInteractionKind | None = None,
    page: int = 1,
    limit: int = 10,
) -> Page[AIInteraction]:
    """List what a user has asked, newest first, in two statements.

    Arguments:
        search: text that stands anywhere in query or response, in any case; ``%`` and ``_`` are
            letters like any other.
        kind: only what was asked for this.
        page: counted from 1.
        limit: interactions on a page, at most 100.
    """
    matching = _matching(user_id, search, kind)
    with domain_errors():
        items = session.scalars(paged(_newest_first(matching), page, limit)).all()
        return Page(items, page, limit, total_of(session, matching))


def find_after(
    session: Session,
    user_id: UUID,
    position: Position | None = None,
    *,
    search: str | None = None,
    kind: AIInteractionKind | None = None,
    limit: int = 20,
) -> Slice[AIInteraction]:
    """Read a user's history on from a position, newest first (keyset pagination), in one statement.

    Arguments:
        position: as the slice before gave it; None to begin.
        search, kind: as for `find`.
        limit: interactions in a slice, from 1 to 100.
    """
    matching = _matching(user_id, search, kind)
    if position is not None:
        place = tuple_(AIInteraction.created_at, AIInteraction.id)
        matching = matching.where(place < tuple_(*position))
    with domain_errors():
        # One row more than is wanted tells whether there is more.
        rows = session.scalars(_newest_first(matching).limit(checked_limit(limit) + 1)).all()
    items = rows[:limit]
    more = len(rows) > limit
    return Slice(items, Position(items[-1].created_at, items[-1].id) if more else None)


def count_by_kind(session: Session, user_id: UUID) -> dict[AIInteractionKind, int]:
    """Count a user's interactions by kind, in one statement; a kind without any counts 0."""
    rows = session.execute(
        select(AIInteraction.kind, func.count())
        .where(AIInteraction.user_id == user_id)
        .group_by(AIInteraction.kind)
    )
    return dict.fromkeys(AIInteractionKind, 0) | dict(rows.all())


def remove_older_than(session: Session, user_id: UUID, age: timedelta) -> int:
    """Delete what a user asked longer ago than this, and return how much that was."""
    old = delete(AIInteraction).where(
        AIInteraction.user_id == user_id, AIInteraction.created_at < func.now() - age
    )
    return len(session.scalars(old.returning(AIInteraction.id)).all())


def _matching(
    user_id: UUID, search: str | None, kind: AIInteractionKind | None
) -> Select[AIInteraction]:
    statement = select(AIInteraction).where(AIInteraction.user_id == user_id)
    if kind is not None:
        statement = statement.where(AIInteraction.kind == kind)
    if search:
        columns = (AIInteraction.query, AIInteraction.response)
        statement = statement.where(
            or_(*(column.icontains(search, autoescape=True) for column in columns))
        )
    return statement


def _newest_first(statement: Select[AIInteraction]) -> Select[AIInteraction]:
    return statement.order_by(AIInteraction.created_at.desc(), AIInteraction.id.desc())
