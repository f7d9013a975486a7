"""The author's proof that an exercise works: right answers pass, and each wrong one fails as it
should.

For every exercise: the solution and each of ``alternatives/`` get full marks; the starter gets
none; each of ``mistakes/`` fails exactly the checks that its header names and is shown its own
misconception; every misconception has a page with a ladder of hints; no file is there that has no
purpose, and none says that something is still to be written.

An alternative or a mistake is a file that stands for the answer, or a folder of answer files. Where
an exercise has several of them, a single file is called by what it is and the answer file that it
stands for (``fan_out.popular_tracks.sql``). What a sample leaves out is the solution's.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.batch import grade
from grader.catalog import Course, Exercise, load_course
from grader.errors import CatalogError
from grader.gathered import Progress
from grader.mutants.ledger import FILE_NAME, ledger_of
from grader.results import ExerciseResult, Outcome, Reason
from grader.tomlfile import read_text

TO_WRITE = "WRITE:"
"""What marks a line of a new exercise that its author has still to write."""
HINTS = 3
"""Rungs of a ladder: a question, a pointer, a worked step."""
_HEADER = re.compile(
    r"\A# misconception: (?P<id>[a-z0-9-]+)\n(?P<fails># fails: .+\n(?:#   .+\n)*)"
)
_TEXTS = frozenset({".py", ".sql", ".md", ".toml"})
_PAGES = ("README.md", "exercise.toml", "test_visible.py")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with an exercise."""

    exercise: str
    where: str
    """The file or submission that it is about."""
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at and what was found."""

    exercises: tuple[str, ...]
    submissions: int
    checks: int
    findings: tuple[Finding, ...]
    without_ledger: tuple[str, ...]
    """Exercises of whose solutions no mutants were ever graded."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer to an exercise whose result is known beforehand."""

    exercise: Exercise
    kind: str
    """``solution``, ``alternative``, ``starter`` or ``mistake``."""
    path: Path
    """What it is called by: its file or its folder."""
    files: Mapping[str, Path]
    """By the name of the answer file, what is handed in for it."""
    fails: frozenset[str] = frozenset()
    misconception: str = ""

    @property
    def name(self) -> str:
        """Its folder in the class that is graded."""
        return f"{self.exercise.name}.{self.kind}.{self.path.stem}"


def verify(
    names: Sequence[str],
    *,
    course_root: Path,
    home: Path,
    database: str = "embedded",
    sandbox: str = "auto",
    seed: int | None = None,
    jobs: int = 1,
    say: Callable[[str], None] = lambda line: None,
    progress: Progress = lambda done, total: None,
) -> Verification:
    """Prove exercises, or find out what is wrong with them.

    Args:
        names: exercises; all of the course where none is given.
        course_root: the folder with ``exercises/``, ``solutions/`` and ``docs/misconceptions/``.
        home, database, sandbox, seed, jobs, say, progress: as for `grader.batch.grade`.

    Raises:
        GraderError: an exercise cannot even be read, or the machine is at fault.
    """
    course = load_course(course_root)
    exercises = course.select(names)
    findings = [finding for exercise in exercises for finding in _about_files(course, exercise)]
    known: list[Sample] = []
    for exercise in exercises:
        try:
            known += samples(exercise)
        except CatalogError as error:
            findings.append(Finding(exercise.name, f"solutions/{exercise.name}", str(error)))
    with tempfile.TemporaryDirectory(prefix="kit-verify-") as folder:
        for sample in known:
            lay_out(sample, Path(folder) / sample.name)
        grading = grade(
            [Path(folder)],
            course_root=course_root,
            home=home,
            database=database,
            sandbox=sandbox,
            seed=seed,
            exercises=[e.name for e in exercises],
            jobs=jobs,
            say=say,
            progress=progress,
        )
    results = {
        (submission.student, result.exercise): result
        for submission in grading.submissions
        for result in submission.exercises
    }
    for sample in known:
        result = results[sample.name, sample.exercise.name]
        findings += [
            Finding(sample.exercise.name, f"{sample.kind} {sample.path.name}", message)
            for message in _about(sample, result)
        ]
    graded = sum(len(results[s.name, s.exercise.name].checks) for s in known)
    return Verification(
        tuple(e.name for e in exercises),
        len(known),
        graded,
        tuple(findings),
        tuple(e.name for e in exercises if e.solution_path and not ledger_of(e).is_file()),
    )


