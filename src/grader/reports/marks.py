"""How outcomes are shown: a symbol and a word for each, so that color alone never tells."""

from __future__ import annotations

from dataclasses import dataclass

from grader.results import CheckResult, ExerciseResult, Outcome, Reason


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
ERROR = Mark("!", "kit error", "e", "bold magenta")
ABSENT = Mark("–", "not handed in", "n", "dim")  # noqa: RUF001
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
    Reason.KIT: "The kit failed here, not you",
}
"""The heading over a failure's message."""


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
