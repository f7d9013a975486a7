"""The course that a command works on: its folder, and its exercises by the names people type."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kit.errors import KitError, WrongUsage


def find_root(start: Path | None = None, named: Path | None = None) -> Path:
    """The course's folder: the one that has ``exercises/`` in it.

    Args:
        start: where to look first, then upward; the current directory if not given.
        named: the folder that the user named with ``--course`` or ``KIT_COURSE``, instead.

    Raises:
        WrongUsage: there is no course there.
    """
    if named is not None:
        root = named.expanduser().absolute()
        if not (root / "exercises").is_dir():
            msg = f"{root} is not a course: it has no folder named exercises."
            raise WrongUsage(msg)
        return root
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / "exercises").is_dir():
            return folder
    msg = (
        f"There is no course in {here}, nor in any folder above it: none has a folder named "
        "exercises. Go to the course's folder, or name it with --course or KIT_COURSE."
    )
    raise WrongUsage(msg)


def of_this_installation() -> Path:
    """The course that came with the kit: in its checkout, or inside the installed package.

    Raises:
        KitError: it came without one.
    """
    package = Path(__file__).resolve().parent
    for candidate in (package.parents[1], package / "_course"):  # setup.py makes the second
        if (candidate / "exercises").is_dir() and (candidate / "notebooks").is_dir():
            return candidate
    msg = "This installation has no course in it. Install the kit again, or clone its repository."
    raise KitError(msg)


def title_of(root: Path) -> str:
    """The course's title, which stands in ``course.toml``; the folder's name where it does not."""
    title = _settings(root).get("title")
    return title if isinstance(title, str) and title.strip() else root.resolve().name


def worth_of(root: Path, exercise: str) -> float | None:
    """The points of an exercise where it is graded, hidden checks included.

    Args:
        root: the course's folder.
        exercise: its name.

    Returns:
        None where this course cannot know: it has neither the hidden checks nor, in the table
        ``points`` of ``course.toml``, what they add up to.

    Raises:
        CatalogError: the exercise is not well formed.
    """
    if not (root / "solutions" / exercise / "test_hidden.py").is_file():
        told = _settings(root).get("points")
        worth = told.get(exercise) if isinstance(told, dict) else None
        return worth if isinstance(worth, int | float) else None
    from grader.catalog import load_exercise

    return load_exercise(root / "exercises" / exercise, root / "solutions" / exercise).points


def _settings(root: Path) -> dict[str, Any]:
    """What ``course.toml`` says; nothing where it is missing or damaged."""
    import tomllib

    try:
        return tomllib.loads((root / "course.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def exercise_names(root: Path) -> list[str]:
    """Names of the course's exercises in the order in which they are taught."""
    return sorted(path.parent.name for path in (root / "exercises").glob("*/exercise.toml"))


def resolve(root: Path, asked: Iterable[str]) -> list[str]:
    """The exercises that the user means, each once, in the order asked.

    Args:
        root: the course's folder.
        asked: for each exercise its number (``04``), its name (``04_repository``), its name without
            the number (``repository``), or a path to its folder or to a file inside it.

    Raises:
        WrongUsage: one of them is no exercise, or could be several; the nearest ones are named.
    """
    names = exercise_names(root)
    if not names:
        msg = f"The course in {root} has no exercises: {root / 'exercises'} is empty."
        raise WrongUsage(msg)
    return list(dict.fromkeys(_resolve_one(root, names, text) for text in asked))


def exercise_here(root: Path, here: Path | None = None) -> str | None:
    """The exercise in whose folder the user stands, if any."""
    names = exercise_names(root)
    return _exercise_of_path(root, names, here or Path.cwd())


def _resolve_one(root: Path, names: Sequence[str], text: str) -> str:
    if text in names:
        return text
    if (os.sep in text or "/" in text or text in {".", ".."}) and (
        found := _exercise_of_path(root, names, Path(text))
    ):
        return found
    wanted = text.strip("/\\").casefold().replace("-", "_")
    matches = [name for name in names if wanted in _short_names(name)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        msg = f"“{text}” could be {_one_of(matches)}. Which one do you mean?"
        raise WrongUsage(msg)
    raise WrongUsage(_no_such(names, text))


def _short_names(name: str) -> set[str]:
    """What an exercise answers to besides its own name: ``4``, ``04``, ``repository``."""
    number, _, slug = name.partition("_")
    return {name.casefold(), number.casefold(), number.lstrip("0"), slug.casefold()} - {""}


def _exercise_of_path(root: Path, names: Sequence[str], path: Path) -> str | None:
    try:
        inside = path.resolve().relative_to((root / "exercises").resolve())
    except (OSError, ValueError):
        return None
    return inside.parts[0] if inside.parts and inside.parts[0] in names else None


def _no_such(names: Sequence[str], text: str) -> str:
    spelled = {short: name for name in names for short in _short_names(name)}
    wanted = Path(text).name.casefold()
    near = difflib.get_close_matches(wanted, spelled, n=3, cutoff=0.5)
    suggestions = list(dict.fromkeys(spelled[short] for short in near))
    if suggestions:
        return f"There is no exercise “{text}”. Did you mean {_one_of(suggestions)}?"
    return f"There is no exercise “{text}”. There are: {', '.join(names)}."


def _one_of(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