def samples(exercise: Exercise) -> Iterator[Sample]:
    """The answers to an exercise whose results are known: the starter, the solution, then the rest.

    Raises:
        CatalogError: a file among them stands for no answer, or does not say what it fails.
    """
    yield Sample(exercise, "starter", exercise.path, _answer_files(exercise, exercise.path))
    solution = exercise.solution_path
    if solution is None:
        return
    yield Sample(exercise, "solution", solution, _answer_files(exercise, solution))
    for path in _entries(solution / "alternatives"):
        yield Sample(exercise, "alternative", path, _completed(exercise, path))
    for path in _entries(solution / "mistakes"):
        yield _mistake(exercise, path)


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if not p.name.startswith((".", "__")))


def _mistake(exercise: Exercise, path: Path) -> Sample:
    first, *_ = _own_files(exercise, path).values()
    header = _HEADER.match(first.read_text(encoding="utf-8").replace("-- ", "# "))
    if header is None:
        raise CatalogError(
            f"mistakes/{path.name} must begin with '# misconception: ID' and"
            " '# fails: test_one, test_two'."
        )
    fails = frozenset(re.findall(r"test_\w+", header["fails"]))
    return Sample(exercise, "mistake", path, _completed(exercise, path), fails, header["id"])


def _answer_files(exercise: Exercise, folder: Path) -> dict[str, Path]:
    """The answer files that a folder holds, in the order of ``exercise.toml``."""
    return {name: folder / name for name in exercise.answer if (folder / name).is_file()}


def _own_files(exercise: Exercise, path: Path) -> dict[str, Path]:
    """The answer files that an alternative or a mistake brings along.

    Raises:
        CatalogError: it stands for none of them.
    """
    if path.is_dir():
        files = _answer_files(exercise, path)
    elif len(exercise.answer) == 1:
        files = {exercise.answer[0]: path}
    else:
        files = {name: path for name in exercise.answer if path.name.endswith(f".{name}")}
    if not files:
        wanted = " or ".join(f"{path.stem}.{name}" for name in exercise.answer)
        raise CatalogError(
            f"{path.parent.name}/{path.name} stands for no answer file. "
            + ("Put one into it." if path.is_dir() else f"Call it {wanted}, or make it a folder.")
        )
    return files


def _completed(exercise: Exercise, path: Path) -> dict[str, Path]:
    """The files of an alternative or a mistake; those that it leaves out are the solution's."""
    assert exercise.solution_path is not None
    return _answer_files(exercise, exercise.solution_path) | _own_files(exercise, path)


def lay_out(sample: Sample, folder: Path) -> None:
    """Copy the sample's answer into a student's folder as it would have been handed in."""
    target = folder / sample.exercise.name
    target.mkdir(parents=True)
    for name, path in sample.files.items():
        shutil.copyfile(path, target / name)


def _about(sample: Sample, result: ExerciseResult) -> Iterator[str]:
    """What is wrong with the result of a sample."""
    yield from about_errors(result)
    not_judged = {c.name for c in result.checks if c.outcome is Outcome.ERROR}
    failed = {c.name for c in result.checks if c.outcome is Outcome.FAILED}
    if sample.kind in ("solution", "alternative"):
        for check in result.checks:
            if check.outcome is Outcome.FAILED and check.failure:
                told = check.failure.message
                yield f"must get full marks, but {check.name} fails: {told} {check.failure.actual}"
    elif sample.kind == "starter":
        for check in result.checks:
            if check.outcome is Outcome.PASSED and check.points:
                points = f"{check.points:g} {'point' if check.points == 1 else 'points'}"
                yield f"gets {points} for {check.name} without any work"
    else:
        for name in sorted(sample.fails - failed - not_judged):
            yield f"should fail {name}, and passes it"
        for name in sorted(failed - sample.fails):
            told = next(c.failure.message for c in result.checks if c.name == name and c.failure)
            yield f"fails {name}, which its header does not name: {told}"
        # A check that was not judged might have shown it.
        if sample.misconception not in result.misconceptions and not not_judged & sample.fails:
            shown = ", ".join(result.misconceptions) or "none"
            yield f"is not shown its misconception {sample.misconception} (shown: {shown})"


