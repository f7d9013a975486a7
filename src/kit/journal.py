"""The learner's journal: every check, hint and prediction, a line each, in the kit's home.

A command that checks must not wait for a database, let alone start one. So it adds a line to a
file, and `kit.records` brings the lines into the tracker when somebody wants to see them. Every
event has an identifier of its own, so a line that is read twice is recorded once.

The file only grows. A line is added in one piece under a lock; one that was cut short, because the
machine stopped, is passed over by readers and ended by the next writer. Nothing leaves the machine.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID

from kit import home
from kit.errors import KitError
from pglab.servers.locks import FileLock
from tracker.identifiers import uuid7

if TYPE_CHECKING:
    from grader.results import CheckResult, Grading, SubmissionResult

VERSION = 1
"""Of the lines; raised when a field changes its meaning."""


class CannotRecord(KitError):
    """The journal cannot be written to, or read; the message says why."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a learner did."""

    type: ClassVar[str]

    course: str
    """The course's title."""
    at: datetime = field(default_factory=_now)
    id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one check found."""

    name: str
    title: str
    points: float
    earned: float
    outcome: str
    """``passed``, ``failed`` or ``error``."""
    misconception: str | None = None
    question: str = ""
    """The one that the learner was asked, where the failure was shown in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(Event):
    """An exercise was checked."""

    type: ClassVar[str] = "attempt"

    exercise: str
    """The folder's name, such as ``04_repository``."""
    title: str
    checks: tuple[Check, ...]
    seed: int
    kit_version: str
    work_sha256: str = ""
    graded: bool = False
    """Whether it was graded, with the checks that only instructors hold."""

    @property
    def misconceptions(self) -> tuple[str, ...]:
        """Those that were found, each once, in order."""
        return tuple(dict.fromkeys(c.misconception for c in self.checks if c.misconception))

    @property
    def earned(self) -> float:
        return sum(check.earned for check in self.checks)

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint(Event):
    """A rung of a ladder of hints was read."""

    type: ClassVar[str] = "hint"

    exercise: str
    title: str
    misconception: str
    rung: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction(Event):
    """A question was answered before its outcome was seen.

    Where the outcome is known only later, a second line of the same identifier tells it.
    """

    type: ClassVar[str] = "prediction"

    question: str
    """Its name, such as ``05-status``: the notebook's number first."""
    kind: str
    """``choice``, ``number`` or ``text``."""
    answer: str
    confidence: int | None = None
    """Percent."""
    is_correct: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Event):
    """A notebook was worked through to its end."""

    type: ClassVar[str] = "finished"

    notebook: str
    """Its number, such as ``05``."""


_KINDS: dict[str, type[Event]] = {k.type: k for k in (Attempt, Hint, Prediction, Finished)}
_E = TypeVar("_E", bound=Event)


class Journal:
    """The file of events of one home.

    Args:
        folder: the kit's home.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.jsonl"
        self._lock = FileLock(folder / "journal.lock")

    def add(self, *events: Event) -> None:
        """Add events, all of them or none.

        Raises:
            CannotRecord: the file cannot be written to.
        """
        lines = b"".join(_line(event) for event in events)
        try:
            with self._lock:
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
                try:
                    _add_whole(descriptor, lines)
                finally:
                    os.close(descriptor)
        except OSError as error:
            msg = f"{self.path} cannot be written to: {error.strerror}."
            raise CannotRecord(msg) from error

    def read(self) -> list[Event]:
        """Every event, in the order in which they were added.

        Lines that are damaged, or that a later kit wrote, are passed over.

        Raises:
            CannotRecord: the file cannot be read.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            msg = f"{self.path} cannot be read: {error.strerror}."
            raise CannotRecord(msg) from error
        lines = content.split(b"\n")[:-1]  # what follows the last end of a line is not whole yet
        return [event for line in lines if (event := _event(line)) is not None]

    def of(self, kind: type[_E]) -> Iterator[_E]:
        """The events of one kind, in order."""
        return (event for event in self.read() if isinstance(event, kind))


def journal() -> Journal:
    """The journal in the kit's home.

    Raises:
        KitError: the home cannot be made.
    """
    return Journal(home.prepare())


def note_check(grading: Grading, say: Callable[[str], None], *, everything: bool = False) -> None:
    """Note what ``kit check`` found. If that fails, a line says so, and the check stands.

    Args:
        grading: of the learner's own work.
        say: told the line.
        everything: every failure was shown in full, not only the first.
    """
    try:
        attempts = [
            attempt
            for submission in grading.submissions
            for attempt in attempts_of(
                grading, submission, at=_now(), graded=False, everything=everything
            )
        ]
        if attempts:
            journal().add(*attempts)
    except KitError as error:
        say(f"This check could not be noted for kit progress: {error}")


def attempts_of(
    grading: Grading,
    submission: SubmissionResult,
    *,
    at: datetime,
    graded: bool,
    everything: bool = False,
) -> Iterator[Attempt]:
    """What a submission shows of each exercise that was handed in.

    Args:
        grading: which it is a part of.
        submission: somebody's work.
        at: when it was looked at.
        graded: by whoever grades, and not by the learner.
        everything: the learner was shown every failure in full, not only the first.
    """
    from grader.reports.tutor import told_in_full

    for result in submission.exercises:
        if not result.handed_in or not result.checks:
            continue
        told = () if graded else told_in_full(result, all=everything)
        yield Attempt(
            course=grading.course,
            at=at,
            exercise=result.exercise,
            title=result.title,
            checks=tuple(
                Check(
                    name=check.name,
                    title=check.title,
                    points=check.points,
                    earned=check.earned,
                    outcome=check.outcome.value,
                    misconception=_misconception(check),
                    question=check.failure.question if check in told and check.failure else "",
                )
                for check in result.checks
            ),
            seed=grading.evidence.seed,
            kit_version=grading.evidence.kit_version,
            work_sha256=submission.sha256,
            graded=graded,
        )


def _misconception(check: CheckResult) -> str | None:
    failed = check.outcome.value == "failed"  # an error is no misconception of the learner's
    return check.failure.misconception if failed and check.failure else None


def _add_whole(descriptor: int, lines: bytes) -> None:
    end = os.lseek(descriptor, 0, os.SEEK_END)
    if end:
        os.lseek(descriptor, end - 1, os.SEEK_SET)
        if os.read(descriptor, 1) != b"\n":  # somebody was cut short
            lines = b"\n" + lines
    try:
        left = memoryview(lines)
        while left:
            left = left[os.write(descriptor, left) :]
    except BaseException:
        os.ftruncate(descriptor, end)  # the disk is full: leave no half a line
        raise


def _line(event: Event) -> bytes:
    data = {"v": VERSION, "type": event.type, **dataclasses.asdict(event)}
    return json.dumps(data, default=_text, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _event(line: bytes) -> Event | None:
    """The event that a line tells; None where it tells none that this kit knows."""
    try:
        data = json.loads(line)
        kind = _KINDS[data.pop("type")]
        if data.pop("v") != VERSION:
            return None
        return kind(**_converted(data))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _converted(data: dict[str, Any]) -> dict[str, Any]:
    data["at"] = datetime.fromisoformat(data["at"])
    data["id"] = UUID(data["id"])
    if "checks" in data:
        data["checks"] = tuple(Check(**check) for check in data["checks"])
    return data
