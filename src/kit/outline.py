"""The course as the tracker knows it: a track, whose lessons are the notebooks and exercises."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kit.course import exercise_names, title_of
from kit.journal import Attempt, Event, Finished, Hint, Prediction
from tracker.services.practice import Outline
from tracker.slugs import slugify

MINUTES = 45
"""What a notebook takes, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A course: its title, and its lessons in the order in which they are taught."""

    title: str
    lessons: tuple[Outline, ...]

    @property
    def slug(self) -> str:
        return slugify(self.title)


def exercise_slug(name: str) -> str:
    """The slug of an exercise's lesson: ``04_repository`` becomes ``exercise-04-repository``."""
    return f"exercise-{slugify(name)}"


def notebook_slug(number: str) -> str:
    """The slug of a notebook's lesson, by the number that its name begins with."""
    return f"notebook-{slugify(number)}"


def slug_of(event: Event) -> str | None:
    """The slug of the lesson at which something was done."""
    match event:
        case Attempt() | Hint():
            return exercise_slug(event.exercise)
        case Prediction():
            return notebook_slug(event.question.partition("-")[0])
        case Finished():
            return notebook_slug(event.notebook)
    return None


def plan_of(root: Path, events: Iterable[Event] = ()) -> Plan:
    """The course in a folder, each exercise behind its notebook.

    Args:
        root: the course's folder.
        events: those at lessons that the course no longer has keep their lessons.
    """
    title = title_of(root)
    lessons = dict(_lessons(root))
    for slug, outline in _lessons_of(event for event in events if event.course == title):
        lessons.setdefault(slug, outline)
    return Plan(title, tuple(lessons.values()))


def plan_of_events(title: str, events: Iterable[Event]) -> Plan:
    """A course of which nothing is known but what somebody did in it."""
    return Plan(title, tuple(dict(_lessons_of(events)).values()))


def _lessons(root: Path) -> Iterator[tuple[str, Outline]]:
    exercises = {name: _settings(root / "exercises" / name) for name in exercise_names(root)}
    notebooks = sorted(root.glob("notebooks/[0-9][0-9]_*.ipynb"))
    for path in notebooks:
        slug = notebook_slug(path.stem[:2])
        place = path.relative_to(root).as_posix()
        yield slug, Outline(slug, _title_of_notebook(path), place, MINUTES)
        for name, settings in exercises.items():
            if settings.get("notebook") == path.stem:
                yield _exercise(name, settings)
    for name, settings in exercises.items():
        yield _exercise(name, settings)


def _exercise(name: str, settings: dict[str, object]) -> tuple[str, Outline]:
    slug, minutes = exercise_slug(name), settings.get("minutes")
    return slug, Outline(
        slug,
        str(settings.get("title") or name)[:200],
        f"exercises/{name}",
        minutes if isinstance(minutes, int) and minutes > 0 else MINUTES,
    )


def _settings(folder: Path) -> dict[str, object]:
    try:
        return tomllib.loads((folder / "exercise.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # kit check says what is wrong with it


def _title_of_notebook(path: Path) -> str:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        first = "".join(cells[0]["source"]).splitlines()[0]
    except (OSError, ValueError, LookupError, TypeError):
        first = ""
    return (first.lstrip("# ").partition(" · ")[2] or path.stem)[:200]


def _lessons_of(events: Iterable[Event]) -> Iterator[tuple[str, Outline]]:
    for event in events:
        slug = slug_of(event)
        if slug is None:
            continue
        if isinstance(event, Attempt | Hint):
            place = f"exercises/{event.exercise}"
            yield slug, Outline(slug, event.title[:200] or event.exercise, place, MINUTES)
        else:
            yield slug, Outline(slug, slug.replace("-", " ").title(), "notebooks", MINUTES)
