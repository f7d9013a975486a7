"""What a database's catalog says of its tables: columns, keys, rules, indexes, triggers.

Nothing of the database's own is run to find out: only ``pg_catalog`` is read, with functions that
print expressions and evaluate none, and every name is looked up there whatever the search path is.

Source: PostgreSQL manual, "System Catalogs"; the same columns from version 15 to 18. What only
later versions have (rules that are ``NOT ENFORCED``, ``NOT NULL`` that is ``NOT VALID``) is read
where it is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pglab import relations_queries as queries

__all__ = [
    "Check",
    "Column",
    "ForeignKey",
    "Index",
    "Relation",
    "RelationsReader",
    "TooManyRelations",
    "Trigger",
    "read_relations",
]

RELATIONS_READ = 2_000
ROWS_READ = 20_000
"""Of each other kind of thing; nobody writes more of it by hand."""

_KINDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}
_ACTIONS = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    type: str
    """As PostgreSQL writes it: ``character varying(80)``, ``public.mood``, ``text[]``."""
    base_type: str
    """The type without its size, and what a domain is made of: ``character varying``."""
    size: int | None
    """The greatest number of characters of a ``varchar(n)`` or ``char(n)``."""
    nullable: bool
    """Whether it may hold NULL, or may hold one from before the rule was made."""
    default: str | None
    """The expression that gives its value where none is given; None where there is none."""
    identity: bool
    """``GENERATED … AS IDENTITY``."""
    generated: bool
    """Computed from the other columns."""
    values: tuple[str, ...] = ()
    """Of an enum: what it may be, in order."""

    @property
    def fills_itself(self) -> bool:
        """Whether a row may leave it out and it gets a value."""
        return self.default is not None or self.identity or self.generated


@dataclass(frozen=True, slots=True)
class Index:
    """One index, whether made by itself or for a constraint."""

    name: str
    columns: tuple[str, ...]
    """Columns in order; an expression stands as PostgreSQL writes it: ``lower(email)``."""
    opclasses: tuple[str, ...]
    """Which operators each of them serves: ``text_ops``, ``gin_trgm_ops`` …"""
    include: tuple[str, ...]
    unique: bool
    primary: bool
    method: str
    """``btree``, ``gin``, ``gist`` …"""
    where: str | None
    """The condition of a partial index."""
    valid: bool
    """False where building it failed or is not done: it is not used, and a unique one not kept."""
    nulls_distinct: bool
    deferrable: bool
    constraint: str | None
    """The name of the constraint that it belongs to."""
    expressions: bool
    number: int = field(compare=False)
    """Its ``oid``: another where it is made anew."""
    bytes: int
    definition: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """One foreign key."""

    name: str
    columns: tuple[str, ...]
    target: str
    """The table that it points to, with its schema where that is not ``public``."""
    target_columns: tuple[str, ...]
    on_delete: str
    """``NO ACTION``, ``RESTRICT``, ``CASCADE``, ``SET NULL`` or ``SET DEFAULT``."""
    on_update: str
    deferrable: bool
    validated: bool
    """False where rows from before were never looked at: ``NOT VALID``."""
    enforced: bool
    """False where it is ``NOT ENFORCED`` or its triggers are disabled."""

    @property
    def holds(self) -> bool:
        """Whether every row keeps it, those from before included."""
        return self.validated and self.enforced


@dataclass(frozen=True, slots=True)
class Check:
    """One CHECK constraint, or an EXCLUDE constraint."""

    name: str
    columns: tuple[str, ...]
    expression: str
    """``CHECK ((price > 0))``, as PostgreSQL writes it."""
    validated: bool
    enforced: bool

    @property
    def holds(self) -> bool:
        """Whether every row keeps it, those from before included."""
        return self.validated and self.enforced


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger that somebody made."""

    name: str
    definition: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, or what stands in a table's place."""

    schema: str
    name: str
    kind: str
    """``table``, ``partitioned table``, ``view``, ``materialized view`` or ``foreign table``."""
    temporary: bool
    unlogged: bool
    partition: bool
    row_security: bool
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...]
    foreign_keys: tuple[ForeignKey, ...]
    checks: tuple[Check, ...]
    exclusions: tuple[Check, ...]
    triggers: tuple[Trigger, ...]
    rules: tuple[str, ...]
    policies: tuple[str, ...]

    @property
    def ordinary(self) -> bool:
        """Whether it holds rows of its own, for everybody and for good."""
        return self.kind in ("table", "partitioned table") and not self.temporary

    @property
    def title(self) -> str:
        """Its name, with the schema where that is not ``public``."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the primary key, in order; empty where there is none."""
        return next((index.columns for index in self.indexes if index.primary), ())


class TooManyRelations(Exception):
    """There are more tables, columns or indexes than are read."""


