"""Which kept answers a write spoils.

When in doubt, too much: an answer that is forgotten without need costs one question to the
database, one that is kept without right is wrong.
"""

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Delete, Insert, Update, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, ColumnClause

from tracker.models import (
    Base,
    Enrollment,
    Lesson,
    LessonProgress,
    Module,
    Section,
    SectionProgress,
    Track,
    TrackProgress,
    User,
)

EVERYTHING = "everything"
CATALOG = "catalog"
ANY_TRACK = "track:*"
ANY_USER = "user:*"


def track(track_id: UUID) -> str:
    """Return the tag of what is in one track."""
    return f"track:{track_id}"


def user(user_id: UUID) -> str:
    """Return the tag of what one user does."""
    return f"user:{user_id}"


_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class _Rule:
    """What a write to a table spoils: always, and of the owner that a column names."""

    always: frozenset[str] = frozenset()
    owner_column: str | None = None
    prefix: str = ""

    def of_owners(self, owners: Iterable[object] | None) -> set[str]:
        """Return the tags for these owners; for all there are, where they are not known."""
        if self.owner_column is None:
            return set(self.always)
        if owners is None:
            return {*self.always, f"{self.prefix}:*"}
        return {*self.always, *(f"{self.prefix}:{owner}" for owner in owners)}


_OF_USER = _Rule(owner_column="user_id", prefix="user")
_RULES: dict[type[Base], _Rule] = {
    Track: _Rule(frozenset({CATALOG}), "id", "track"),
    Lesson: _Rule(frozenset({CATALOG}), "track_id", "track"),  # the catalog counts lessons
    Module: _Rule(frozenset(), "track_id", "track"),
    Section: _Rule(frozenset({ANY_TRACK})),
    User: _Rule(frozenset({CATALOG, ANY_TRACK})),  # both name the author
    Enrollment: _OF_USER,
    TrackProgress: _OF_USER,
    LessonProgress: _OF_USER,
    SectionProgress: _OF_USER,
}


def spoiled_by_flush(
    new: Iterable[object], dirty: Iterable[object], deleted: Iterable[object]
) -> set[str]:
    """Return the tags of what a session's unit of work has written."""
    if any(type(entity) in _RULES for entity in deleted):
        return {EVERYTHING}  # the database deletes other rows with it
    spoiled: set[str] = set()
    for entity in (*(e for e in new if not isinstance(e, User)), *dirty):
        rule = _RULES.get(type(entity))  # type: ignore[arg-type]
        if rule is not None:
            spoiled |= rule.of_owners(_owners_of(entity, rule.owner_column))
    return spoiled


def _owners_of(entity: object, column: str | None) -> list[object] | None:
    """Return the owner, and the one before if it was moved; None if they are not loaded."""
    if column is None:
        return []
    history = inspect(entity, raiseerr=True).attrs[column].history
    return [owner for owner in history.sum() if owner is not None] or None


def spoiled_by_statement(state: ORMExecuteState) -> set[str]:
    """Return the tags of what a statement writes; none for one that reads."""
    statement = state.statement
    if state.is_select:
        return set()
    if not isinstance(statement, Insert | Update | Delete) or state.bind_mapper is None:
        return {EVERYTHING}  # text: who knows what it does
    model = state.bind_mapper.class_
    rule = _RULES.get(model)
    if rule is None or (model is User and isinstance(statement, Insert)):
        return set()
    if isinstance(statement, Delete):
        return {EVERYTHING}
    owners = _owners_in(statement, state.parameters, rule.owner_column)
    return rule.of_owners(owners)


def _owners_in(
    statement: Insert | Update, parameters: Any, column: str | None
) -> list[object] | None:
    """Return whose rows a statement writes, or None if it does not say."""
    if column is None:
        return []
    if isinstance(parameters, list):  # insert(model), [row, row, …]
        owners = [row.get(column) for row in parameters]
        return None if None in owners else owners
    values = statement.compile(dialect=_DIALECT).params
    if isinstance(statement, Update):
        compared = [value for name, value in _equalities(statement) if name == column]
        return None if column in values else compared or None
    return [values[column]] if values.get(column) is not None else None


def _equalities(statement: Update) -> Iterator[tuple[str, object]]:
    """Yield the columns of the table that the WHERE clause compares with a given value."""
    where = statement.whereclause
    conditions = [where]
    if isinstance(where, BooleanClauseList) and where.operator is operator.and_:
        conditions = list(where.clauses)
    for condition in conditions:
        if not isinstance(condition, BinaryExpression) or condition.operator is not operator.eq:
            continue
        column, value = condition.left, condition.right
        if (
            isinstance(column, ColumnClause)
            and isinstance(value, BindParameter)
            and getattr(column.table, "name", None) == getattr(statement.table, "name", "")
        ):
            yield column.key, value.effective_value
