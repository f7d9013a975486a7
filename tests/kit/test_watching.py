"""Every way of saving is noticed, and nothing else is."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.results import CheckResult, Evidence, ExerciseResult, Grading, Outcome, SubmissionResult
from kit import watching
from kit.watching import Difference, Verdicts, Watched

ONE, OTHER = "01_greetings", "02_more"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (ONE, OTHER):
        folder = tmp_path / "exercises" / name
        folder.mkdir(parents=True)
        (folder / "answer.py").write_text("first", encoding="utf-8")
        (folder / "test_visible.py").write_text("checks", encoding="utf-8")
    return tmp_path


@pytest.fixture
def saved_while_waiting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Waits, and whenever that pauses, the next step of saving is done."""

    def wait(watched: Watched, save: Callable[[], object]) -> list[str]:
        steps: Iterator[None] | None = None

        def pause(_seconds: float) -> None:
            nonlocal steps
            time.sleep(0.01)  # so that the file system's clock goes on
            if steps is None:
                saved = save()
                steps = saved if isinstance(saved, Iterator) else iter(())
            next(steps, None)

        with monkeypatch.context() as patch:
            patch.setattr(watching, "time", SimpleNamespace(sleep=pause))
            return watched.wait()

    return wait


def in_place(answer: Path) -> None:
    answer.write_text("second", encoding="utf-8")


def by_another_file(answer: Path) -> None:
    """As most editors do, so that the file is never half written."""
    new = answer.with_name(".answer.py.new")
    new.write_text("second", encoding="utf-8")
    new.replace(answer)


def with_a_copy_kept(answer: Path) -> Iterator[None]:
    """As vim does with backupcopy=no, and emacs: the old file gets another name."""
    answer.rename(answer.with_name("answer.py~"))
    yield
    answer.write_text("second", encoding="utf-8")


def with_the_old_time(answer: Path) -> None:
    status = answer.stat()
    answer.write_text("other", encoding="utf-8")
    os.utime(answer, ns=(status.st_atime_ns, status.st_mtime_ns))


def bit_by_bit(answer: Path) -> Iterator[None]:
    with answer.open("w", encoding="utf-8") as file:
        for letter in "second":
            file.write(letter)
            file.flush()
            yield


def deleted(answer: Path) -> None:
    answer.unlink()


def another_file(answer: Path) -> None:
    answer.with_name("more.py").write_text("more", encoding="utf-8")


def the_whole_folder(answer: Path) -> None:
    shutil.rmtree(answer.parent)


@pytest.mark.parametrize(
    "save",
    [in_place, by_another_file, with_a_copy_kept, with_the_old_time, bit_by_bit, deleted,
     another_file, the_whole_folder],
)  # fmt: skip
def test_every_way_of_saving_is_noticed_and_whose_file_it_was(
    root: Path,
    save: Callable[[Path], object],
    saved_while_waiting: Callable[..., list[str]],
) -> None:
    watched = Watched(root, [ONE, OTHER])
    answer = root / "exercises" / OTHER / "answer.py"
    assert saved_while_waiting(watched, lambda: save(answer)) == [OTHER]
    assert not watched.changed()


def test_a_file_that_is_written_bit_by_bit_is_noticed_once_and_whole(
    root: Path, saved_while_waiting: Callable[..., list[str]]
) -> None:
    watched = Watched(root, [ONE])
    answer = root / "exercises" / ONE / "answer.py"
    assert saved_while_waiting(watched, lambda: bit_by_bit(answer)) == [ONE]
    assert answer.read_text("utf-8") == "second"


def test_what_is_saved_as_it_was_is_not_noticed(
    root: Path, saved_while_waiting: Callable[..., list[str]]
) -> None:
    watched = Watched(root, [ONE, OTHER])
    answer = root / "exercises" / ONE / "answer.py"
    other = root / "exercises" / OTHER / "answer.py"

    def save() -> Iterator[None]:
        answer.write_text("first", encoding="utf-8")
        yield from [None] * 4
        other.write_text("second", encoding="utf-8")

    assert saved_while_waiting(watched, save) == [OTHER]


@pytest.mark.parametrize(
    "name", [".answer.py.swp", "answer.py~", "#answer.py#", "__pycache__", "README.md", ".idea"]
)
def test_what_editors_leave_is_not_noticed(
    root: Path, name: str, saved_while_waiting: Callable[..., list[str]]
) -> None:
    watched = Watched(root, [ONE])
    folder = root / "exercises" / ONE
    if "." in name or "~" in name or "#" in name:
        (folder / name).write_text("noise", encoding="utf-8")
    else:
        (folder / name).mkdir()
        (folder / name / "answer.pyc").write_text("noise", encoding="utf-8")
    assert not watched.changed()
    answer = folder / "answer.py"
    assert saved_while_waiting(watched, lambda: in_place(answer)) == [ONE]


def test_two_exercises_saved_at_once_are_both_named(
    root: Path, saved_while_waiting: Callable[..., list[str]]
) -> None:
    watched = Watched(root, [ONE, OTHER])

    def save() -> Iterator[None]:
        for name in (ONE, OTHER):
            in_place(root / "exercises" / name / "answer.py")
            yield

    assert saved_while_waiting(watched, save) == [ONE, OTHER]


def test_a_folder_that_comes_back_is_noticed(
    root: Path, saved_while_waiting: Callable[..., list[str]]
) -> None:
    watched = Watched(root, [ONE])
    folder = root / "exercises" / ONE
    kept = shutil.copytree(folder, root / "kept")
    shutil.rmtree(folder)
    assert watched.note() == [ONE]
    assert saved_while_waiting(watched, lambda: shutil.copytree(kept, folder)) == [ONE]


def test_a_change_is_seen_at_once_and_taken_back_it_is_none(root: Path) -> None:
    watched = Watched(root, [ONE])
    answer = root / "exercises" / ONE / "answer.py"
    in_place(answer)
    assert watched.changed()
    answer.write_text("first", encoding="utf-8")
    assert not watched.changed()
    assert watched.note() == []


def graded(**outcomes: str) -> Grading:
    checks = tuple(
        CheckResult(
            name=name,
            title=name.upper(),
            points=1,
            earned=1 if outcome == "passed" else 0,
            outcome=Outcome(outcome),
            visible=True,
        )
        for name, outcome in outcomes.items()
    )
    result = ExerciseResult(ONE, "Greetings", checks, True, "")
    evidence = Evidence("0", 1, "process", "embedded", "18")
    return Grading("course", evidence, (SubmissionResult("me", (result,), ""),), {}, {})


def test_only_what_has_become_right_or_wrong_is_different() -> None:
    verdicts = Verdicts()
    assert verdicts.compare(graded(a="failed", b="passed", c="passed")) == {}
    found = verdicts.compare(graded(a="passed", b="failed", c="passed", d="passed"))
    assert found == {ONE: Difference(("A",), ("B",))}
    assert verdicts.compare(graded(a="passed", b="failed", c="passed")) == {ONE: Difference()}


def test_a_fault_of_the_kit_says_nothing_about_the_work() -> None:
    verdicts = Verdicts()
    verdicts.compare(graded(a="passed", b="failed"))
    assert verdicts.compare(graded(a="error", b="error")) == {ONE: Difference()}
    assert verdicts.compare(graded(a="passed", b="passed")) == {ONE: Difference(("B",), ())}
