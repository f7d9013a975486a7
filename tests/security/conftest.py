"""One class of hostile submissions between honest ones, graded once with them and once without."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.batch import grade
from grader.results import Grading, SubmissionResult

HERE = Path(__file__).parent
COURSE = HERE / "course"
EXERCISE = "01_notes"
HONEST = ("aaron", "mia", "zora")
SEED = 20
# The submissions bring a conftest.py of their own.
collect_ignore = ["hostile", "course"]


@dataclass(frozen=True)
class Hostile:
    """A hostile submission and the points that it honestly earns."""

    name: str
    path: Path
    threats: str
    earns: float


def _hostile() -> Iterator[Hostile]:
    for path in sorted((HERE / "hostile").iterdir()):
        if path.name.startswith("__"):
            continue
        text = (path / "notes.py" if path.is_dir() else path).read_text(encoding="utf-8")
        head = re.match(r"# threat: ([\d, ]+)\n# earns: (\d+)\n", text)
        assert head, f"{path.name} must begin with '# threat: N' and '# earns: N'"
        yield Hostile(path.stem, path, head[1], float(head[2]))


SUBMISSIONS = tuple(_hostile())


def lay_out(folder: Path, hostile: tuple[Hostile, ...]) -> Path:
    """A class of honest students and these hostile ones."""
    for name in HONEST:
        target = folder / name / EXERCISE
        target.mkdir(parents=True)
        shutil.copy(COURSE / "solutions" / EXERCISE / "notes.py", target)
    for submission in hostile:
        target = folder / submission.name / EXERCISE
        if submission.path.is_dir():
            shutil.copytree(submission.path, target)
        else:
            target.mkdir(parents=True)
            shutil.copy(submission.path, target / "notes.py")
    return folder


def graded(folder: Path, home: Path) -> Grading:
    return grade(
        [folder],
        course_root=COURSE,
        home=home,
        database="embedded",
        sandbox="bubblewrap",
        seed=SEED,
        jobs=2,
    )


@pytest.fixture(scope="session")
def with_hostile(tmp_path_factory: pytest.TempPathFactory) -> Grading:
    folder = lay_out(tmp_path_factory.mktemp("class"), SUBMISSIONS)
    return graded(folder, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def without_hostile(tmp_path_factory: pytest.TempPathFactory) -> Grading:
    folder = lay_out(tmp_path_factory.mktemp("class"), ())
    return graded(folder, tmp_path_factory.mktemp("home"))


def result_of(grading: Grading, student: str) -> SubmissionResult:
    return next(s for s in grading.submissions if s.student == student)