def read_relations(connection: psycopg.Connection[Any]) -> list[Relation]:
    """Every table, view and foreign table outside PostgreSQL's own schemas, by schema and name.

    Args:
        connection: as any role; what it cannot see in the catalog it is not told. Other sessions'
            temporary tables are there as well.

    Raises:
        TooManyRelations: there are more than `RELATIONS_READ`.
    """
    # Rolled back, so that the search path is again what it was: by it names are printed in full.
    with (
        connection.transaction(force_rollback=True),
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        cursor.execute("SET LOCAL search_path = ''")

        def read(query: str) -> list[dict[str, Any]]:
            limit = RELATIONS_READ if query is queries.RELATIONS else ROWS_READ
            # The queries are this module's own; what is put in are its own texts.
            rows = cursor.execute(f"{query} LIMIT {limit + 1}".encode()).fetchall()
            if len(rows) > limit:
                raise TooManyRelations(f"There are more than {limit:,} of them.")
            return rows

        relations = read(queries.RELATIONS)
        columns = _by_table(read(queries.COLUMNS))
        indexes = _by_table(read(queries.INDEXES))
        constraints = _by_table(read(queries.CONSTRAINTS))
        others = _by_table(read(queries.OTHERS))
    return [
        _relation(r, columns[r["oid"]], indexes[r["oid"]], constraints[r["oid"]], others[r["oid"]])
        for r in relations
    ]


class RelationsReader:
    """Reads what `read_relations` does, of one database, and reads again only what has changed."""

    def __init__(self) -> None:
        self._version: object = self  # which no version is
        self._relations: list[Relation] = []
        self._sizes: Mapping[str, int] = {}

    def read(self, connection: psycopg.Connection[Any]) -> list[Relation]:
        """Every relation, as it is now.

        Raises:
            TooManyRelations: as `read_relations`.
        """
        version, sizes = _version(connection)
        if version != self._version:
            self._relations = read_relations(connection)
            afterwards, sizes = _version(connection)
            # What has changed while it was read is read again the next time.
            self._version = version if afterwards == version else self
        elif sizes != self._sizes:
            self._relations = [_grown(each, sizes) for each in self._relations]
        self._sizes = sizes
        return list(self._relations)


def _version(connection: psycopg.Connection[Any]) -> tuple[object, Mapping[str, int]]:
    """What differs whenever the catalog does, and the sizes of the indexes by their numbers."""
    with connection.cursor(row_factory=dict_row) as cursor:
        (found,) = cursor.execute(queries.VERSION.encode()).fetchall()
    return found["version"], found["sizes"]


def _grown(relation: Relation, sizes: Mapping[str, int]) -> Relation:
    """A relation whose indexes have another size; they are the same."""
    indexes = (replace(index, bytes=sizes[str(index.number)]) for index in relation.indexes)
    return replace(relation, indexes=tuple(indexes))


def _by_table(rows: Iterable[dict[str, Any]]) -> Mapping[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row.pop("oid")].append(row)
    return found


def _relation(
    row: dict[str, Any],
    columns: list[dict[str, Any]],
    indexes: list[dict[str, Any]],
    constraints: list[dict[str, Any]],
    others: list[dict[str, Any]],
) -> Relation:
    return Relation(
        schema=row["schema"],
        name=row["name"],
        kind=_KINDS[row["kind"]],
        temporary=row["persistence"] == "t",
        unlogged=row["persistence"] == "u",
        partition=row["partition"],
        row_security=row["row_security"],
        columns=tuple(Column(**{**c, "values": tuple(c["values"] or ())}) for c in columns),
        indexes=tuple(_index(index) for index in indexes),
        foreign_keys=tuple(_foreign_key(c) for c in constraints if c["type"] == "f"),
        checks=tuple(_check(c) for c in constraints if c["type"] == "c"),
        exclusions=tuple(_check(c) for c in constraints if c["type"] == "x"),
        triggers=tuple(
            Trigger(o["name"], o["definition"], o["enabled"])
            for o in others
            if o["what"] == "trigger"
        ),
        rules=tuple(o["name"] for o in others if o["what"] == "rule"),
        policies=tuple(o["name"] for o in others if o["what"] == "policy"),
    )


def _index(row: dict[str, Any]) -> Index:
    keys = row.pop("keys")
    parts = row.pop("parts")
    opclasses = tuple(row.pop("opclasses"))
    return Index(
        columns=tuple(parts[:keys]), opclasses=opclasses, include=tuple(parts[keys:]), **row
    )


def _foreign_key(row: dict[str, Any]) -> ForeignKey:
    return ForeignKey(
        name=row["name"],
        columns=tuple(row["columns"] or ()),
        target=row["target"],
        target_columns=tuple(row["target_columns"] or ()),
        on_delete=_ACTIONS[row["on_delete"]],
        on_update=_ACTIONS[row["on_update"]],
        deferrable=row["deferrable"],
        validated=row["validated"],
        enforced=row["enforced"],
    )


def _check(row: dict[str, Any]) -> Check:
    return Check(
        name=row["name"],
        columns=tuple(row["columns"] or ()),
        expression=row["definition"],
        validated=row["validated"],
        enforced=row["enforced"],
    )
