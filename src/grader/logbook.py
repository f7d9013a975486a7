"""What a grading has found so far, in a file that outlives it: it can be gone on with.

A line is added for every submission at an exercise when all its checks have been run. It says what
they found and holds a *key*: a hash of all that the result depends on, which is what was handed in,
the exercise, the seed, the kit, the sandbox, the server and the libraries. A grading that goes on
takes what has the same key and runs the checks of everything else.

Each line begins with the hash of what follows. One that was cut short, because the process or the
machine ended, does not fit its hash and is passed over.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.catalog import Exercise
from grader.errors import ResumeError
from grader.gathered import Judged
from grader.results import Evidence, check_from_json, check_to_json
from grader.submissions import Submission
from grader.work import DeskKey, Work

NAME = "unfinished.log"
"""What the file is called in the folder for reports."""
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Heading:
    """What is graded, as the first line of the file has it."""

    course: str
    """Its title."""
    assignment: str
    """Its name; empty where none was named."""
    exercises: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found in a student's answer to an exercise."""

    student: str
    exercise: str
    found: tuple[Judged, ...]


class Logbook:
    """The file of one grading.

    Args:
        path: of the file. Nothing is written before something was found.
        heading: what is graded.
        kept: by key, what an earlier grading has left in the file; what is found goes there, too.
            Without it the file is begun anew.
        say: told what is used of it, and where something cannot be kept.
    """

    def __init__(
        self,
        path: Path,
        heading: Heading,
        kept: Mapping[str, Kept] | None = None,
        *,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.path = path
        self.heading = heading
        self._kept = kept
        self._say = say
        self._keys: dict[DeskKey, tuple[str, str]] = {}
        self._file: int | None = None
        self._broken = False

    def open(self, evidence: Evidence, work: Work) -> dict[DeskKey, Sequence[Judged]]:
        """Get ready for the results of some work.

        Args:
            evidence: what its results are found with.

        Returns:
            What is known of it already.
        """
        known: dict[DeskKey, Sequence[Judged]] = {}
        for desk, submission, exercise in work.desks():
            key = _key(evidence, work, submission, exercise)
            self._keys[desk] = key, submission.student
            if self._kept and key in self._kept:
                known[desk] = self._kept[key].found
        if self._kept is not None:
            self._tell(known, self._kept)
        return known

    def _tell(self, known: Mapping[DeskKey, Sequence[Judged]], kept: Mapping[str, Kept]) -> None:
        self._say(f"Going on: {len(known)} of {_answers(len(self._keys))} are graded already.")
        before = {(one.student, one.exercise) for one in kept.values()}
        again = sum(
            (student, desk[1]) in before
            for desk, (_, student) in self._keys.items()
            if desk not in known
        )
        if again:
            were = "was" if again == 1 else "were"
            self._say(
                f"Of the others {again} {were} graded before: the answer, its exercise, or what it "
                "is graded with has changed since."
            )

    def keep(self, desk: DeskKey, found: Sequence[Judged]) -> None:
        """Write down what was found at a desk. Where that fails it is said once, and no harm."""
        if self._broken:
            return
        key, student = self._keys[desk]
        line = {
            "key": key,
            "student": student,
            "exercise": desk[1],
            "checks": [check_to_json(one.result) for one in found],
            "seconds": [one.seconds for one in found],
        }
        try:
            if self._file is None:
                self._file = self._append() if self._kept is not None else self._begin()
            os.write(self._file, _line(line))
            os.fsync(self._file)  # a power cut, too, shall cost no more than what is under way
        except OSError as error:
            self._broken = True
            self._say(
                f"Note: what is found cannot be written to {self.path} ({error.strerror}). The "
                "grading goes on; if it is broken off, --resume will not have the rest."
            )

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _begin(self) -> int:
        """A new file, which appears with its heading in one step."""
        heading = {"format": _FORMAT, **dataclasses.asdict(self.heading)}
        new = self.path.with_name(f".unfinished-{secrets.token_hex(8)}")
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        try:
            os.write(file, _line(heading))
            os.replace(new, self.path)
        except BaseException:
            os.close(file)
            new.unlink(missing_ok=True)
            raise
        return file

    def _append(self) -> int:
        """The file as it is, and whatever stands at its end is ended."""
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(file, b"\n")
        return file


def open_logbook(
    path: Path,
    heading: Heading,
    *,
    resume: bool,
    any_seed: bool,
    say: Callable[[str], None],
) -> Logbook:
    """The logbook of a grading.

    Args:
        path: of the file.
        heading: what is graded.
        resume: go on with the grading that the file is of, if it is there, and with its seed.
        any_seed: the seed of the heading is no more than a proposal.
        say: told what becomes of an earlier one.

    Raises:
        ResumeError: the file is of another grading, or no logbook.
    """
    earlier = read_logbook(path)
    if earlier is None:
        if resume:
            say("Nothing is kept of an earlier grading here: everything is graded from the start.")
        return Logbook(path, heading, say=say)
    was, kept = earlier
    if not resume:
        if kept:
            say(
                f"A grading was broken off here with {_answers(len(kept))} graded. It is begun "
                "anew; --resume would go on with it."
            )
        return Logbook(path, heading, say=say)
    if other := _difference(was, heading, any_seed=any_seed):
        raise ResumeError(
            f"{path.parent} holds another grading: {other}. Name the folder of the one that was "
            "broken off with --out, or leave out --resume to begin anew."
        )
    return Logbook(path, was, kept, say=say)


def is_logbook(path: Path) -> bool:
    """Whether a file is a logbook, whatever it holds."""
    try:
        return _read(path)[0] is not None
    except OSError:
        return False


def read_logbook(path: Path) -> tuple[Heading, dict[str, Kept]] | None:
    """What a logbook holds, by key; None where there is none.

    Raises:
        ResumeError: there is a file that is none, or it cannot be read.
    """
    try:
        heading, lines = _read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResumeError(f"{path} cannot be read: {error.strerror}.") from error
    if heading is None:
        raise ResumeError(
            f"{path} is not what a grading that was broken off has left, or its beginning is "
            "damaged. Remove it to begin anew."
        )
    if heading.get("format") != _FORMAT:
        raise ResumeError(
            f"{path} was written by another version of the kit. Remove it to begin anew."
        )
    fields = {f.name: heading[f.name] for f in dataclasses.fields(Heading)}
    kept = {line["key"]: Kept(line["student"], line["exercise"], _judged(line)) for line in lines}
    return Heading(**{**fields, "exercises": tuple(fields["exercises"])}), kept


def _read(path: Path) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The heading, if there is one, and the lines below it that are whole."""
    with path.open("rb") as file:
        lines = [_content(line) for line in file]
    if not lines or not isinstance(lines[0], dict) or "exercises" not in lines[0]:
        return None, []
    return lines[0], [line for line in lines[1:] if line]


def _line(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")
    return hashlib.sha256(text).hexdigest().encode() + b" " + text + b"\n"


def _content(line: bytes) -> dict[str, Any] | None:
    """What a line says; None where it is not as it was written."""
    digest, _, text = line.rstrip(b"\n").partition(b" ")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    content: dict[str, Any] = json.loads(text)
    return content


def _judged(line: Mapping[str, Any]) -> tuple[Judged, ...]:
    return tuple(
        Judged(check_from_json(result), seconds)
        for result, seconds in zip(line["checks"], line["seconds"], strict=True)
    )


def _key(evidence: Evidence, work: Work, submission: Submission, exercise: Exercise) -> str:
    """A hash of all that decides what the checks of an exercise find in a submission."""
    decisive = [
        dataclasses.asdict(evidence),
        [work.visible_only, work.until_failure],
        [exercise.name, exercise.sha256],
        [submission.student, submission.sha256_of(exercise.name)],
    ]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def _difference(was: Heading, now: Heading, *, any_seed: bool) -> str:
    """How a grading differs from one that is to be gone on with; empty where it does not."""
    if was.course != now.course:
        return f"of the course {was.course!r}, not of {now.course!r}"
    if was.assignment != now.assignment:
        one, other = (
            f"of the assignment {x!r}" if x else "of no assignment"
            for x in (was.assignment, now.assignment)
        )
        return f"{one}, not {other}"
    if was.exercises != now.exercises:
        return f"of {', '.join(was.exercises)}, not of {', '.join(now.exercises)}"
    if not any_seed and was.seed != now.seed:
        return f"its seed is {was.seed}, not {now.seed} (without --seed it is taken from there)"
    return ""


def _answers(number: int) -> str:
    return f"{number} {'answer' if number == 1 else 'answers'}"
