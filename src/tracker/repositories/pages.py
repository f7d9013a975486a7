"""One page of a longer list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from tracker.errors import InvalidData

Item = TypeVar("Item")

LARGEST_PAGE = 100


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items of a list, and how many it has in all."""

    items: Sequence[Item]
    page: int
    limit: int
    total: int

    @property
    def total_pages(self) -> int:
        """How many pages there are; 0 if the list is empty."""
        return -(-self.total // self.limit)


class Position(NamedTuple):
    """A place in a list that is ordered by moment: that of the last row that was read."""

    created_at: datetime
    id: UUID


@dataclass(frozen=True)
class Slice(Generic[Item]):
    """A part of a list, and where the next part begins."""

    items: Sequence[Item]
    next: Position | None  # None: there is no more


def total_of(session: Session, statement: Select[*tuple[Any, ...]]) -> int:
    """Count the rows of a filtered statement, in the database."""
    rows = statement.order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def paged(statement: Select[*tuple[Any, ...]], page: int, limit: int) -> Select[*tuple[Any, ...]]:
    """Narrow a statement to one page.

    Arguments:
        statement: must have an order that leaves no ties, or rows may move between pages.
        page: counted from 1.
        limit: rows on a page, from 1 to 100.

    Raises:
        InvalidData: there is no such page, or the limit is out of range.
    """
    if page < 1:
        raise InvalidData(f"Page {page} does not exist: pages are counted from 1.")
    return statement.offset((page - 1) * limit).limit(checked_limit(limit))


def checked_limit(limit: int) -> int:
    """Return the limit, or raise InvalidData if nobody may ask for so many rows at once."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidData(f"A page has 1 to {LARGEST_PAGE} rows, not {limit}.")
    return limit
