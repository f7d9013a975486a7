"""What can come of asking a runner something."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from grader import wire
from grader.results import Reason
from grader.worker.limits import Limits

_SQLSTATE = re.compile("[0-9A-Z]{5}")


@dataclass(frozen=True, slots=True)
class Answer:
    """The submission answered; `value` is whatever it chose to say, as exact built-in types."""

    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    """The submission's code raised. All of it is the submission's word."""

    type: str
    bases: list[str]
    message: str
    sqlstate: str | None
    frames: list[dict[str, Any]] = field(default_factory=list)
    syntax: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """An answer that cannot be sent or understood."""

    problem: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The runner did not answer: it took too long, ended, or went over a limit."""

    reason: Reason
    message: str


def over_memory(limits: Limits) -> Ended:
    """All processes together held more than they may."""
    held = limits.memory_bytes // (1024 * 1024)
    return Ended(Reason.LIMIT, f"It used more than {held} MB of memory.")


def over_processor_time(limits: Limits) -> Ended:
    """One process computed longer than it may."""
    seconds = limits.cpu_seconds
    unit = "second" if seconds == 1 else "seconds"
    return Ended(Reason.LIMIT, f"It used more than {seconds} {unit} of processor time.")


Outcome = Answer | Raised | Unusable | Ended


def raised_from(plain: Any) -> Raised:
    """The description of an exception, with the type of every field checked.

    Raises:
        WireError: it is none.
    """
    if not isinstance(plain, dict):
        raise wire.WireError("neither a value nor an exception")
    frames, bases, syntax = plain.get("frames"), plain.get("bases"), plain.get("syntax")
    sqlstate = plain.get("sqlstate")
    return Raised(
        type=str(plain.get("type", ""))[:120],
        bases=[str(b)[:120] for b in bases[:16]] if isinstance(bases, list) else [],
        message=str(plain.get("message", ""))[:2000],
        sqlstate=sqlstate if isinstance(sqlstate, str) and _SQLSTATE.fullmatch(sqlstate) else None,
        frames=[f for f in frames[:8] if isinstance(f, dict)] if isinstance(frames, list) else [],
        syntax=syntax if isinstance(syntax, dict) else None,
    )
