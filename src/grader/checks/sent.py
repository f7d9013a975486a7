"""What a submission sent to PostgreSQL, as the server's own log tells it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import sqlparse

from grader.checks.verdict import NotPassed
from grader.results import Failure, Reason, SentStatement
from grader.text import clean
from pglab.witness import Statement

_SHOWN = 12
_SHOWN_PARAMETERS = 12
# What SQLAlchemy and psycopg ask of a new connection before any statement of the application.
_GREETINGS = re.compile(
    r"\s*(select pg_catalog\.version\(\)|show standard_conforming_strings|select current_schema\(\)"
    r"|show transaction isolation level|deallocate all)\s*;?\s*\Z",
    re.IGNORECASE,
)
# A block, a procedure, or a routine made on the way: what happens inside is one line in the log.
_OPAQUE = re.compile(
    r"\s*(do|call|execute)\b"
    r"|\s*create\s+(or\s+replace\s+)?(function|procedure|trigger|rule|event\s+trigger)\b",
    re.IGNORECASE,
)
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "COPY"})


class Sent:
    """Statements in the order in which the server received them."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        everything = [s for s in statements if not _GREETINGS.match(s.text)]
        self.transactions: list[Statement] = [s for s in everything if s.is_transaction_control]
        """BEGIN, COMMIT, ROLLBACK, SAVEPOINT and their like."""
        self.all: list[Statement] = [s for s in everything if not s.is_transaction_control]
        """Everything else."""

    @property
    def count(self) -> int:
        """How many statements, transaction control apart; several in one string count each.

        Raises:
            NotPassed: some of the work is in a place where its statements cannot be counted.
        """
        if self.opaque:
            raise NotPassed(_uncountable(self.opaque))
        return sum(_statements_in(s.text) for s in self.all)

    @property
    def opaque(self) -> list[Statement]:
        """Those that carry further statements which the server's log does not show."""
        return [s for s in self.all if _OPAQUE.match(s.text)]

    @property
    def texts(self) -> list[str]:
        return [s.text for s in self.all]

    @property
    def writes(self) -> list[Statement]:
        """Those whose first keyword changes rows, and those that hide one behind ``WITH``."""
        return [
            s
            for s in self.all
            if s.kind in _WRITES
            or (
                s.kind == "WITH"
                and re.search(
                    r"\b(insert\s+into|update|delete\s+from|merge\s+into)\b", s.text, re.I
                )
            )
        ]

    @property
    def failed(self) -> list[Statement]:
        """Those that the server refused."""
        return [s for s in [*self.all, *self.transactions] if s.sqlstate]

    def of_kind(self, *kinds: str) -> list[Statement]:
        """Those that begin with one of these keywords: ``of_kind("SELECT", "WITH")``."""
        wanted = {kind.upper() for kind in kinds}
        return [s for s in [*self.transactions, *self.all] if s.kind in wanted]

    def __iter__(self) -> Iterator[Statement]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)


class Statements:
    """The instrument ``statements``: what the last call, or all calls of this check, sent."""

    def __init__(
        self, last: Callable[[], list[Statement]], total: Callable[[], list[Statement]]
    ) -> None:
        self._last = last
        self._total = total

    @property
    def last(self) -> Sent:
        """What the last `student.call` sent."""
        return Sent(self._last())

    @property
    def total(self) -> Sent:
        """What all calls of this check sent so far."""
        return Sent(self._total())


def to_show(statements: Sent | Iterable[Statement]) -> tuple[SentStatement, ...]:
    """The statements as a report keeps them: the first few, cleaned and cut."""
    return tuple(
        SentStatement(
            sql=clean(s.text, 1500),
            parameters=tuple(
                "NULL" if p is None else clean(p, 120) for p in s.parameters[:_SHOWN_PARAMETERS]
            ),
            sqlstate=s.sqlstate,
        )
        for s, _ in zip(statements, range(_SHOWN), strict=False)
    )


def _uncountable(statements: list[Statement]) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"Part of the work is inside a {statements[0].kind} statement. What happens in there is "
        "not seen from outside, so it cannot be counted.",
        question="Can the same be said in statements that you send one by one?",
    )


def _statements_in(text: str) -> int:
    if ";" not in text:
        return 1
    return max(1, sum(1 for part in sqlparse.split(text) if part.strip(" ;\n\t")))
