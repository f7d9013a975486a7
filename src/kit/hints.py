"""Ladders of hints: a rung at a time, from a question to a worked step.

The rungs stand at the top of a misconception's page. Which ones somebody has climbed is in the
journal, and so is what the last check found, and which questions checks have asked already: a hint
that only asks the same again would be none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from grader.results import Misconception
from kit.errors import WrongUsage
from kit.journal import Attempt, Event, Hint

_ALIKE = 0.75
"""From which likeness of their words on, between 0 and 1, two questions are the same one."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A hint, and its place on its ladder."""

    misconception: Misconception
    number: int
    """Its place on the misconception's page, counted from 1."""
    place: int
    """Its place among the rungs that there are for this learner, counted from 1."""

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


@dataclass(frozen=True, slots=True)
class Ladder:
    """What there is to read about one misconception at one exercise."""

    exercise: str
    misconception: Misconception
    climbed: int
    """The number of the highest rung that was read; 0 where none was."""
    is_asked: bool = False
    """Whether a check has asked the first rung's question already."""

    @property
    def rungs(self) -> list[Rung]:
        """Those that tell this learner something new, from the lowest."""
        first = 2 if self.is_asked else 1
        numbers = range(first, len(self.misconception.hints) + 1)
        return [Rung(self.misconception, number, number - first + 1) for number in numbers]

    @property
    def next(self) -> Rung | None:
        """The rung that comes now; None after the last."""
        return next((rung for rung in self.rungs if rung.number > self.climbed), None)

    @property
    def read(self) -> list[Rung]:
        """The rungs that were read before."""
        return [rung for rung in self.rungs if rung.number <= self.climbed]

    def after(self, rung: Rung) -> Rung | None:
        """The rung above another."""
        return next((one for one in self.rungs if one.number > rung.number), None)


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
    here = [
        event
        for event in events
        if isinstance(event, Hint | Attempt)
        and (event.course, event.exercise) == (course, exercise)
    ]
    read = {
        event.rung
        for event in here
        if isinstance(event, Hint) and event.misconception == misconception.id
    }
    asked = {
        check.question for event in here if isinstance(event, Attempt) for check in event.checks
    }
    return Ladder(
        exercise,
        misconception,
        max(read, default=0),
        is_asked=1 not in read and _is_asked(misconception.hints, asked - {""}),
    )


def _is_asked(hints: tuple[str, ...], questions: set[str]) -> bool:
    """Whether the first of some hints is among the questions; not where there is no other."""
    import difflib

    if len(hints) < 2:
        return False
    first = _words(hints[0])
    return any(
        difflib.SequenceMatcher(None, _words(question), first).ratio() >= _ALIKE
        for question in questions
    )


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


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
