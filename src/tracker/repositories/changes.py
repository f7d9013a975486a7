"""Partial updates: change what was given, and nothing else."""

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from tracker.errors import InvalidData, NotFound, domain_errors
from tracker.models import Base

Entity = TypeVar("Entity", bound=Base)


def change(
    session: Session,
    kind: type[Entity],
    identifier: UUID,
    changes: Mapping[str, Any],
    allowed: type,
) -> Entity:
    """Set the given fields of one row.

    Whether a field is changed depends on whether it is there, never on its value: None, False, 0
        and "" are values like any other. (`if changes.get("bio"): …` could never empty a
        biography.)

    Arguments:
        kind: the model.
        identifier: the row's primary key.
        changes: field names and new values.
        allowed: the TypedDict that lists the fields that may be changed.

    Raises:
        NotFound: there is no such row.
        InvalidData: a field is not in the list, or a value breaks a rule.
        AlreadyExists: the value must be unique and another row has it.
    """
    unknown = changes.keys() - allowed.__annotations__.keys()
    if unknown:
        raise InvalidData(
            f"A {kind.__name__.lower()} has no field to change named {', '.join(sorted(unknown))}."
        )
    entity = session.get(kind, identifier)
    if entity is None:
        raise NotFound(kind.__name__.lower(), identifier)
    for field, value in changes.items():
        setattr(entity, field, value)
    with domain_errors():
        session.flush()
    return entity
