"""What a learner is told where an SQL file cannot be run, or PostgreSQL refused it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.results import Failure, Reason
from grader.text import clean
from pglab.commands import leading_words
from pglab.scripts import Step, names_in

if TYPE_CHECKING:
    from grader.checks.sqlfile import SqlError

_QUESTIONS = {
    "25001": "Which of these statements cannot be undone, and so cannot be part of a transaction?",
    "42601": "What does the line before it leave open?",
    "42703": "Which columns does this table have, and how are they spelled?",
    "42P01": "Which tables are there, and how are they spelled?",
    "42803": "Which value should stand for a whole group in that column?",
    "42P07": "Has something of this name been made before?",
    "57014": "How many rows does it look at, and how many of them does it need?",
}


def missing(name: str) -> Failure:
    return Failure(
        Reason.MISSING,
        f"There is no {name} in what you handed in.",
        question="Is it called exactly as in the exercise's README?",
    )


def not_utf8(name: str, content: bytes, position: int) -> Failure:
    two_bytes = b"\0" in content
    line = content.count(b"\n", 0, position) + 1
    return Failure(
        Reason.IMPORT,
        f"{name} is not text in UTF-8: line {line} cannot be read."
        + (" It looks like UTF-16." if two_bytes else ""),
        question="Which encoding does your editor save files in?",
        location=f"{name}:{line}",
    )


def empty(name: str, text: str) -> Failure:
    inside = "only comments" if text.strip() else "nothing"
    return Failure(
        Reason.ASSERTION,
        f"{name} holds {inside}: there is no statement to run.",
        question="Which question should its first statement answer?",
        misconception="",
    )


def too_many_statements(name: str, number: int, most: int) -> Failure:
    return Failure(Reason.LIMIT, f"{name} holds {number:,} statements; at most {most:,} are run.")


def too_many_rows(name: str, most: int) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"{name} gives more than {most:,} rows. Whoever asked would have to read them all.",
        question="How many rows does the README ask for, and what joins them to each other?",
    )


def no_rows(name: str, last: Step) -> Failure:
    kind = " ".join(leading_words(last.text, 1)) or "statement"
    return Failure(
        Reason.ASSERTION,
        f"The last statement of {name} is {kind}, in line {last.line}; it gives no rows, and rows "
        "are what is asked for.",
        question="Which statement gives rows, and should it be the last?",
        location=f"{name}:{last.line}",
    )


def same_name(name: str, column: str) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"Two columns in the result of {name} are called {column}. Whoever reads it cannot tell "
        "them apart.",
        question="Which name would say what each of them is?",
    )


def refused(name: str, error: SqlError) -> Failure:
    message = f"PostgreSQL refused {name} in line {error.line}: {error.message}"
    question = _QUESTIONS.get(error.sqlstate or "", "")
    names = names_in(error.statement)
    if error.sqlstate == "42601" and names:
        question = f"Which parameters does the README give? The file asks for :{names[0]}."
    if "\\" in error.statement[:1]:
        question = "Who reads a line that begins with a backslash: PostgreSQL, or psql?"
    state = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    return Failure(
        Reason.RAISED,
        f"{message.rstrip('.')}{state}.",
        question=question,
        actual=clean(error.statement, 600),
        location=f"{name}:{error.line}",
    )


def not_refused(name: str, wanted: str | None) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"PostgreSQL should have refused {name}, and it ran to its end.",
        question="Which rule should have been broken, and by which statement?",
        expected=f"refused with {wanted}" if wanted else "refused",
        actual="accepted",
    )


def refused_otherwise(name: str, error: SqlError, wanted: str) -> Failure:
    failure = refused(name, error)
    return Failure(
        Reason.RAISED,
        failure.message,
        question=failure.question,
        expected=f"refused with {wanted}",
        actual=failure.actual,
        location=failure.location,
    )
