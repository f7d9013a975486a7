"""The instrument ``schema``: which tables there really are and what rules they keep.

Read from the catalog over the judge's own connection. What only looks like a table or a rule is
told and never believed: a view under the expected name, a table in another schema or of one session
alone, a rule that is ``NOT VALID`` or not enforced, an index that could not be built.

    def test_one_account_per_address(schema):
        users = schema.table("users")
        assert users.is_unique("email"), hint("Nothing in the database keeps addresses apart. …")
        assert not users.column("email").nullable, hint("…")
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from grader.checks.verdict import NotPassed
from grader.results import Failure, Reason
from pglab.relations import (
    Check,
    Column,
    ForeignKey,
    Index,
    Relation,
    RelationsReader,
    TooManyRelations,
    Trigger,
)

_SHOWN = 12


class Table:
    """One table, as the catalog describes it.

    Attributes:
        relation: everything that was read of it.
    """

    def __init__(self, relation: Relation) -> None:
        self.relation = relation

    @property
    def name(self) -> str:
        return self.relation.name

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.relation.columns

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the primary key, in order; empty where there is none."""
        return self.relation.primary_key

    @property
    def indexes(self) -> tuple[Index, ...]:
        """All of them, also those of constraints; look at ``valid`` before you rely on one."""
        return self.relation.indexes

    @property
    def uniques(self) -> tuple[Index, ...]:
        """What keeps rows apart: unique constraints, unique indexes and the primary key.

        Partial ones (``where``), ones on expressions and ones that may be checked late
        (``deferrable``) are among them; ones that could not be built are not.
        """
        return tuple(index for index in self.indexes if index.unique and index.valid)

    @property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        """All of them; look at ``holds`` before you rely on one."""
        return self.relation.foreign_keys

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of them; look at ``holds`` before you rely on one."""
        return self.relation.checks

    @property
    def exclusions(self) -> tuple[Check, ...]:
        return self.relation.exclusions

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        return self.relation.triggers

    def column(self, name: str) -> Column:
        """The column of this name.

        Raises:
            NotPassed: there is none.
        """
        if (found := self.find_column(name)) is not None:
            return found
        near = _near(name, [column.name for column in self.columns])
        raise NotPassed(
            Failure(
                Reason.ASSERTION,
                f"The table {self.name} has no column {name}{near}.",
                question="Is it spelled exactly as in the exercise's README?",
                expected=f"a column {self.name}.{name}",
                actual=", ".join(column.name for column in self.columns[:_SHOWN]),
            )
        )

    def find_column(self, name: str) -> Column | None:
        """The column of this name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def references(self, target: str, *columns: str) -> tuple[ForeignKey, ...]:
        """The foreign keys to another table that every row keeps.

        Args:
            target: the table that is pointed to.
            columns: only those that start from exactly these columns, in any order.
        """
        return tuple(
            key
            for key in self.foreign_keys
            if key.target == target
            and key.holds
            and (not columns or sorted(key.columns) == sorted(columns))
        )

    def is_unique(self, *columns: str) -> bool:
        """Whether no two rows can have the same values in exactly these columns, in any order.

        A unique constraint, a primary key or a unique index over all rows will do. NULL is not the
        same as NULL there, unless the rule says so: look at ``nullable``, or at ``uniques``.
        """
        return any(
            sorted(index.columns) == sorted(columns)
            for index in self.uniques
            if index.where is None and not index.expressions
        )

    def index_on(self, *columns: str) -> Index | None:
        """A whole, valid index that begins with these columns in this order, or None."""
        return next(
            (
                index
                for index in self.indexes
                if index.valid and index.where is None and index.columns[: len(columns)] == columns
            ),
            None,
        )


class Schema:
    """The instrument ``schema``. What has changed is read again, so it is never out of date.

    Args:
        connect: gives a connection that may read the catalog.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._reader = RelationsReader()

    @property
    def relations(self) -> list[Relation]:
        """Everything that could be read from: tables, views and foreign tables, in all schemas.

        Raises:
            NotPassed: there are thousands of them.
        """
        try:
            return self._reader.read(self._connect())
        except TooManyRelations as error:
            raise NotPassed(
                Failure(
                    Reason.LIMIT,
                    f"Your code made more tables, columns or indexes than are read here. {error}",
                    question="Is there a loop around a CREATE?",
                )
            ) from error

    @property
    def tables(self) -> dict[str, Table]:
        """The ordinary tables of ``public``, by name."""
        return {
            relation.name: Table(relation)
            for relation in self.relations
            if relation.schema == "public" and relation.ordinary and not relation.partition
        }

    def find(self, name: str) -> Table | None:
        """The ordinary table of this name in ``public``, or None."""
        return self.tables.get(name)

    def table(self, name: str) -> Table:
        """The ordinary table of this name in ``public``.

        Raises:
            NotPassed: there is none; the message says what stands in its place.
        """
        relations = self.relations
        for relation in relations:
            if (relation.schema, relation.name) == ("public", name) and relation.ordinary:
                return Table(relation)
        raise NotPassed(_no_table(name, relations))

    def tables_between(self, one: str, other: str) -> list[Table]:
        """The tables with foreign keys, which hold, to both: those that link many to many."""
        return [
            table
            for table in self.tables.values()
            if table.references(one)
            and table.references(other)
            and (one != other or len(table.references(one)) > 1)
        ]


def _no_table(name: str, relations: Iterable[Relation]) -> Failure:
    """What is said where the table is not there, by what is there instead."""
    relations = list(relations)
    message, question = _instead(name, [r for r in relations if r.name == name])
    tables = [r.name for r in relations if r.schema == "public" and r.ordinary]
    if not message:
        message = f"There is no table {name} in the schema public{_near(name, tables)}."
        question = "Is it spelled exactly as in the exercise's README, and was it really made?"
    shown = ", ".join(tables[:_SHOWN]) + (", …" if len(tables) > _SHOWN else "")
    return Failure(
        Reason.ASSERTION,
        message,
        question=question,
        expected=f"an ordinary table public.{name}",
        actual=f"tables in public: {shown or 'none'}",
    )


def _instead(name: str, same: list[Relation]) -> tuple[str, str]:
    """Of relations with the right name, why none of them is the table."""
    for relation in sorted(same, key=lambda r: r.schema != "public"):
        if relation.temporary:
            return (
                f"{name} is a temporary table: only the session that made it sees it, and it is "
                "gone when that session ends.",
                "What is left of this table when your program has ended?",
            )
        if not relation.ordinary:
            return (
                f"{name} is a {relation.kind}. It holds no rows of its own, so it can keep no rule "
                "about them.",
                f"Where do the rows of {name} live?",
            )
        return (
            f"{name} is in the schema {relation.schema}, and not in public, where everybody looks "
            "for it.",
            "Which schema does CREATE TABLE take, and who decides that?",
        )
    return "", ""


def _near(name: str, names: Iterable[str]) -> str:
    """What may have been meant, as the end of a sentence."""
    folded = {other.lower(): other for other in names}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return f", only {folded[near[0]]}" if near else ""
