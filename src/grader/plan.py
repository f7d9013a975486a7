"""What one grading by several processes is to do, as a file that each of them reads."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.catalog import Exercise
from grader.submissions import Submission
from grader.work import DeskKey

FILE_NAME = "grading.kitplan"


@dataclass(frozen=True)
class Plan:
    """One grading. Plain values only, because it crosses process boundaries as JSON."""

    course_root: str
    paths: tuple[str, ...]
    """Classes and submissions."""
    exercises: tuple[str, ...]
    """Names of the exercises."""
    visible_only: bool
    until_failure: bool
    """Whether an exercise that a submission failed in one check gets no further ones."""
    seed: int
    sandbox: str
    own_work: bool
    server: dict[str, Any]
    """A `pglab.servers.attached.Attachment` as plain values."""
    fingerprint: str
    """Of the submissions and exercises as they were when the grading began."""
    done: tuple[DeskKey, ...] = ()
    """Submissions at exercises that need no grading: what is found there is known."""

    def write(self, folder: Path) -> Path:
        """Write the plan where only this user can read it: it holds the server's password."""
        path = folder / FILE_NAME
        path.touch(mode=0o600)
        path.write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> Plan:
        plain = json.loads(path.read_text(encoding="utf-8"))
        listed = {name: tuple(plain[name]) for name in ("paths", "exercises")}
        done = tuple((number, exercise) for number, exercise in plain["done"])
        return cls(**{**plain, **listed, "done": done})


def fingerprint(submissions: Sequence[Submission], exercises: Sequence[Exercise]) -> str:
    """A hash that changes with any submission or exercise, and with their order.

    Every process reads them for itself, and results go by number: so all must see the same.
    """
    seen = [[s.student, s.sha256, sorted(s.files), sorted(s.problems)] for s in submissions]
    text = json.dumps([seen, [[e.name, e.sha256] for e in exercises]])
    return hashlib.sha256(text.encode()).hexdigest()
