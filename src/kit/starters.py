"""An exercise as it was before anybody worked on it.

The bundle that students get holds every starter a second time, in ``starters/``. In a checkout of
the course, git has them: as the branch upstream has them, or where there is none, as they were last
committed.
"""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.reports.files import write_whole
from kit.errors import KitError, WrongUsage

FOLDER = "starters"
"""In a bundle, beside ``exercises``."""


@dataclass(frozen=True, slots=True)
class Starter:
    """The files of an exercise that a learner may have changed."""

    files: Mapping[str, bytes | None]
    """By name; None for one that is not there in the beginning."""
    source: str
    """Where they come from, for people."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What putting a starter back would change."""

    folder: Path
    """The exercise's."""
    replaced: tuple[str, ...]
    """Files that differ and are there."""
    missing: tuple[str, ...]
    """Files that are not there any more."""

    def __bool__(self) -> bool:
        return bool(self.replaced or self.missing)


def starter_of(root: Path, exercise: str) -> Starter:
    """The starter of an exercise.

    Args:
        root: the course's folder.
        exercise: the whole name.

    Raises:
        WrongUsage: neither a bundle nor git has it.
        KitError: the exercise's settings cannot be read.
    """
    names = _names(root / "exercises" / exercise)
    kept = root / FOLDER / exercise
    if kept.is_dir():
        files = {name: _read(kept / name) for name in names}
        return Starter(files, f"{FOLDER}/{exercise}")
    revision = _revision(root)
    if revision is None:
        msg = (
            f"The starter of {exercise} is nowhere to be found: this course has no folder "
            f"{FOLDER}, and git does not know it. Ask for the course's files anew."
        )
        raise WrongUsage(msg)
    files = {name: _show(root, revision, f"exercises/{exercise}/{name}") for name in names}
    if not any(content is not None for content in files.values()):
        msg = f"Git has no file of {exercise} in {revision}. Ask for the course's files anew."
        raise WrongUsage(msg)
    return Starter(files, f"git, {revision}")


def changes(root: Path, exercise: str, starter: Starter) -> Changes:
    """What differs from the starter."""
    folder = root / "exercises" / exercise
    now = {name: _read(folder / name) for name in starter.files}
    differing = [name for name, content in starter.files.items() if now[name] != content]
    return Changes(
        folder,
        tuple(name for name in differing if now[name] is not None),
        tuple(name for name in differing if now[name] is None),
    )


def put_back(starter: Starter, found: Changes, kept: Path, now: datetime) -> Path | None:
    """Put the starter back; first the learner's files are copied.

    Args:
        starter: the files.
        found: what differs.
        kept: the folder for copies.
        now: names the copy.

    Returns:
        The folder with the learner's files; None where there was none to keep.

    Raises:
        ReportError: something cannot be written. Nothing was replaced before its copy was whole.
    """
    copy = kept / found.folder.name / now.strftime("%Y-%m-%dT%H%M%S.%f")
    for name in found.replaced:
        write_whole(copy / name, [(found.folder / name).read_bytes()])
    for name in (*found.replaced, *found.missing):
        content = starter.files[name]
        if content is None:
            (found.folder / name).unlink()
        else:
            write_whole(found.folder / name, [content])
    return copy if found.replaced else None


def _names(folder: Path) -> list[str]:
    """Files that a learner hands in, and those that stand beside them."""
    try:
        settings = tomllib.loads((folder / "exercise.toml").read_text(encoding="utf-8"))
        return [str(name) for name in (*settings["answer"], *settings.get("given", ()))]
    except (OSError, ValueError, LookupError, TypeError) as error:
        msg = f"{folder / 'exercise.toml'} cannot be read: {error}. kit check says more."
        raise KitError(msg) from error


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _revision(root: Path) -> str | None:
    """The branch upstream, or the last commit; None where git does not know the course."""
    for name in ("@{upstream}", "HEAD"):
        found = _git(root, "rev-parse", "--abbrev-ref", "--symbolic-full-name", name)
        if found is not None and found.strip():
            return found.decode().strip() if name != "HEAD" else "HEAD"
    return None


def _show(root: Path, revision: str, path: str) -> bytes | None:
    return _git(root, "show", f"{revision}:./{path}")


def _git(root: Path, *words: str) -> bytes | None:
    """What git says; None where it refuses, or is not there."""
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=root,
            capture_output=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
