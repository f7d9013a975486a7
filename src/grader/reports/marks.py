"""How outcomes are shown: a symbol and a word for each, so that color alone never tells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from grader.results import CheckResult, ExerciseResult, Failure, Outcome, Reason


@dataclass(frozen=True, slots=True)
class Mark:
    """One way in which something can stand."""

    symbol: str
    word: str
    style: str
    """Name of a CSS class, one letter: a class page may hold a hundred thousand of them."""
    color: str
    """Style of the terminal's text."""


PASSED = Mark("✓", "passed", "p", "green")
FAILED = Mark("✗", "failed", "f", "red")
ERROR = Mark("!", "not judged", "e", "bold magenta")
ABSENT = Mark("–", "not handed in", "n", "dim")
PARTLY = Mark("", "partly right", "h", "")

LEGEND = (PASSED, FAILED, ERROR, ABSENT)

_OUTCOMES = {Outcome.PASSED: PASSED, Outcome.FAILED: FAILED, Outcome.ERROR: ERROR}

WHAT_HAPPENED = {
    Reason.ASSERTION: "What happened",
    Reason.RAISED: "Your code raised an error",
    Reason.IMPORT: "Your file could not be imported",
    Reason.MISSING: "Something is not there",
    Reason.TIMEOUT: "No answer in time",
    Reason.KILLED: "Your program ended before it answered",
    Reason.LIMIT: "A limit was reached",
    Reason.WIRE: "What came back is not an answer",
    Reason.CHECK: "This check broke, not your work",
    Reason.KIT: "The kit failed here, not you",
}
"""The heading over a failure's message."""

_IN_A_WORD = {
    Reason.RAISED: "only errors",
    Reason.IMPORT: "does not run",
    Reason.MISSING: "something missing",
    Reason.TIMEOUT: "no answer in time",
    Reason.KILLED: "ends too early",
    Reason.LIMIT: "over a limit",
    Reason.WIRE: "no real answer",
}
_SAID = (
    ("is not valid Python", "not valid Python"),
    ("UTF-8", "not UTF-8"),
    ("among the files", "file missing"),
    ("in what you handed in", "file missing"),
)
"""What messages of the kit say, and the words for it: closer than their reason."""


def why_nothing(result: ExerciseResult | None) -> str:
    """In a word or two, why an answer earned nothing, where no check could look at what it does;
    empty where one could.
    """
    if result is None or not result.handed_in or result.has_errors or result.earned > 0:
        return ""
    failures = [check.failure for check in result.checks if check.failure]
    if not failures or any(failure.reason not in _IN_A_WORD for failure in failures):
        return ""
    words = Counter(_in_a_word(failure) for failure in failures)
    return words.most_common(1)[0][0]


def _in_a_word(failure: Failure) -> str:
    if failure.reason in (Reason.IMPORT, Reason.MISSING):
        for said, word in _SAID:
            if said in failure.message:
                return word
    return _IN_A_WORD[failure.reason]


def mark_of_check(check: CheckResult | None, *, handed_in: bool = True) -> Mark:
    """How one check stands; None is a check that was not run for this submission."""
    return _OUTCOMES[check.outcome] if check and handed_in else ABSENT


def mark_of_exercise(result: ExerciseResult | None, maximum: float) -> Mark:
    """How one exercise stands as a whole.

    Args:
        result: None where the submission has nothing for it.
        maximum: points that the exercise is worth.
    """
    if result is None or not result.handed_in:
        return ABSENT
    if result.has_errors:
        return ERROR
    if result.earned >= maximum:
        return PASSED
    return PARTLY if result.earned > 0 else FAILED
