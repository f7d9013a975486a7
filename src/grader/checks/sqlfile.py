"""The instrument ``sql``: a ``.sql`` answer, run in the sandbox as the student's role.

    def test_revenue_by_month(sql, db, data):
        db.insert("payments", …)
        rows = sql.rows("revenue.sql", {"year": 2026})
        assert rows == […], hint("…", expected=…, actual=rows)

A file holds one or more statements, divided by semicolons. ``:year`` outside of strings and
comments is the parameter ``year``, as psql would have it; ``::date`` stays a cast. All statements
run in one transaction that is committed at the end; with ``autocommit`` each runs by itself, as
CREATE INDEX CONCURRENTLY and VACUUM demand. `statements.last` then tells what was sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from grader.checks import sql_words as words
from grader.checks.sqldriver import run_statements
from grader.checks.student import Student, failure_of
from grader.checks.verdict import NotPassed, Raises
from grader.errors import CheckError
from grader.results import Failure, Reason
from grader.sandbox.outcomes import Answer
from grader.text import clean
from grader.worker.limits import Limits, broken_limit
from pglab.scripts import Bound, Step, bind, steps_of

MOST_ROWS = 10_000
"""Of a result; more is a failure, and not cut."""
_MOST_STATEMENTS = 500


@dataclass(frozen=True, slots=True)
class SqlError:
    """Why PostgreSQL refused a statement of a file."""

    type: str
    """psycopg's name for it: ``UniqueViolation``."""
    sqlstate: str | None
    message: str
    line: int
    statement: str


class SqlFiles:
    """The instrument ``sql``.

    Args:
        student: the submission in its process.
        files: what stands in the sandbox, by name.
        asked_for: the files that the exercise asks for or gives.
    """

    def __init__(
        self, student: Student, files: Mapping[str, bytes], asked_for: Collection[str]
    ) -> None:
        self._student = student
        self._files = files
        self._asked_for = asked_for

    def text(self, name: str) -> str:
        """What a file says.

        Raises:
            NotPassed: it was not handed in, or cannot be read as text.
        """
        if name not in self._asked_for:
            raise CheckError(f"the exercise neither asks for {name} nor gives it")
        if name not in self._files:
            raise NotPassed(words.missing(name))
        content = self._files[name]
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise NotPassed(words.not_utf8(name, content, error.start)) from error
        if "\0" in text:
            raise NotPassed(words.not_utf8(name, content, content.index(b"\0")))
        return text.replace("\r\n", "\n")

    def statements(self, name: str) -> list[str]:
        """The statements of a file, in order.

        Raises:
            NotPassed: there is none, or as for `text`.
        """
        return [step.text for step in self._steps(name)]

    def rows(
        self, name: str, parameters: Mapping[str, Any] | None = None, *, autocommit: bool = False
    ) -> list[dict[str, Any]]:
        """Run a file; the rows of its last statement, by column name.

        Args:
            parameters: values for the ``:name`` in the file.

        Raises:
            NotPassed: a statement was refused, the last one gives no rows or too many, or two of
                its columns have the same name.
        """
        answer = self._run(name, parameters or {}, autocommit=autocommit)
        if isinstance(answer, SqlError):
            raise NotPassed(words.refused(name, answer))
        columns, rows = answer
        if columns is None:
            raise NotPassed(words.no_rows(name, self._steps(name)[-1]))
        if twice := [column for column, n in Counter(columns).items() if n > 1]:
            raise NotPassed(words.same_name(name, clean(twice[0], 63)))
        if len(rows) > MOST_ROWS:
            raise NotPassed(words.too_many_rows(name, MOST_ROWS))
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def run(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        autocommit: bool = False,
        expect: type[Raises] | Raises | None = None,
    ) -> SqlError | None:
        """Run a file for what it does.

        Args:
            parameters: values for the ``:name`` in the file.
            autocommit: whether each statement is a transaction of its own.
            expect: ``Raises`` where PostgreSQL must refuse it; ``Raises("UniqueViolation")`` or
                ``Raises("23505")`` where it must for that reason.

        Returns:
            With ``expect``, why it was refused.

        Raises:
            NotPassed: it was refused, or with ``expect`` it was not, or for another reason.
        """
        answer = self._run(name, parameters or {}, autocommit=autocommit)
        wanted = expect.name if isinstance(expect, Raises) else None
        if expect is None:
            if isinstance(answer, SqlError):
                raise NotPassed(words.refused(name, answer))
            return None
        if not isinstance(answer, SqlError):
            raise NotPassed(words.not_refused(name, wanted))
        if wanted and wanted not in (answer.sqlstate, *_names(answer.sqlstate)):
            raise NotPassed(words.refused_otherwise(name, answer, wanted))
        return answer

    def _steps(self, name: str) -> list[Step]:
        text = self.text(name)
        steps = steps_of(text)
        if not steps:
            raise NotPassed(words.empty(name, text))
        if len(steps) > _MOST_STATEMENTS:
            raise NotPassed(words.too_many_statements(name, len(steps), _MOST_STATEMENTS))
        return steps

    def _run(
        self, name: str, parameters: Mapping[str, Any], *, autocommit: bool
    ) -> SqlError | tuple[list[str] | None, list[list[Any]]]:
        steps = self._steps(name)
        bound = [bind(step.text, parameters) for step in steps]
        sent = [
            [b.for_psycopg, {key: parameters[key] for key in b.names} if b.names else None]
            for b in bound
        ]
        outcome = self._student.run(name, run_statements, sent, autocommit, MOST_ROWS)
        if not isinstance(outcome, Answer):
            raise NotPassed(failure_of(outcome, name, name))
        said = outcome.value
        try:
            if said["refused"] is not None:
                return _error(said["refused"], steps, bound)
            columns, rows = said["columns"], said["rows"]
            if columns is not None and any(len(row) != len(columns) for row in rows):
                raise ValueError("rows of another width than their columns")
            return None if columns is None else [str(c) for c in columns], list(rows)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise NotPassed(_no_answer(name)) from error


def _error(said: Any, steps: list[Step], bound: list[Bound]) -> SqlError:
    """The error with the line of the file that it is about; all of it is the sandbox's word."""
    number = said["number"]
    step, sent = steps[number], bound[number].as_sent
    position = said["position"]
    before = sent[: int(position) - 1] if isinstance(position, str) and position.isdigit() else ""
    sqlstate, message = said["sqlstate"], clean(str(said["message"]), 500)
    cancelled = psycopg.errors.QueryCanceled()
    return SqlError(
        type=clean(str(said["type"]), 100),
        sqlstate=clean(sqlstate, 5) if isinstance(sqlstate, str) else None,
        message=message + broken_limit(cancelled, message, Limits(), float(said["lasted"])),
        line=step.line + before.count("\n"),
        statement=step.text,
    )


def _names(sqlstate: str | None) -> list[str]:
    """What psycopg calls an error, and the classes that it is derived from."""
    try:
        return [base.__name__ for base in psycopg.errors.lookup(sqlstate or "").__mro__]
    except KeyError:
        return []


def _no_answer(name: str) -> Failure:
    return Failure(Reason.WIRE, f"What came back for {name} is not the answer of a database.")
