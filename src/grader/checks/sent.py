"""What a submission sent to PostgreSQL, as the server's own log tells it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from grader.checks.verdict import NotPassed
from grader.errors import CheckError
from grader.results import Failure, Reason, SentStatement
from grader.text import clean
from pglab.commands import changes_rows, command_of, leading_words, split_statements
from pglab.witness import Statement

_SHOWN = 12
_SHOWN_PARAMETERS = 12
# What SQLAlchemy and psycopg ask of a new connection before any statement of the application.
_GREETINGS = re.compile(
    r"\s*(select pg_catalog\.version\(\)|show standard_conforming_strings|select current_schema\(\)"
    r"|show transaction isolation level|deallocate all"
    r"|select\s+typname as name, oid, typarray as array_oid,\s+oid::regtype::text as regtype,"
    r" typdelim as delimiter\s+from pg_type t\s+where t\.oid = to_regtype\(\$1\)\s+order by t\.oid"
    r")\s*;?\s*\Z",
    re.IGNORECASE,
)
_LONGEST_GREETING = 500
"""Characters. The expression takes the longer the more space a text has, and more than that."""
_BLOCKS = frozenset({"DO", "CALL", "EXECUTE"})
_ROUTINES = frozenset({"FUNCTION", "PROCEDURE", "TRIGGER", "RULE"})
_BEFORE_ROUTINE = frozenset({"OR", "REPLACE", "CONSTRAINT", "EVENT"})
_DIVIDED = 1 << 20
"""Characters of text in which statements are looked for; nobody writes more of it by hand."""


class Sent:
    """Statements in the order in which the server received them."""

    def __init__(self, statements: Iterable[Statement], routines: Sequence[str] = ()) -> None:
        """Take statements as the server's log has them; several in one string become several.

        Args:
            statements: in order.
            routines: names of the functions that the submission has made in its database.
        """
        sent = [s for s in statements if not _is_greeting(s.text)]
        self._in_one_string = [s for s in sent if not s.prepared and ";" in s.text]
        divided = sum(len(s.text) for s in self._in_one_string) <= _DIVIDED
        everything = [part for s in sent for part in (_parts(s) if divided else [s])]
        self._hidden = [s for s in everything if _hides_statements(s)]
        if not divided:
            self._hidden += self._in_one_string[:1]
        self._routines = routines
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
        if self._hidden:
            raise NotPassed(_uncountable(f"a {self._hidden[0].kind} statement"))
        if self._routines:
            raise NotPassed(_uncountable(f"a function of your own, {self._routines[0]}"))
        return len(self.all)

    @property
    def opaque(self) -> list[Statement]:
        """Those that carry further statements which the server's log does not show."""
        return list(self._hidden)

    @property
    def texts(self) -> list[str]:
        return [s.text for s in self.all]

    @property
    def writes(self) -> list[Statement]:
        """Those that change rows, and queries that hide such a one behind ``WITH``."""
        return [s for s in self.all if changes_rows(s.text)]

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
    """The instrument ``statements``: what the calls of this check sent, each or all together.

    Args:
        last: reads what the last call sent.
        total: reads what all calls sent.
        calls: reads what each call sent, in order.
        routines: reads the names of the functions that the submission has made.
    """

    def __init__(
        self,
        last: Callable[[], list[Statement]],
        total: Callable[[], list[Statement]],
        calls: Callable[[], list[list[Statement]]] = list,
        routines: Callable[[], Sequence[str]] = lambda: (),
    ) -> None:
        self._last = last
        self._total = total
        self._calls = calls
        self._routines = routines

    @property
    def last(self) -> Sent:
        """What the last `student.call` sent."""
        return Sent(self._last(), self._routines())

    @property
    def total(self) -> Sent:
        """What all calls of this check sent so far."""
        return Sent(self._total(), self._routines())

    @property
    def calls(self) -> list[Sent]:
        """What each call of this check sent so far, in order; a request to ``api`` is one, and so
        are all that were sent together, and rivals between their first start and their last end.
        """
        routines = self._routines()
        return [Sent(sent, routines) for sent in self._calls()]

    def slope(self, few: int, many: int) -> float:
        """How many statements more the last call sent than the one before it, per row that was
        there more: 0.0 where their number does not depend on the rows, 1.0 for one per row.

        Args:
            few: how many rows there were at the call before the last.
            many: how many there were at the last.

        Raises:
            CheckError: there were not two calls, or not more rows at the second.
            NotPassed: some of the work is in a place where its statements cannot be counted.
        """
        if not 0 <= few < many:
            raise CheckError(f"slope({few}, {many}): from few rows to many, so few < many.")
        calls = self.calls[-2:]
        if len(calls) < 2:
            raise CheckError(f"slope() compares two calls, and there were {len(calls)}.")
        return (calls[1].count - calls[0].count) / (many - few)


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


def _is_greeting(text: str) -> bool:
    return len(text) <= _LONGEST_GREETING and bool(_GREETINGS.match(text))


def _parts(statement: Statement) -> list[Statement]:
    """The statements of a string. By the extended protocol there is one, whatever the string is."""
    if statement.prepared or ";" not in statement.text:
        return [statement]
    texts = split_statements(statement.text)
    if len(texts) < 2:
        return [statement]
    return [dataclasses.replace(statement, text=t, kind=command_of(t)) for t in texts]


def _hides_statements(statement: Statement) -> bool:
    """A block, a procedure, a routine made on the way, or a text whose end is not known."""
    words = leading_words(statement.text, 5)
    if words[:1] == ("CREATE",):
        rest = [word for word in words[1:] if word not in _BEFORE_ROUTINE]
        return rest[:1] != [] and rest[0] in _ROUTINES
    return (words[:1] != () and words[0] in _BLOCKS) or (
        statement.truncated and not statement.prepared
    )


def _uncountable(where: str) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"Part of the work is inside {where}. What happens in there is not seen from outside, so "
        "it cannot be counted.",
        question="Can the same be said in statements that you send one by one?",
    )
