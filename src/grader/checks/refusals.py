"""What a refusal by PostgreSQL says, and whether a rule of the table or a function refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from grader.text import clean
from pglab.relations import Relation

INTEGRITY = "23"
"""The class of the SQLSTATEs for rules that rows break (manual, appendix A)."""
# The C files that raise what a function asks for, whatever SQLSTATE and name it gives the error.
_RAISED_BY_HAND = frozenset({"pl_exec.c", "plpy_elog.c", "plperl.c", "pltcl.c"})
# What stands around an error that a foreign key's own statements meet, such as those of a cascade.
_OF_A_KEY = re.compile(r'(?:SQL statement "(?:DELETE FROM|UPDATE) ONLY [^\n]*"(?:\n|\Z))+')
_QUESTIONS = {
    "23505": "Which values may appear only once, and where does the database learn that?",
    "23503": "How does PostgreSQL know that this column names a row of another table?",
    "23502": "What does a row look like in which nobody filled in this column?",
    "23514": "Which values make sense in this column, and who refuses the others?",
    "23P01": "Which rows must never overlap, and who refuses the second one?",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal."""

    sqlstate: str
    message: str
    table: str
    column: str
    constraint: str
    columns: frozenset[str]
    """Those that the broken rule is about, as far as that is known."""
    by_code: bool
    """Raised by a function that somebody wrote, and not by a rule of the table."""

    @property
    def title(self) -> str:
        """``23505 (UniqueViolation)``, and the rule."""
        rule = f" by {self.constraint}" if self.constraint else ""
        of = f" in {self.column}" if self.column else ""
        return f"{named(self.sqlstate)}{rule}{of}"


def refusal(error: psycopg.Error, relation: Relation, *, code_is_there: bool) -> Refusal:
    """What an error says.

    Args:
        relation: the table that was written to.
        code_is_there: whether the table has triggers, or the database functions of the student's:
            only then can an error come from code.
    """
    said = error.diag
    by_hand = (said.source_file or "").rpartition("/")[2] in _RAISED_BY_HAND
    return Refusal(
        sqlstate=error.sqlstate or "?????",
        message=clean(said.message_primary or str(error), 300),
        table=clean(said.table_name or "", 63),
        column=clean(said.column_name or "", 63),
        constraint=clean(said.constraint_name or "", 63),
        columns=_columns(said, relation),
        by_code=by_hand or (code_is_there and _from_code(said.context)),
    )


def _from_code(context: str | None) -> bool:
    """Whether something stands around an error, and not only what a foreign key did."""
    return bool(context) and not _OF_A_KEY.fullmatch(context or "")


def _columns(said: psycopg.errors.Diagnostic, relation: Relation) -> frozenset[str]:
    if said.column_name and said.table_name == relation.name:
        return frozenset({said.column_name})
    if said.datatype_name and not said.constraint_name:
        return frozenset()
    rules: Iterable[tuple[str, tuple[str, ...]]] = (
        *((i.constraint or i.name, i.columns) for i in relation.indexes),
        *((i.name, i.columns) for i in relation.indexes),
        *((c.name, c.columns) for c in (*relation.checks, *relation.exclusions)),
        *((k.name, k.columns) for k in relation.foreign_keys),
    )
    if said.datatype_name:
        suffix = f".{said.datatype_name}"
        return frozenset(
            c.name for c in relation.columns if f".{c.type}".endswith((suffix, f'{suffix}"'))
        )
    return next(
        (frozenset(columns) for name, columns in rules if name == said.constraint_name), frozenset()
    )


def named(sqlstate: str) -> str:
    """``23505 (UniqueViolation)``."""
    try:
        return f"{sqlstate} ({psycopg.errors.lookup(sqlstate).__name__})"
    except KeyError:
        return sqlstate


def question_for(sqlstates: Iterable[str]) -> str:
    """What leads on where no such refusal came."""
    return next(
        (_QUESTIONS[state] for state in sqlstates if state in _QUESTIONS),
        "Which rule of the table would refuse this?",
    )
