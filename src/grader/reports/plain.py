"""A failure as plain text, for reports that know no markup."""

from __future__ import annotations

from collections.abc import Iterator

from grader.reports.marks import WHAT_HAPPENED
from grader.reports.sent import grouped
from grader.reports.text import legible, one_line
from grader.results import CheckResult, Failure, Grading

_STATEMENTS = 20
_SHORT = 4000


def described(check: CheckResult, grading: Grading) -> str:
    """Everything that a student may know about a check that did not pass.

    Args:
        check: the check's result.
        grading: the grading that it is from; knows the misconceptions.
    """
    lines = [one_line(check.title)]
    if check.failure:
        lines += _failure(check.failure, grading)
    return "\n".join(lines)


def _failure(failure: Failure, grading: Grading) -> Iterator[str]:
    yield f"{WHAT_HAPPENED[failure.reason]}: {legible(failure.message, _SHORT)}"
    if failure.location:
        yield f"Where: {one_line(failure.location)}"
    if failure.expected:
        yield f"Expected: {legible(failure.expected, _SHORT)}"
    if failure.actual:
        yield f"Found: {legible(failure.actual, _SHORT)}"
    if failure.statements:
        yield from _statements(failure)
    if failure.question:
        yield f"A question: {legible(failure.question, _SHORT)}"
    known = grading.misconceptions.get(failure.misconception or "")
    if failure.misconception:
        title = f" ({one_line(known.title)})" if known else ""
        yield f"Misconception: {one_line(failure.misconception)}{title}"
        if known and known.notebook:
            yield f"Read: notebook {one_line(known.notebook)}"
    if failure.traceback:
        yield f"\n{legible(failure.traceback, _SHORT)}"


def _statements(failure: Failure) -> Iterator[str]:
    total = max(failure.statements_total, len(failure.statements))
    yield f"SQL that PostgreSQL received ({len(failure.statements)} of {total}):"
    groups = grouped(failure.statements)
    for group in groups[:_STATEMENTS]:
        times = f"  × {group.times}" if group.times > 1 else ""
        failed = f"  → {group.sqlstate}" if group.sqlstate else ""
        yield f"  {legible(group.sql, _SHORT)}{times}{failed}"
        if group.parameters:
            yield f"    with {one_line(group.parameters[0])}"
    if len(groups) > _STATEMENTS:
        yield "  …"
