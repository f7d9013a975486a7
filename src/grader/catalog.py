"""Finds the exercises of a course and says what is wrong with one that is not well formed.

An exercise is two folders of the same name: ``exercises/04_repository`` is what a learner gets, and
``solutions/04_repository``, where it is there, what only instructors hold. Adding an exercise is
adding the two folders; nothing else lists them.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from traceback import walk_tb
from types import ModuleType

from grader.assignment import Assignment, read_assignment
from grader.checks import INSTRUMENTS
from grader.checks.verdict import MARK, CheckMark
from grader.errors import CatalogError, UnknownName
from grader.independent import independent
from grader.results import Misconception
from grader.syntax import tree_of
from grader.tomlfile import parse_toml, read_text, read_toml

VISIBLE = "test_visible.py"
"""The checks that learners see."""
HIDDEN = "test_hidden.py"
"""The checks that only instructors hold."""
_NAME = re.compile(r"\d{2}_[a-z0-9_]+\Z")
_FRONT_MATTER = re.compile(r"\+\+\+\n(.*?)\n\+\+\+\n", re.DOTALL)
_KEYS = {"title", "notebook", "minutes", "answer", "given", "mutants", "schema", "worker"}
_WORKER_KEYS = {"module", "transaction", "seconds", "privileges"}
_PAGE_KEYS = {"title", "notebook", "hints"}


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
    mutated: tuple[str, ...]
    """Answer files of which mutants are made."""
    schema_file: str
    schema: str
    """SQL that builds the exercise's database; empty where the submission starts from nothing."""
    makes_tables: bool
    """Whether the submission may make tables and change those that are there, not rows alone."""
    module: str
    commits: bool
    """Whether the kit, as the caller, commits after a call that returned."""
    seconds: float
    """Time limit of a call."""

    @functools.cached_property
    def checks(self) -> tuple[CheckSpec, ...]:
        """Visible checks, then hidden ones, each in the order of its file.

        The hidden ones may use what the visible ones do: ``from test_visible import …``.

        Raises:
            CatalogError: a check file cannot be imported, or a check is not well formed.
        """
        return _checks_of(self.name, self.path, self.solution_path, self.sha256)

    @property
    def has_hidden_checks(self) -> bool:
        """Whether the checks that only instructors hold are here."""
        return bool(self.solution_path and (self.solution_path / HIDDEN).is_file())

    @property
    def points(self) -> float:
        return sum(spec.points for spec in self.checks)

    def given_files(self) -> dict[str, bytes]:
        """The course's own files that stand beside the answer."""
        return {name: (self.path / name).read_bytes() for name in self.given}

    @functools.cached_property
    def importable_beforehand(self) -> dict[str, str]:
        """The sources of those among them that are modules and need nothing of an answer."""
        return independent(self.given_files(), self.answer)

    @functools.cached_property
    def sha256(self) -> str:
        """Hash of everything that decides a grade: checks, schema, given files and settings."""
        digest = hashlib.sha256()
        paths = [self.path / "exercise.toml", self.path / VISIBLE]
        paths += [self.path / name for name in self.given]
        if self.solution_path:
            paths.append(self.solution_path / HIDDEN)
        for path in paths:
            if path.is_file():
                digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        digest.update(self.schema.encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Course:
    """All exercises below one root, and the misconceptions that they tell apart."""

    root: Path
    title: str
    exercises: Mapping[str, Exercise]
    misconceptions: Mapping[str, Misconception]
    broken: Mapping[str, CatalogError] = field(default_factory=dict)
    """By name, why an exercise cannot be read: told to those who ask for it, and to nobody else."""
    assignments: Mapping[str, Assignment] = field(default_factory=dict)

    def select(self, names: Iterable[str]) -> tuple[Exercise, ...]:
        """The exercises with these names, in order; all of them where no name is given.

        Args:
            names: each a whole name (``04_repository``), its number (``04``), its slug
                (``repository``) or a path.

        Raises:
            CatalogError: there is no such exercise (the message names the nearest ones), several
                could be meant, or one that was asked for is not well formed.
        """
        wanted = {self._resolve(name) for name in names} or {*self.exercises, *self.broken}
        for name in sorted(wanted & self.broken.keys()):
            raise self.broken[name]
        return tuple(e for e in self.exercises.values() if e.name in wanted)

    def assignment(self, name: str) -> Assignment:
        """The assignment of this name in ``course.toml``.

        Raises:
            CatalogError: there is none; the message names those that there are.
        """
        if name in self.assignments:
            return self.assignments[name]
        there = ", ".join(self.assignments) or "none; course.toml has no [assignment.NAME]"
        raise UnknownName(f"There is no assignment {name!r}. There are: {there}.")

    def _resolve(self, name: str) -> str:
        names = sorted({*self.exercises, *self.broken})
        slug = Path(name).name or name
        found = [slug] if slug in names else [n for n in names if slug in short_names(n)]
        if len(found) > 1:
            raise UnknownName(f"{name!r} could be {' or '.join(found)}. Name one of them in full.")
        if found:
            return found[0]
        import difflib

        near = difflib.get_close_matches(slug, names, n=2, cutoff=0.4)
        advice = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(names)}."
        raise UnknownName(f"There is no exercise {name!r}. {advice}")


