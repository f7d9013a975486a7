"""``kit reset``: the starter comes back, and nobody's work is lost."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.conftest import Ended
from tests.kit.tiny_course import EXERCISE, FILES, RIGHT, WRONG, answer_own, make_course

Inside = Callable[..., Ended]
STARTER = FILES[f"exercises/{EXERCISE}/greetings.py"]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    course = make_course(tmp_path / "tiny")
    monkeypatch.chdir(course)
    return course


@pytest.fixture
def bundled(tiny: Path) -> Path:
    """A course as students get it, with every starter a second time."""
    folder = tiny / "starters" / EXERCISE
    folder.mkdir(parents=True)
    (folder / "greetings.py").write_text(STARTER, encoding="utf-8")
    return tiny


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def reset(inside: Inside, home: Path) -> Inside:
    def run(*words: str, **environment: str) -> Ended:
        return inside("reset", *words, KIT_HOME=str(home), **environment)

    return run


def git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def own(root: Path) -> Path:
    return root / "exercises" / EXERCISE / "greetings.py"


def kept(home: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(home.glob("kept/*/*/*.py"))]


def test_the_starter_comes_back_and_the_work_is_kept(
    reset: Inside, bundled: Path, home: Path
) -> None:
    for number, work in enumerate((RIGHT, WRONG), start=1):
        answer_own(bundled, work)
        written = own(bundled).read_text(encoding="utf-8")
        ended = reset("01", "--yes")
        assert ended.code == 0
        assert own(bundled).read_text(encoding="utf-8") == STARTER
        assert f"Put back from starters/{EXERCISE}: greetings.py." in ended.out
        place = Path(ended.out.strip().splitlines()[-1].removeprefix("Your own work is in "))
        assert (place / "greetings.py").read_text(encoding="utf-8") == written
        assert len(kept(home)) == number


def test_a_starter_that_is_untouched_is_left_alone_without_a_question(
    reset: Inside, bundled: Path, home: Path
) -> None:
    before = own(bundled).stat().st_mtime_ns
    ended = reset("01")
    assert ended.code == 0
    assert "nothing to put back" in ended.out
    assert own(bundled).stat().st_mtime_ns == before
    assert kept(home) == []


def test_a_file_that_is_gone_comes_back_without_a_question(
    reset: Inside, bundled: Path, home: Path
) -> None:
    own(bundled).unlink()
    assert reset("01").code == 0
    assert own(bundled).read_text(encoding="utf-8") == STARTER
    assert kept(home) == []


def test_where_nobody_can_be_asked_nothing_is_changed(
    reset: Inside, bundled: Path, home: Path
) -> None:
    answer_own(bundled, RIGHT)
    written = own(bundled).read_text(encoding="utf-8")
    ended = reset("01")
    assert ended.code == 2
    assert "Add --yes" in ended.err
    assert own(bundled).read_text(encoding="utf-8") == written
    assert kept(home) == []


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_a_person_is_asked(
    reset: Inside,
    bundled: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
) -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    answer_own(bundled, RIGHT)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    ended = reset("01")
    assert ended.code == code
    assert (own(bundled).read_text(encoding="utf-8") == STARTER) == (code == 0)


def test_git_has_the_starter_as_it_was_committed(reset: Inside, tiny: Path) -> None:
    git(tiny, "init", "-b", "main")
    git(tiny, "add", ".")
    git(tiny, "commit", "-m", "The course")
    answer_own(tiny, RIGHT)
    ended = reset("01", "--yes", "--json")
    assert json.loads(ended.out)["from"] == "git, HEAD"
    assert json.loads(ended.out)["files"] == ["greetings.py"]
    assert own(tiny).read_text(encoding="utf-8") == STARTER


def test_the_branch_upstream_goes_before_ones_own_commits(
    reset: Inside, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tiny, "init", "-b", "main")
    git(tiny, "add", ".")
    git(tiny, "commit", "-m", "The course")
    mine = tmp_path / "mine"
    git(tmp_path, "clone", str(tiny), str(mine))
    answer_own(mine, RIGHT)
    git(mine, "commit", "-am", "My work")
    monkeypatch.chdir(mine)
    ended = reset("01", "--yes")
    assert "from git, origin/main" in ended.out
    assert own(mine).read_text(encoding="utf-8") == STARTER


def test_without_bundle_and_git_it_says_where_to_get_one(
    reset: Inside, tiny: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tiny.parent))
    answer_own(tiny, RIGHT)
    for path in ("/nonexistent", None):  # no git at all; git, but no repository
        if path:
            with monkeypatch.context() as patch:
                patch.setenv("PATH", path)
                ended = reset("01", "--yes")
        else:
            ended = reset("01", "--yes")
        assert ended.code == 2
        assert "nowhere to be found" in ended.err
    assert own(tiny).read_text(encoding="utf-8") != STARTER
    assert kept(home) == []


def test_a_copy_that_cannot_be_written_stops_it(reset: Inside, bundled: Path, home: Path) -> None:
    home.mkdir()
    (home / "kept").write_text("in the way", encoding="utf-8")
    answer_own(bundled, RIGHT)
    ended = reset("01", "--yes")
    assert ended.code in (2, 3)
    assert own(bundled).read_text(encoding="utf-8") != STARTER


@pytest.mark.sandbox
def test_a_released_course_can_be_reset(
    inside: Inside, reset: Inside, tiny: Path, tmp_path: Path, learners_home: Path
) -> None:
    starter = "def greet(session, words):\n    raise NotImplementedError\n"
    answer_own(tiny, starter)
    target = tmp_path / "students"
    ended = inside("release", str(target), KIT_HOME=str(learners_home))
    assert ended.code == 0, ended.out
    answer_own(target, RIGHT)
    assert reset("01", "--yes", "--course", str(target)).code == 0
    assert own(target).read_text(encoding="utf-8") == starter
