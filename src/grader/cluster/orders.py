"""What goes over to the nodes of a cluster, and what comes back: plain data."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.catalog import Exercise
from grader.results import Evidence

_CACHE = "__pycache__"


@dataclass(frozen=True, slots=True)
class Nodes:
    """Where to find the nodes of a cluster."""

    address: str
    """Of the scheduler, like ``tcp://host:8786``."""
    home: Callable[[], Path]
    """Gives the kit's folder on a node's machine; a function that the node can import."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a node needs to know before it can grade."""

    course: bytes
    """A zip archive of the exercises; see `pack`."""
    exercises: tuple[str, ...]
    """Names, in order."""
    home: Callable[[], Path]
    """Gives the kit's folder on the node's machine."""
    database: str
    sandbox: str
    seed: int
    own_work: bool


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a node says of itself."""

    evidence: Evidence | None
    """What its results are found with; None where it cannot grade."""
    problem: str = ""
    """Why it cannot grade."""


@dataclass(frozen=True, slots=True)
class Order:
    """A submission to be graded."""

    number: int
    student: str
    files: Mapping[str, Mapping[str, bytes]]
    """By exercise, those that are still to be graded."""
    checks: Mapping[str, tuple[str, ...]]
    """By exercise, the names of its checks that are run."""
    until_failure: bool
    """Whether the checks of an exercise after the first one that fails are left out."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was found in a submission."""

    number: int
    judged: Mapping[str, str]
    """By exercise, its checks and their seconds in JSON."""
    problems: Mapping[tuple[str, str], str]
    """By exercise and check, why there is no result."""
    has_errors: bool
    """Whether the kit or the machine was at fault for a check."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The answer of a node that does not know of the grading (yet, or any more)."""

    address: str
    lost: bool = False
    """Whether its server has ended over the submission."""


def pack(exercises: Sequence[Exercise]) -> bytes:
    """The folders of exercises and of what instructors keep to them, as an archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for exercise in exercises:
            for room, folder in (
                ("exercises", exercise.path),
                ("solutions", exercise.solution_path),
            ):
                for path in sorted(folder.rglob("*")) if folder else ():
                    if path.is_file() and _CACHE not in path.parts:
                        inside = path.relative_to(folder or path)
                        archive.write(path, f"{room}/{exercise.name}/{inside.as_posix()}")
    return content.getvalue()


def unpack(archive: bytes, folder: Path) -> None:
    """Write what `pack` has packed."""
    with zipfile.ZipFile(io.BytesIO(archive)) as content:
        content.extractall(folder)
