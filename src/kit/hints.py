"""Ladders of hints: a rung at a time, from a question to a worked step.

The rungs stand at the top of a misconception's page. Which ones somebody has climbed is in the
journal, and so is what the last check found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.results import Misconception
from kit.errors import WrongUsage
from kit.journal import Attempt, Event, Hint


@dataclass(frozen=True, slots=True)
class Rung:
    """A hint, and its place on its ladder."""

    misconception: Misconception
    number: int
    """Counted from 1."""

    @property
    def text(self) -> str:
        return self.misconception.hints[self.number - 1]

    @property
    def kind(self) -> str:
        """What it is: the first is a question, the last a worked step, pointers are between."""
        if self.number == 1:
            return "a question"
        return "a worked step" if self.is_last else "a pointer"

    @property
    def is_last(self) -> bool:
        return self.number == len(self.misconception.hints)

    @property
    def next(self) -> Rung | None:
        return None if self.is_last else Rung(self.misconception, self.number + 1)


@dataclass(frozen=True, slots=True)
class Ladder:
    """What there is to read about one misconception at one exercise."""

    exercise: str
    misconception: Misconception
    climbed: int
    """How many rungs were read before."""

    @property
    def next(self) -> Rung | None:
        """The rung that comes now; None after the last."""
        done = self.climbed >= len(self.misconception.hints)
        return None if done else Rung(self.misconception, self.climbed + 1)

    @property
    def read(self) -> list[Rung]:
        """The rungs that were read before."""
        count = min(self.climbed, len(self.misconception.hints))
        return [Rung(self.misconception, number) for number in range(1, count + 1)]


@dataclass(frozen=True, slots=True)
class Found:
    """What the last check of an exercise found."""

    attempt: Attempt | None
    """None: it was never checked."""
    misconceptions: tuple[str, ...] = ()
    """Those that have hints, in the order in which they were found."""

    @property
    def is_right(self) -> bool:
        return self.attempt is not None and self.attempt.earned == self.attempt.points


def last_found(
    events: list[Event], *, course: str, exercise: str, known: Mapping[str, Misconception]
) -> Found:
    """What the last check of an exercise found.

    Args:
        events: the journal.
        course: the course's title.
        exercise: its name.
        known: the pages, by id.
    """
    attempts = [
        event
        for event in events
        if isinstance(event, Attempt) and (event.course, event.exercise) == (course, exercise)
    ]
    if not attempts:
        return Found(None)
    with_hints = (m for m in attempts[-1].misconceptions if m in known and known[m].hints)
    return Found(attempts[-1], tuple(with_hints))


def ladder(
    events: list[Event], *, course: str, exercise: str, misconception: Misconception
) -> Ladder:
    """How far somebody has climbed."""
    rungs = [
        event.rung
        for event in events
        if isinstance(event, Hint)
        and (event.course, event.exercise) == (course, exercise)
        and event.misconception == misconception.id
    ]
    return Ladder(exercise, misconception, max(rungs, default=0))


def named(name: str, known: Mapping[str, Misconception]) -> Misconception:
    """The misconception that somebody typed.

    Raises:
        WrongUsage: there is no page of that name, or it has no hints; the nearest are named.
    """
    wanted = name.strip().casefold().removesuffix(".md").rpartition("/")[2]
    with_hints = {one.id: one for one in known.values() if one.hints}
    if wanted in with_hints:
        return with_hints[wanted]
    import difflib

    near = difflib.get_close_matches(wanted, with_hints, n=3, cutoff=0.5)
    advice = (
        f"Did you mean {' or '.join(near)}?"
        if near
        else "Leave the name out to get a hint for what the last check found."
    )
    msg = f"There are no hints about “{name}”. {advice}"
    raise WrongUsage(msg)
