"""What a check can run into besides its own assertions, in the words that the learner reads."""

from __future__ import annotations

import inspect
import traceback
from pathlib import Path

import psycopg

from grader.catalog import CheckSpec
from grader.checks.verdict import Hint
from grader.errors import CheckError, GraderError
from grader.results import Failure, Reason
from grader.text import clean, show
from pglab.errors import PglabError

MACHINE = (GraderError, PglabError, psycopg.Error, OSError)
"""What tells that the kit, the server or the machine is at fault, unless a check asked for it."""

# What a check file runs into when an answer does not have the shape that the exercise describes:
# in Python, and in a query that is given such an answer.
SHAPE = (
    LookupError,
    TypeError,
    AttributeError,
    ValueError,
    ArithmeticError,
    StopIteration,
    RecursionError,  # nested deeper than anybody asked for
)
QUERY_SHAPE = (
    psycopg.DataError,
    psycopg.errors.UndefinedFunction,  # there is no operator for values of these types
    psycopg.errors.DatatypeMismatch,
)
REFUSED = (psycopg.ProgrammingError, psycopg.DataError, psycopg.IntegrityError)
"""What PostgreSQL says to SQL that cannot work; that of an exercise's author may be such."""
LOCKED = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
IN_THE_WAY = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.ForeignKeyViolation,
    psycopg.errors.ExclusionViolation,
)


_OURS = Path(__file__).resolve().parents[1]


def from_hint(spec: CheckSpec, said: object) -> Failure:
    """What the author said, or what is to be said where it was nothing."""
    if not isinstance(said, Hint):
        return Failure(Reason.ASSERTION, show(said) or f"This does not hold yet: {spec.title}.")
    return Failure(
        Reason.ASSERTION,
        clean(said.message, 1500),
        question=clean(said.question, 500),
        expected=show(said.expected),
        actual=show(said.actual),
        misconception=said.misconception,
    )


def check_broke(spec: CheckSpec, error: Exception) -> Failure | None:
    """What is said where an error is the check's own, and where it stands there; else None."""
    function = inspect.unwrap(spec.function).__code__
    frames = [(f.f_code.co_filename, line) for f, line in traceback.walk_tb(error.__traceback__)]
    inside = [n for n, (file, _) in enumerate(frames) if file == function.co_filename]
    if isinstance(error, MACHINE) and not isinstance(error, (CheckError, *REFUSED)):
        # A file that the check itself cannot open, for one, is no fault of the machine.
        below = [Path(file) for file, _ in frames[inside[-1] :]] if inside else [_OURS]
        own = isinstance(error, OSError) and not any(file.is_relative_to(_OURS) for file in below)
    else:
        own = bool(inside) or isinstance(error, CheckError)
    if not own:
        return None
    said = str(error) if isinstance(error, CheckError) else f"{type(error).__name__}: {error}"
    said = said.removesuffix(": ")
    if inside:
        said = f"{Path(function.co_filename).name}, line {frames[inside[-1]][1]}: {said}"
    return Failure(Reason.CHECK, clean(said, 1000))


def still_locked() -> Failure:
    return Failure(
        Reason.LIMIT,
        "After your code had answered, something of it still held locks: nobody else could go on.",
        question="Is there a connection or a transaction of your own that nobody ends?",
    )


def too_many_statements() -> Failure:
    return Failure(
        Reason.LIMIT,
        "Your code sent more text in statements than a check can read.",
        question="Is there a loop that sends them, or one that makes them longer and longer?",
    )


def database_full(megabytes: int) -> Failure:
    return Failure(
        Reason.LIMIT,
        f"Your code filled the database with more than {megabytes} MB, and was shut out of it.",
        question="Is there a loop, or a join of everything with everything, that writes rows?",
    )


def in_the_way(error: psycopg.Error) -> Failure:
    return Failure(
        Reason.ASSERTION,
        "The rows that this check needs cannot be stored: what your code did to the tables is in "
        "their way.",
        misconception="",
        question="Does your code add, change or delete rows that nobody asked it to touch?",
        actual=clean(str(error), 600),
    )


def misshapen(what: str, question: str, actual: str) -> Failure:
    """An answer that a check cannot do with what it should.

    Args:
        what: answered so, such as ``What add_note returned``.
    """
    return Failure(
        Reason.ASSERTION,
        f"{what} does not have the shape that the README describes.",
        misconception="",  # the check did not come as far as what it is about
        question=question,
        actual=actual,
    )


def sent_late(kind: str) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"After your code had answered, it went on and sent a statement: {kind}. An answer should "
        "mean that the work is done.",
        misconception="",
        question="Is there a thread, or a pipeline, that nobody waits for?",
    )
