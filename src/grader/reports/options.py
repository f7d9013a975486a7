"""What reports are told beside the grading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What some formats need to know that no grading holds. All of it has a default."""

    title: str = ""
    """What the assignment is called where the points go; the assignment's own title, or else the
    course's, if not given."""
    worksheet: Path | None = None
    """The grading worksheet that Moodle exported."""
    site: str = ""
    """Address of the school's site. Statements of xAPI name it to say whose student it is."""