def about_errors(result: ExerciseResult) -> Iterator[str]:
    """What could not be judged, and whether the check or the kit is at fault for that."""
    for check in result.checks:
        if check.outcome is Outcome.ERROR and check.failure:
            at_fault = check.failure.reason is Reason.CHECK
            told = "is broken" if at_fault else "could not be judged, the kit failed"
            yield f"{check.name} {told}: {check.failure.message}"


def _about_files(course: Course, exercise: Exercise) -> Iterator[Finding]:
    """What is wrong with an exercise before anything is run."""
    name = exercise.name
    if exercise.solution_path is None:
        yield Finding(name, f"solutions/{name}", "is missing: nothing proves that it can be solved")
    readme = exercise.path / "README.md"
    if not readme.is_file() or not readme.read_text(encoding="utf-8").strip():
        yield Finding(name, "README.md", "is missing or empty")
    pages = [spec.misconception for spec in exercise.checks if spec.misconception]
    if exercise.solution_path:
        for path in _entries(exercise.solution_path / "mistakes"):
            with contextlib.suppress(CatalogError):  # reported with the samples
                pages.append(_mistake(exercise, path).misconception)
    for page in dict.fromkeys(pages):
        yield from _about_page(course, name, page)
    folders = [exercise.path, *([exercise.solution_path] if exercise.solution_path else [])]
    for file in (
        *(file for folder in folders for file in sorted(folder.rglob("*"))),
        *(course.root / _page_of(page) for page in dict.fromkeys(pages)),
    ):
        yield from _to_write(course, name, file)
    for stray in _stray_files(exercise):
        yield Finding(
            name, str(stray), "has no purpose here: name it in exercise.toml or delete it"
        )


def _about_page(course: Course, exercise: str, misconception: str) -> Iterator[Finding]:
    where = _page_of(misconception)
    page = course.misconceptions.get(misconception)
    if page is None:
        yield Finding(exercise, where, "is missing, or has no front matter")
    elif len([h for h in page.hints if h.strip()]) < HINTS:
        yield Finding(exercise, where, f"needs {HINTS} hints: a question, a pointer, a worked step")


def _page_of(misconception: str) -> str:
    return f"docs/misconceptions/{misconception}.md"


def _to_write(course: Course, exercise: str, file: Path) -> Iterator[Finding]:
    """The lines of a file that say that something is still to be written."""
    if not file.is_file() or file.suffix not in _TEXTS:
        return
    where = file.relative_to(course.root).as_posix()
    for number, line in enumerate(read_text(file).splitlines(), 1):
        _, marked, wanted = line.partition(TO_WRITE)
        if marked:
            said = wanted.strip(" \"'#,")
            yield Finding(exercise, f"{where}:{number}", f"is still to be written: {said}")


def _stray_files(exercise: Exercise) -> Iterator[Path]:
    """Files of an exercise that nothing refers to."""
    known = {*_PAGES, exercise.schema_file, *exercise.answer, *exercise.given}
    for path in _entries(exercise.path):
        if path.name not in known:
            yield path.relative_to(exercise.path.parent.parent)
    if exercise.solution_path:
        known = {"test_hidden.py", "alternatives", "mistakes", FILE_NAME, *exercise.answer}
        for path in _entries(exercise.solution_path):
            if path.name not in known:
                yield path.relative_to(exercise.solution_path.parent.parent)
        for kind in ("alternatives", "mistakes"):
            for folder in filter(Path.is_dir, _entries(exercise.solution_path / kind)):
                for path in _entries(folder):
                    if path.name not in exercise.answer:
                        yield path.relative_to(exercise.solution_path.parent.parent)