def short_names(name: str) -> set[str]:
    """What an exercise answers to besides its name: ``04``, ``4``, ``repository``."""
    number, _, slug = name.partition("_")
    return {number, str(int(number)), slug}


def load_course(root: Path) -> Course:
    """Read a course.

    Args:
        root: the folder that holds ``exercises/`` and, for instructors, ``solutions/``; a
            ``course.toml`` there may give the course's title.

    Raises:
        CatalogError: there is no exercise, or a page of ``docs/misconceptions/`` is not well
            formed. An exercise that is not stops only those who select it.
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
    exercises: dict[str, Exercise] = {}
    broken: dict[str, CatalogError] = {}
    for path in found:
        try:
            exercises[path.name] = load_exercise(path, root / "solutions" / path.name)
        except CatalogError as error:
            broken[path.name] = error
    title, assignments = _settings(root, frozenset(exercises))
    return Course(root, title, exercises, misconceptions, broken, assignments)


def _settings(root: Path, exercises: frozenset[str]) -> tuple[str, Mapping[str, Assignment]]:
    """What ``course.toml`` says; where there is none, the folder's name is the course's title."""
    file = root / "course.toml"
    if not file.is_file():
        return root.resolve().name, {}
    settings = read_toml(file)
    settings.only({"title", "assignment", "points"})
    return settings.text("title"), {
        name: read_assignment(name, table, exercises)
        for name, table in settings.tables("assignment").items()
    }


def load_exercise(path: Path, solution_path: Path) -> Exercise:
    """Read one exercise's ``exercise.toml``.

    Raises:
        CatalogError: it is not well formed; the message names the file and the key.
    """
    file = path / "exercise.toml"
    settings = read_toml(file)
    settings.only(_KEYS)
    worker = settings.table("worker")
    worker.only(_WORKER_KEYS)
    transaction = worker.get("transaction", str, "caller")
    if transaction not in ("caller", "callee"):
        raise CatalogError(
            f'{file}: \'worker.transaction\' is "caller" or "callee", not {transaction!r}.'
        )
    answer, given = settings.names("answer"), settings.names("given", [])
    privileges = worker.get("privileges", str, "rows")
    if privileges not in ("rows", "tables"):
        raise CatalogError(
            f'{file}: \'worker.privileges\' is "rows" or "tables", not {privileges!r}.'
        )
    in_python = any(name.endswith(".py") for name in answer)
    module = worker.get("module", str, None if in_python else "")
    schema = settings.name("schema", "")
    if not answer:
        raise CatalogError(f"{file}: 'answer' names no file.")
    mutated = settings.names("mutants", list(answer))
    if strange := sorted({*mutated} - {*answer}):
        raise CatalogError(f"{file}: {strange[0]} stands in 'mutants' and not in 'answer'.")
    if both := sorted({*answer} & {*given}):
        raise CatalogError(f"{file}: {both[0]} stands in 'answer' and in 'given'.")
    if module and f"{module}.py" not in (*answer, *given):
        raise CatalogError(
            f"{file}: 'worker.module' is {module!r}, and {module}.py is neither answer nor given."
        )
    for name in (*given, *([schema] if schema else [])):
        if not (path / name).is_file():
            raise CatalogError(f"{file} names {name}, which is not there.")
    return Exercise(
        name=path.name,
        title=settings.text("title"),
        path=path,
        solution_path=solution_path if solution_path.is_dir() else None,
        notebook=settings.text("notebook"),
        minutes=settings.positive("minutes"),
        answer=answer,
        given=given,
        mutated=mutated,
        schema_file=schema,
        schema=read_text(path / schema) if schema else "",
        makes_tables=privileges == "tables",
        module=module,
        commits=transaction == "caller",
        seconds=float(worker.positive("seconds", 5)),
    )


@functools.lru_cache(maxsize=32)
def _checks_of(
    name: str, path: Path, solution_path: Path | None, _sha256: str
) -> tuple[CheckSpec, ...]:
    """An exercise's checks. A process that reads a course again, while a learner waits, does not
    run again what has not changed.
    """
    module, visible = _checks_in(path / VISIBLE, name, visible=True)
    hidden: list[CheckSpec] = []
    if solution_path and (file := solution_path / HIDDEN).is_file():
        with _importable(module, as_name=Path(VISIBLE).stem):
            _, hidden = _checks_in(file, name, visible=False)
    names = [spec.name for spec in [*visible, *hidden]]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CatalogError(f"{name}: two checks are called {twice[0]}. Rename one of them.")
    return (*visible, *hidden)


def _checks_in(file: Path, exercise: str, *, visible: bool) -> tuple[ModuleType, list[CheckSpec]]:
    names = _functions_in(file)
    module = _import(file, f"kit_checks_{exercise}_{'visible' if visible else 'hidden'}")
    specs = []
    for name in names:
        function = getattr(module, name)
        mark = getattr(function, MARK, None)
        if isinstance(mark, CheckMark):
            specs.append(_spec(file, function, mark, visible=visible))
        elif name.startswith("test_"):
            raise CatalogError(
                f"{file}: {name} is no check, so it would never run. "
                "Put @check(…) above it, or call it something else."
            )
    return module, specs


def _functions_in(file: Path) -> list[str]:
    """Names of a check file's own functions, in order.

    Raises:
        CatalogError: it cannot be read, or one function hides another of the same name.
    """
    try:
        tree = tree_of(read_text(file), str(file))
    except SyntaxError as error:
        raise CatalogError(f"{file} is not valid Python: {error}.") from error
    names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise CatalogError(f"{file}: two functions are called {twice[0]}. Rename one of them.")
    return names


def _spec(
    file: Path, function: Callable[..., None], mark: CheckMark, *, visible: bool
) -> CheckSpec:
    """A check that is well formed: one that would pass without having looked at anything is not."""
    name = function.__name__

    def refuse(problem: str) -> CatalogError:
        return CatalogError(f"{file}: {name} {problem}")

    if not name.startswith("test_"):
        raise refuse("is a check: call it test_….")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise refuse("must be an ordinary function: no async, no yield. As it is, it never runs.")
    if not isinstance(mark.title, str) or not mark.title.strip():
        raise refuse("has no title: say what should be true.")
    points = mark.points
    if isinstance(points, bool) or not isinstance(points, int | float) or not 0 <= points < 1e6:
        raise refuse(f"must be worth a number of points from 0 up, not {points!r}.")
    if mark.misconception is not None and not isinstance(mark.misconception, str):
        raise refuse("names a misconception that is not a string.")
    parameters = inspect.signature(function).parameters.values()
    if odd := [p for p in parameters if p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]:
        raise refuse(f"cannot be given {str(odd[0])!r}: instruments come by name.")
    wants = tuple(p.name for p in parameters)
    if unknown := [w for w in wants if w not in INSTRUMENTS]:
        raise refuse(f"asks for {unknown[0]!r}. Instruments: {', '.join(INSTRUMENTS)}.")
    return CheckSpec(name, mark.title, points, mark.misconception, visible, function, wants)


def _import(file: Path, name: str) -> ModuleType:
    """Import a check file: trusted code, under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        lines = [n for f, n in walk_tb(error.__traceback__) if f.f_code.co_filename == str(file)]
        place = f", line {lines[-1]}" if lines else ""
        raise CatalogError(
            f"{file}{place} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    return module


@contextlib.contextmanager
def _importable(module: ModuleType, *, as_name: str) -> Iterator[None]:
    """While inside, the module is imported by this name, which every exercise has one of."""
    sys.modules[as_name] = module
    try:
        yield
    finally:
        del sys.modules[as_name]


def _misconceptions(folder: Path) -> Iterator[Misconception]:
    for page in sorted(folder.glob("*.md")):
        if (found := _misconception(page, read_text(page))) is not None:
            yield found


@functools.lru_cache(maxsize=1024)
def _misconception(page: Path, text: str) -> Misconception | None:
    """What a page says of itself; None for a page about the pages. A course is read several times
    in one process, and its many pages seldom change.
    """
    if not text.startswith("+++\n"):
        return None
    match = _FRONT_MATTER.match(text)
    if not match:
        raise CatalogError(f"{page}: the front matter has no end: a line of +++ is missing.")
    front = parse_toml(page, match[1])
    front.only(_PAGE_KEYS)
    return Misconception(
        id=page.stem,
        title=front.text("title"),
        notebook=front.text("notebook", ""),
        hints=front.texts("hints", []),
    )
