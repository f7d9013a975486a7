"""Statements as they are shown: repetitions folded, SQLSTATEs with their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from grader.results import SentStatement


@dataclass(frozen=True, slots=True)
class SentGroup:
    """The same SQL, sent one or more times in a row."""

    sql: str
    sqlstate: str
    """Code and name, for example ``23505 UniqueViolation``; empty where nothing failed."""
    parameters: tuple[str, ...]
    """The parameters of each time that had any, joined by commas; between quotation marks those of
    which one would not see where they begin and end."""
    times: int


def grouped(statements: Iterable[SentStatement]) -> list[SentGroup]:
    """Statements in the order in which they were sent, repetitions in one group."""
    groups = []
    for (sql, sqlstate), members in groupby(statements, key=lambda s: (s.sql, s.sqlstate)):
        sent = list(members)
        parameters = tuple(", ".join(map(_bounded, s.parameters)) for s in sent if s.parameters)
        groups.append(SentGroup(sql, _named(sqlstate), parameters, len(sent)))
    return groups


def _bounded(parameter: str) -> str:
    """Nothing, spaces, and what has the comma in it that stands between two parameters."""
    clear = parameter and parameter == parameter.strip() and ", " not in parameter
    return parameter if clear else f"'{parameter}'"


def _named(sqlstate: str | None) -> str:
    """The code with its condition's name (PostgreSQL manual, appendix A) where psycopg knows it."""
    if not sqlstate:
        return ""
    from psycopg.errors import lookup  # slow to import, and most reports name no code

    try:
        return f"{sqlstate} {lookup(sqlstate).__name__}"
    except KeyError:
        return sqlstate
