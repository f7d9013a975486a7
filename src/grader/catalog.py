"""Finds the exercises of a course and says what is wrong with one that is not well formed.

An exercise is two folders of the same name: ``exercises/04_repository`` is what a learner gets, and
``solutions/04_repository``, where it is there, what only instructors hold. Adding an exercise is
adding the two folders; nothing else lists them.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from grader.checks import INSTRUMENTS
from grader.checks.verdict import MARK, CheckMark
from grader.errors import CatalogError
from grader.results import Misconception

_NAME = re.compile(r"\d{2}_[a-z0-9_]+\Z")
_FRONT_MATTER = re.compile(r"\+\+\+\n(.*?)\n\+\+\+\n", re.DOTALL)
_KEYS = {"title", "notebook", "minutes", "answer", "given", "schema", "worker"}
_WORKER_KEYS = {"module", "transaction", "seconds"}


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """One check of an exercise."""

    name: str
    title: str
    points: float
    misconception: str | None
    visible: bool
    function: Callable[..., None]
    wants: tuple[str, ...]
    """The instruments that it asks for."""


@dataclass(frozen=True)
class Exercise:
    """An exercise as its ``exercise.toml`` describes it."""

    name: str
    title: str
    path: Path
    solution_path: Path | None
    notebook: str
    minutes: int
    answer: tuple[str, ...]
    """Files that a learner hands in."""
    given: tuple[str, ...]
    """Files that stand beside them in the sandbox: always the course's own copy."""
    schema_file: str
    schema: str
    """SQL that builds the exercise's database: the content of ``schema_file``."""
    module: str
    commits: bool
    """Whether the kit, as the caller, commits after a call that returned."""
    seconds: float
    """Time limit of a call."""

    @functools.cached_property
    def checks(self) -> tuple[CheckSpec, ...]:
        """Visible checks, then hidden ones, each in the order of its file.

        Raises:
            CatalogError: a check file cannot be imported, or a check is not well formed.
        """
        visible = list(_checks_in(self.path / "test_visible.py", self.name, visible=True))
        hidden: list[CheckSpec] = []
        if self.solution_path and (self.solution_path / "test_hidden.py").is_file():
            hidden = list(
                _checks_in(self.solution_path / "test_hidden.py", self.name, visible=False)
            )
        names = [spec.name for spec in [*visible, *hidden]]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise CatalogError(
                f"{self.name}: two checks are called {twice[0]}. Rename one of them."
            )
        return (*visible, *hidden)

    @property
    def points(self) -> float:
        return sum(spec.points for spec in self.checks)

    def given_files(self) -> dict[str, bytes]:
        """The course's own files that stand beside the answer."""
        return {name: (self.path / name).read_bytes() for name in self.given}

    @functools.cached_property
    def sha256(self) -> str:
        """Hash of everything that decides a grade: checks, schema, given files and settings."""
        digest = hashlib.sha256()
        paths = [self.path / "exercise.toml", self.path / "test_visible.py"]
        paths += [self.path / name for name in self.given]
        if self.solution_path:
            paths.append(self.solution_path / "test_hidden.py")
        for path in paths:
            if path.is_file():
                digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        digest.update(self.schema.encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Course:
    """All exercises below one root, and the misconceptions that they tell apart."""

    root: Path
    exercises: Mapping[str, Exercise]
    misconceptions: Mapping[str, Misconception]

    def select(self, names: Iterable[str]) -> tuple[Exercise, ...]:
        """The exercises with these names, in order; all of them where no name is given.

        Args:
            names: each a whole name (``04_repository``), its number (``04``), its slug
                (``repository``) or a path.

        Raises:
            CatalogError: there is no such exercise; the message names the nearest ones.
        """
        wanted = {self._resolve(name) for name in names}
        return tuple(e for e in self.exercises.values() if not wanted or e.name in wanted)

    def _resolve(self, name: str) -> str:
        slug = Path(name).name or name
        for exercise in self.exercises:
            number, _, rest = exercise.partition("_")
            if slug in (exercise, number, rest) or (slug.isdigit() and int(slug) == int(number)):
                return exercise
        import difflib

        near = difflib.get_close_matches(slug, self.exercises, n=2, cutoff=0.4)
        advice = (
            f"Did you mean {' or '.join(near)}?"
            if near
            else f"There are: {', '.join(self.exercises)}."
        )
        raise CatalogError(f"There is no exercise {name!r}. {advice}")


def load_course(root: Path) -> Course:
    """Read a course.

    Args:
        root: the folder that holds ``exercises/`` and, for instructors, ``solutions/``.

    Raises:
        CatalogError: there is no exercise, or one is not well formed.
    """
    if not __debug__:
        raise CatalogError(
            "Checks are assertions, and this Python ignores them. Run it without -O."
        )
    folder = root / "exercises"
    if not folder.is_dir():
        raise CatalogError(
            f"{root} holds no exercises/ folder. Run this in a course's folder, or name one."
        )
    found = sorted(p for p in folder.iterdir() if p.is_dir() and _NAME.match(p.name))
    if not found:
        raise CatalogError(f"{folder} holds no exercise: folders are called like 04_repository.")
    misconceptions = {m.id: m for m in _misconceptions(root / "docs" / "misconceptions")}
    return Course(
        root, {p.name: load_exercise(p, root / "solutions" / p.name) for p in found}, misconceptions
    )


def load_exercise(path: Path, solution_path: Path) -> Exercise:
    """Read one exercise's ``exercise.toml``.

    Raises:
        CatalogError: it is not well formed; the message names the file and the key.
    """
    file = path / "exercise.toml"
    settings = _Table(file, _read_toml(file))
    settings.only(_KEYS)
    worker = _Table(file, settings.get("worker", dict))
    worker.only(_WORKER_KEYS)
    transaction = worker.get("transaction", str, "caller")
    if transaction not in ("caller", "callee"):
        raise CatalogError(
            f'{file}: worker.transaction is "caller" or "callee", not {transaction!r}.'
        )
    answer, given = settings.names("answer"), settings.names("given", [])
    for name in (*answer, *given):
        if not (path / name).is_file():
            raise CatalogError(f"{file} names {name}, which is not there.")
    schema = path / settings.get("schema", str)
    if not schema.is_file():
        raise CatalogError(f"{file} names {schema.name}, which is not there.")
    return Exercise(
        name=path.name,
        title=settings.get("title", str),
        path=path,
        solution_path=solution_path if solution_path.is_dir() else None,
        notebook=settings.get("notebook", str),
        minutes=settings.get("minutes", int),
        answer=answer,
        given=given,
        schema_file=schema.name,
        schema=schema.read_text(encoding="utf-8"),
        module=worker.get("module", str),
        commits=transaction == "caller",
        seconds=float(worker.get("seconds", int, 5)),
    )


class _Table:
    """A TOML table that is read with the types that it should have."""

    def __init__(self, file: Path, values: Mapping[str, Any]) -> None:
        self._file = file
        self._values = values

    def only(self, known: set[str]) -> None:
        if unknown := sorted(self._values.keys() - known):
            raise CatalogError(
                f"{self._file}: {unknown[0]!r} is not known. Known: {', '.join(sorted(known))}."
            )

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        value = self._values.get(key, default)
        if value is None:
            raise CatalogError(f"{self._file}: {key!r} is missing.")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise CatalogError(f"{self._file}: {key!r} must be of type {kind.__name__}.")
        return value

    def names(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        values = self.get(key, list, default)
        for value in values:
            if not isinstance(value, str) or "/" in value or value.startswith("."):
                raise CatalogError(f"{self._file}: {key!r} must be a list of file names.")
        return tuple(values)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CatalogError(f"{file} is missing.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"{file} is not valid TOML: {error}.") from error


def _checks_in(file: Path, exercise: str, *, visible: bool) -> Iterator[CheckSpec]:
    if not file.is_file():
        raise CatalogError(f"{file} is missing.")
    module = _import(file, f"kit_checks_{exercise}_{'visible' if visible else 'hidden'}")
    marked = [f for f in vars(module).values() if isinstance(getattr(f, MARK, None), CheckMark)]
    for function in sorted(marked, key=lambda f: f.__code__.co_firstlineno):
        mark: CheckMark = getattr(function, MARK)
        wants = tuple(inspect.signature(function).parameters)
        if not function.__name__.startswith("test_"):
            raise CatalogError(f"{file}: {function.__name__} is a check: call it test_….")
        if unknown := [name for name in wants if name not in INSTRUMENTS]:
            raise CatalogError(
                f"{file}: {function.__name__} asks for {unknown[0]!r}. "
                f"Instruments: {', '.join(INSTRUMENTS)}."
            )
        yield CheckSpec(
            function.__name__, mark.title, mark.points, mark.misconception, visible, function, wants
        )


def _import(file: Path, name: str) -> ModuleType:
    """Import a check file: trusted code, under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise CatalogError(f"{file} cannot be imported: {type(error).__name__}: {error}") from error
    return module


def _misconceptions(folder: Path) -> Iterator[Misconception]:
    for page in sorted(folder.glob("*.md")):
        match = _FRONT_MATTER.match(page.read_text(encoding="utf-8"))
        if not match:
            continue
        try:
            front = _Table(page, tomllib.loads(match[1]))
        except tomllib.TOMLDecodeError as error:
            raise CatalogError(f"{page}: the front matter is not valid TOML: {error}.") from error
        yield Misconception(
            id=page.stem,
            title=front.get("title", str),
            notebook=front.get("notebook", str, ""),
            hints=tuple(front.get("hints", list, [])),
        )
