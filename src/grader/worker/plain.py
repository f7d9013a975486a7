"""Turns what a student's function returns into plain values that can be sent.

Convenience only: this runs in the student's own process, so nothing that it says is trusted.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Callable, Iterator, Mapping, Set
from decimal import Decimal
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.engine import Result, Row
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.orm import InstanceState

from grader import wire

_MAX_TEXT = 300
_MAX_ITEMS = 100_000
# Subclasses of these arrive as the plain type; a datetime is a date too, so it comes first.
_BUILT_IN: dict[type | tuple[type, ...], Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    (bytes, bytearray, memoryview): bytes,
    Decimal: Decimal,
    uuid.UUID: lambda value: uuid.UUID(int=value.int),
    dt.datetime: lambda value: dt.datetime.fromisoformat(dt.datetime.isoformat(value)),
    dt.date: lambda value: dt.date.fromisoformat(dt.date.isoformat(value)),
    dt.time: lambda value: dt.time.fromisoformat(dt.time.isoformat(value)),
    dt.timedelta: lambda value: dt.timedelta(value.days, value.seconds, value.microseconds),
}


def to_plain(value: Any) -> Any:
    """The value as `grader.wire` sends it: rows, dataclasses and mapped objects as dicts."""
    return wire.encode(value, _simplify)


def _simplify(value: Any) -> Any:  # noqa: PLR0911 - one line for each kind of value
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Row):
        return dict(value._mapping)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if (state := _mapped(value)) is not None:
        return _loaded(state)
    if hasattr(value, "model_dump"):
        return value.model_dump()
    for kind, exact in _BUILT_IN.items():
        if isinstance(value, kind):
            return exact(value)
    if isinstance(value, Set):
        return set(value)
    if isinstance(value, list | tuple | Iterator | Result) or hasattr(value, "__iter__"):
        return [item for _, item in zip(range(_MAX_ITEMS), value, strict=False)]
    return repr(value)[:_MAX_TEXT]


def _mapped(value: Any) -> InstanceState[Any] | None:
    try:
        state = inspect(value)
    except NoInspectionAvailable:
        return None
    return state if isinstance(state, InstanceState) else None


def _loaded(state: InstanceState[Any], seen: frozenset[int] = frozenset()) -> dict[str, Any]:
    """What is loaded of a mapped object; nothing is fetched to answer, and cycles end.

    Attributes come in the order in which the class declares them, and then those that it does not:
    in the object's own dict they stand as SQLAlchemy's sets of them happened to be ordered.
    """
    seen |= {id(state)}
    fields: dict[str, Any] = {}
    # SQLAlchemy's collection of attributes can only be gone through by its keys.
    declared = [name for name in state.mapper.attrs.keys() if name in state.dict]  # noqa: SIM118
    for name in dict.fromkeys([*declared, *sorted(state.dict)]):
        value = state.dict[name]
        if name.startswith("_"):
            continue
        if isinstance(value, list | set):
            related = [_mapped(item) for item in value]
            fields[name] = [
                _loaded(item, seen) if item is not None else plain
                for item, plain in zip(related, value, strict=True)
                if item is None or id(item) not in seen
            ]
        elif (one := _mapped(value)) is not None:
            if id(one) not in seen:
                fields[name] = _loaded(one, seen)
        else:
            fields[name] = value
    return fields
