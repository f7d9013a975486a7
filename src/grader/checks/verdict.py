"""The words of a check file: what is checked, what to say when it does not hold, what must be
raised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from grader.results import Failure

_Function = TypeVar("_Function", bound=Callable[..., None])
MARK = "__kit_check__"


@dataclass(frozen=True, slots=True)
class CheckMark:
    """What `check` notes on a function."""

    title: str
    points: float
    misconception: str | None


def check(
    title: str, *, points: float = 1, misconception: str | None = None
) -> Callable[[_Function], _Function]:
    """Make a function a check.

    Args:
        title: what should be true, as the learner reads it.
        points: what it is worth.
        misconception: id of the page in ``docs/misconceptions/`` that a failure points to, unless
            the `hint` says otherwise.
    """

    def mark(function: _Function) -> _Function:
        setattr(function, MARK, CheckMark(title, points, misconception))
        return function

    return mark


@dataclass(frozen=True, slots=True)
class Hint:
    """What the learner is told when an assertion does not hold."""

    message: str
    question: str = ""
    misconception: str | None = None
    expected: object = None
    actual: object = None
    show: Any = None


def hint(
    message: str,
    *,
    question: str = "",
    misconception: str | None = None,
    expected: object = None,
    actual: object = None,
    show: Any = None,
) -> Hint:
    """The second half of an ``assert``: data that reports turn into words.

    Args:
        message: what happened and why it matters, in one to three sentences.
        question: one question that leads on; never the answer.
        misconception: id, where it differs from the check's own; an empty text for none.
        expected: what should have been, shown as text.
        actual: what the database showed or the call returned, shown as text.
        show: the statements to show (``statements.last`` or a list of statements); by default those
            of the last call.
    """
    return Hint(message, question, misconception, expected, actual, show)


@dataclass(frozen=True, slots=True)
class Raises:
    """Expects a call to raise; with a name, that exception class or one derived from it.

    ``Raises("TrackNotFound", otherwise=hint("…", question="…"))`` says what the learner is told
    where it is not raised; without it, that it was not. With ``required=False`` the call may also
    answer, and ``otherwise`` is for those who raise something else.
    """

    name: str | None = None
    otherwise: Hint | None = None
    required: bool = True


class NotPassed(Exception):
    """Ends a check that was not passed. Raised by instruments, never by check files."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
