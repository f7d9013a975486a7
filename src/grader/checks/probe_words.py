"""What a learner is told where a probe went otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grader.checks.refusals import Refusal, named, question_for
from grader.results import Failure, Reason
from grader.text import clean, literal
from pglab.relations import Column, Relation


def should_accept(
    table: str, row: Mapping[str, Any] | str, refused: Refusal, because: str
) -> Failure:
    what = row if isinstance(row, str) else f"a row with {told(row)}" if row else "a row"
    return Failure(
        Reason.ASSERTION,
        clean(
            f"{table}: PostgreSQL refused {what}, and it should accept that."
            + (f" {because}" if because else ""),
            1500,
        ),
        question="Which rule refuses it, and whom does that rule protect?",
        expected="accepted",
        actual=clean(f"refused with {refused.title}: {refused.message}", 600),
    )


def should_refuse(
    relation: Relation, what: str, wanted: tuple[str, ...] | None, because: str
) -> Failure:
    hollow = [k.name for k in relation.foreign_keys if not k.enforced]
    hollow += [c.name for c in relation.checks if not c.enforced]
    hollow += [i.name for i in relation.indexes if i.unique and not i.valid]
    note = f" There is {hollow[0]}, but it is not enforced." if hollow else ""
    return Failure(
        Reason.ASSERTION,
        clean(
            f"{relation.name}: PostgreSQL accepted {what}: no rule of the table refused it.{note}"
            + (f" {because}" if because else ""),
            1500,
        ),
        question=question_for(wanted or ()),
        expected=f"refused with {codes(wanted)}",
        actual="accepted",
    )


def other_refusal(
    table: str, told: str, refused: Refusal, wanted: tuple[str, ...] | None, because: str
) -> Failure:
    why = (
        "It was a function that refused, and not a rule of the table. A function sees only what is "
        "there when it looks: of two transactions at the same moment, neither sees the other's row."
        if refused.by_code
        else "It was refused, but for another reason than the one that was asked for."
    )
    return Failure(
        Reason.ASSERTION,
        clean(f"{table}: {told}. {why}" + (f" {because}" if because else ""), 1500),
        question=question_for(wanted or ()),
        expected=f"refused with {codes(wanted)}",
        actual=clean(f"refused with {refused.title}: {refused.message}", 600),
    )


def swallowed(table: str, row: Mapping[str, Any]) -> Failure:
    return Failure(
        Reason.ASSERTION,
        clean(
            f"{table}: PostgreSQL said yes to a row with {told(row)}, and stored nothing. Whoever "
            "saved it believes that it is there.",
            1500,
        ),
        question="Is there a trigger that returns NULL, or a policy that hides the row?",
        expected="one row stored",
        actual="no row stored, and no error",
    )


def nothing_happened(table: str, what: str) -> Failure:
    return Failure(
        Reason.ASSERTION,
        clean(f"{table}: no row was there, or no row changed, at {what}.", 1500),
        question="Is there a trigger or a policy that keeps the row from the statement?",
        expected="at least one row",
        actual="no row, and no error",
    )


def cannot_fill(table: str, refused: Refusal) -> Failure:
    columns = ", ".join(sorted(refused.columns)) or "a column"
    return Failure(
        Reason.ASSERTION,
        f"{table} has a rule about {columns}, which the exercise does not mention, and no row that "
        f"this check could think of keeps it. Whoever stores a row in {table} must know that rule.",
        question=f"Could {columns} have a default, or be left out?",
        expected="rows that need only the columns that the exercise names",
        actual=clean(f"refused with {refused.title}: {refused.message}", 600),
    )


def unknown_type(table: str, column: Column) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"{table}.{column.name} must have a value, has no default, and is of a type of "
        f"which this check knows no value: {clean(column.type, 100)}.",
        question="Does the exercise ask for this column? Could it have a default?",
        expected="rows that need only the columns that the exercise names",
    )


def too_deep(table: str, columns: Sequence[str]) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"{table} must point to another row by {', '.join(columns)}, that row to a third, and so "
        "on without end: no first row can ever be stored.",
        question="Which of these columns may be empty in the first row?",
    )


def has_rules(table: str, rule: str) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"{table} has a rewrite rule ({clean(rule, 63)}): what is sent to the table is not what is "
        "done, so nothing about it can be shown.",
        question="Can a constraint or a trigger do the same?",
        expected=f"an ordinary table public.{table}",
    )


def codes(wanted: tuple[str, ...] | None) -> str:
    return " or ".join(map(named, wanted)) if wanted else "an integrity violation (class 23)"


def told(row: Mapping[str, Any]) -> str:
    return clean(", ".join(f"{k} = {literal(v)}" for k, v in row.items()) or "defaults alone", 400)


def too_slow(table: str) -> Failure:
    return Failure(
        Reason.LIMIT,
        f"A statement for one row of {table} did not come to an end; it was stopped.",
        question="What does a trigger or a rule of this table do for each row?",
    )


def hidden_rows(table: str) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"Not all rows of {table} can be seen by the role that made your tables, so nobody can say "
        "how many a delete takes along.",
        question="For whom is the policy on this table meant?",
    )
