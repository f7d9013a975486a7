"""Plausible values for the columns of a row that an exercise leaves open.

Students name and extend tables freely: a table may have columns that its exercise does not know of,
with rules of their own. For each such column there is a series of candidates; where the table
refuses one, the next is tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from grader.checks.data import Data
from pglab.relations import Column, Relation

CANDIDATES = 24
"""How many values are tried for one column."""

_TEXTS = frozenset({"text", "character varying", "character", "public.citext", "name", '"char"'})
_NUMBERS = frozenset(
    {"smallint", "integer", "bigint", "numeric", "real", "double precision", "money"}
)
_QUOTED = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"(?<![\w.'])-?\d+(?:\.\d+)?(?![\w.'])")
_FIXED: Mapping[str, tuple[Any, ...]] = {
    "boolean": (False, True),
    "bytea": (b"kit", b""),
    "json": ("{}", "[]", '"kit"'),
    "jsonb": ("{}", "[]", '"kit"'),
    "interval": ("1 hour", "1 day", "30 days"),
    "time without time zone": ("12:00", "00:00"),
    "time with time zone": ("12:00+00", "00:00+00"),
    "inet": ("192.0.2.1", "2001:db8::1"),
    "cidr": ("192.0.2.0/24",),
    "macaddr": ("00:00:5e:00:53:01",),
    "tsvector": ("kit",),
    "xml": ("<kit/>",),
    "point": ("(0,0)",),
    "bit": ("1",),
    "bit varying": ("1",),
    "int4range": ("[1,2)",),
    "int8range": ("[1,2)",),
    "numrange": ("[1,2)",),
    "daterange": ("[2024-01-15,2024-01-16)",),
    "tsrange": ("[2024-01-15,2024-01-16)",),
    "tstzrange": ("[2024-01-15,2024-01-16)",),
    "public.hstore": ("",),
    "public.ltree": ("kit",),
}
_DAYS = ("2024-01-{:02d}", "2099-06-{:02d}", "1990-03-{:02d}")


class Filling:
    """Values for open columns.

    Args:
        data: where made-up words come from.
    """

    def __init__(self, data: Data) -> None:
        self._data = data
        self._number = 0
        self._texts: tuple[Callable[[], str], ...] = (
            lambda: data.word(4),
            data.email,
            lambda: f"https://{data.word()}.example/{data.word()}",
            lambda: data.word().upper(),
            lambda: str(data.number(10_000, 99_999)),
            lambda: f"+4930{data.number(100_000, 999_999)}",
            lambda: f"{data.rng.getrandbits(256):064x}",
            data.text,
            lambda: f"{data.word()}-{data.word()}",
            lambda: data.word()[:1],
            lambda: data.word(1).upper(),
        )

    @staticmethod
    def knows(column: Column) -> bool:
        """Whether values of the column's type can be made up."""
        base = column.base_type
        return (
            bool(column.values)
            or base.endswith("[]")
            or base in (_TEXTS | _NUMBERS | _FIXED.keys() | {"uuid", "date", "public.vector"})
            or base.startswith("timestamp")
        )

    def value(  # noqa: PLR0911 - one line for each kind of type
        self, column: Column, relation: Relation, attempt: int
    ) -> Any:
        """A candidate for a column; another one each time where that is possible."""
        self._number += 1
        base = column.base_type
        if column.values:
            return column.values[attempt % len(column.values)]
        if base in _FIXED:
            return _FIXED[base][attempt % len(_FIXED[base])]
        if base == "uuid":
            return UUID(int=self._data.rng.getrandbits(128), version=4)
        if base.endswith("[]"):
            return "{}" if attempt % 2 == 0 else self._one_of(base.removesuffix("[]"))
        if base == "public.vector":
            sizes = re.findall(r"\((\d+)\)", column.type)
            return f"[{', '.join(['1'] * int(sizes[0] if sizes else 3))}]"
        if base == "date" or base.startswith("timestamp"):
            day = _DAYS[attempt % len(_DAYS)].format(self._number % 27 + 1)
            return day if base == "date" else f"{day} 12:00:00+00"
        if base in _NUMBERS:
            return self._a_number(_mentioned(_NUMBER, column, relation), attempt)
        return self._a_text(_mentioned(_QUOTED, column, relation), attempt)[: column.size]

    def _one_of(self, element: str) -> str:
        if element in _NUMBERS:
            return "{1}"
        return f"{{{self._data.word()}}}"

    def _a_number(self, mentioned: list[str], attempt: int) -> str:
        around = [str(float(n) + d).removesuffix(".0") for n in mentioned for d in (0, 1, -1)]
        series = [str(self._number), "1", *around, "0", "10", "100", "2024", "-1"]
        return series[attempt] if attempt < len(series) else str(self._data.number(1, 30_000))

    def _a_text(self, mentioned: list[str], attempt: int) -> str:
        if attempt < len(mentioned):
            return mentioned[attempt].replace("''", "'")
        return self._texts[(attempt - len(mentioned)) % len(self._texts)]()


def _mentioned(pattern: re.Pattern[str], column: Column, relation: Relation) -> list[str]:
    """What the rules about a column write down: often the very values that are allowed."""
    rules = [check.expression for check in relation.checks if column.name in check.columns]
    found = (match[0].strip("'") for rule in rules for match in pattern.finditer(rule))
    return list(dict.fromkeys(found))[: CANDIDATES // 2]
