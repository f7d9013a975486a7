"""One class of hostile submissions between honest ones, graded once with them and once without."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.batch import grade
from grader.results import Grading, SubmissionResult
from tests.security.archives import add_archives

HERE = Path(__file__).parent
COURSE = HERE / "course"
HONEST = ("aaron", "mia", "zora")
SEED = 20
# The submissions bring a conftest.py of their own.
collect_ignore = ["hostile", "course"]
_HEAD = re.compile(
    r"(?:#|--) threat: (?P<threats>[\d, ]+)\n(?:#|--) earns: (?P<earns>\d+)\n"
    r"(?:#|--) ends: (?P<ends>[a-z| ]+)\n"
    r"(?:(?:#|--) says: (?P<says>.+)\n)?"
)


@dataclass(frozen=True)
class Hostile:
    """A hostile submission, the points that it honestly earns, and how each check of it ends."""

    name: str
    exercise: str
    path: Path
    threats: frozenset[int]
    earns: float
    ends: tuple[str, ...]
    """``passed`` or the reason why not, check by check, those that learners see first. Where two
    limits race each other, both stand there: ``limit|timeout``.
    """
    says: tuple[str, ...]
    """What is said by some check, as a reason or in what was printed: where a check ends alike
    whatever it ran, this shows that the attack was carried out.
    """

    def ends_in(self, result: SubmissionResult) -> bool:
        """Whether each check ended as it is written down, with the points that belong to that."""
        ends = ends_of(result, self.exercise)
        return len(ends) == len(self.ends) and all(
            end in allowed.split("|") for end, allowed in zip(ends, self.ends, strict=True)
        )


def _hostile() -> Iterator[Hostile]:
    for path in sorted((HERE / "hostile").glob("*/*")):
        if path.name.startswith("__"):
            continue
        answer = path / _answer(path.parent.name) if path.is_dir() else path
        head = _HEAD.match(answer.read_text(encoding="utf-8"))
        assert head, f"{path.name} must begin with '# threat: N', '# earns: N' and '# ends: …'"
        yield Hostile(
            path.stem,
            path.parent.name,
            path,
            frozenset(map(int, head["threats"].split(","))),
            float(head["earns"]),
            tuple(head["ends"].split()),
            tuple(head["says"].split(" | ")) if head["says"] else (),
        )


def _answer(exercise: str) -> str:
    """The name of the file that an exercise asks for."""
    described = COURSE / "exercises" / exercise / "exercise.toml"
    (name,) = tomllib.loads(described.read_text(encoding="utf-8"))["answer"]
    return str(name)


SUBMISSIONS = tuple(_hostile())


def lay_out(folder: Path, hostile: tuple[Hostile, ...]) -> Path:
    """A class of honest students and these hostile ones."""
    for name in HONEST:
        for solved in (COURSE / "solutions").iterdir():
            target = folder / name / solved.name
            target.mkdir(parents=True)
            shutil.copy(solved / _answer(solved.name), target)
    for submission in hostile:
        target = folder / submission.name / submission.exercise
        if submission.path.is_dir():
            shutil.copytree(submission.path, target)
        else:
            target.mkdir(parents=True)
            shutil.copy(submission.path, target / _answer(submission.exercise))
    return folder


def graded(
    folder: Path, home: Path, sandbox: str, *, exercises: Sequence[str] = (), jobs: int = 2
) -> Grading:
    return grade(
        [folder],
        course_root=COURSE,
        home=home,
        database="embedded",
        sandbox=sandbox,
        seed=SEED,
        exercises=exercises,
        jobs=jobs,
    )


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("bubblewrap", marks=pytest.mark.sandbox),
        pytest.param("container", marks=pytest.mark.container),
    ],
)
def backend(request: pytest.FixtureRequest) -> str:
    """A sandbox that shuts in other people's code."""
    return str(request.param)


@pytest.fixture(scope="session")
def with_hostile(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Grading:
    folder = lay_out(tmp_path_factory.mktemp("class"), SUBMISSIONS)
    add_archives(folder)
    return graded(folder, tmp_path_factory.mktemp("home"), backend)


@pytest.fixture(scope="session")
def without_hostile(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Grading:
    folder = lay_out(tmp_path_factory.mktemp("class"), ())
    return graded(folder, tmp_path_factory.mktemp("home"), backend)


def ends_of(result: SubmissionResult, exercise: str) -> list[str]:
    """``passed`` or the reason why not, for each check of an exercise."""
    (found,) = (each for each in result.exercises if each.exercise == exercise)
    return [c.failure.reason.value if c.failure else c.outcome.value for c in found.checks]


def said_of(result: SubmissionResult, exercise: str) -> str:
    """All that the checks of an exercise say and show, in one text."""
    (found,) = (each for each in result.exercises if each.exercise == exercise)
    texts = [check.output for check in found.checks]
    for failure in (check.failure for check in found.checks if check.failure):
        texts += [failure.message, failure.expected, failure.actual]
        texts += [statement.sql for statement in failure.statements]
    return "\n".join(texts)


def result_of(grading: Grading, student: str) -> SubmissionResult:
    return next(s for s in grading.submissions if s.student == student)
