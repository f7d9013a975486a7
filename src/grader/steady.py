"""Gives what is different in every run a name that is the same in every run.

The database draws ids at random and reads the clock; databases, roles and folders have names of
their own in each run, and objects that are printed their places in memory. A result says
``<uuid 1>``, ``<time 2>`` and ``at <address 1>`` instead, so that the same submission with the same
seed has the same result, to the byte. Numbers follow the order in which ids and addresses first
appear, and the order of time itself: ``<time 1>`` was before ``<time 2>``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_ZONE = (
    r"datetime\.timezone\.utc|zoneinfo\.ZoneInfo\(key='[^']*'\)"
    r"|datetime\.timezone\(datetime\.timedelta\([^)]*\)\)"
)
_TIME = re.compile(
    rf"datetime\.datetime\((?P<parts>\d+(?:, \d+){{2,6}})(?:, (?:tzinfo=(?:{_ZONE})|fold=1))*\)"
    r"|\b(?P<iso>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?)(?: ?(?:Z\b|[+-]\d\d(?::?\d\d)?))?"
)
_ADDRESS = re.compile(r"(?<= at )0x[0-9a-f]{8,16}\b", re.IGNORECASE)
_STUDENTS_FOLDER = re.compile(r"[^\s\"'(]*/kit-student-\w+/")
_NOW = timedelta(days=1)
"""How far from now a time may be to have come from a clock, in whatever zone it is written."""


def steady(value: Any, names: Mapping[str, str]) -> Any:
    """The value with names for all that differs between runs.

    Args:
        value: dataclasses, tuples and texts inside one another; anything else stays as it is.
        names: what roles and databases are called instead.
    """
    texts = list(_texts(value))
    ids = _numbered("uuid", _UUID, texts)
    addresses = _numbered("address", _ADDRESS, texts)
    now = datetime.now(UTC).replace(tzinfo=None)
    whens = {_clock(match, now) for text in texts for match in _TIME.finditer(text)}
    times = {when: f"<time {n}>" for n, when in enumerate(sorted(filter(None, whens)), 1)}
    # A pattern takes long to make, and few results name a role or a database.
    told = [name for name in names if any(name in text for text in texts)]
    pattern = "|".join(map(re.escape, sorted(told, key=len, reverse=True)))

    def rename(text: str) -> str:
        text = _TIME.sub(lambda match: _named(match, now, times), text)
        text = _UUID.sub(lambda match: ids[match[0].lower()], text)
        text = _ADDRESS.sub(lambda match: addresses[match[0].lower()], text)
        if told:
            text = re.sub(pattern, lambda match: names[match[0]], text)
        return _STUDENTS_FOLDER.sub("", text)

    return _mapped(value, rename)


def _numbered(what: str, pattern: re.Pattern[str], texts: list[str]) -> dict[str, str]:
    """A name for each thing that a pattern finds, in small letters."""
    found = (one.lower() for text in texts for one in pattern.findall(text))
    return {one: f"<{what} {n}>" for n, one in enumerate(dict.fromkeys(found), 1)}


def _named(match: re.Match[str], now: datetime, times: Mapping[datetime, str]) -> str:
    when = _clock(match, now)
    return times[when] if when else match[0]


def _clock(match: re.Match[str], now: datetime) -> datetime | None:
    """The time that was found, where it can have come from a clock."""
    try:
        if match["iso"]:
            when = datetime.fromisoformat(match["iso"])
        else:
            # Three to seven numbers, by the pattern; mypy counts a time zone among what they fill.
            when = datetime(*map(int, match["parts"].split(", ")))  # type: ignore[arg-type]
    except ValueError:
        return None
    return when if abs(when - now) < _NOW else None


def _texts(value: Any) -> Iterator[str]:
    if type(value) is str:
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from _texts(inner)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _texts(getattr(value, field.name))


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if type(value) is str:
        return change(value)
    if isinstance(value, tuple):
        return tuple(_mapped(inner, change) for inner in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return type(value)(**{key: _mapped(inner, change) for key, inner in fields.items()})
    return value
