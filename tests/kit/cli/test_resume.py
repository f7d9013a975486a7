"""``kit grade --resume``: a grading that was broken off, however that was, goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.kit.cli.test_interruption import environment
from tests.kit.conftest import Ended, Kit
from tests.kit.tiny_course import EXERCISE, RIGHT, WRONG, hand_in, make_course

PATIENCE_S = 120.0
SLOW = RIGHT.replace("    session", "    import time; time.sleep(0.1)\n    session")
STUDENTS = 8


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    for number in range(STUDENTS):
        hand_in(tmp_path / "class", f"student{number}", WRONG if number % 3 == 1 else SLOW)
    return make_course(tmp_path / "tiny")


@pytest.fixture
def grading(kit: Kit, tiny: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """The command that grades the class into ``out``."""

    def command(out: str = "out", *words: str) -> list[str]:
        target = str(tmp_path / out)
        options = ("--out", target, "--jobs", "2", "--database", "embedded", *words)
        return kit.command("grade", str(tmp_path / "class"), *options)

    return command


def broken_off(command: list[str], *, number: int, cwd: Path, env: dict[str, str]) -> Ended:
    """Run a grading until some answers are graded, and send its main process a signal."""
    out = Path(command[command.index("--out") + 1])
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        until = time.monotonic() + PATIENCE_S
        while graded_in(out) < 2:
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                pytest.fail(f"nothing was graded: {process.communicate()}")
            time.sleep(0.01)
        family = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, number)
        said = process.communicate(timeout=PATIENCE_S)
    _, alive = psutil.wait_procs(family, timeout=30)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
    return Ended(process.returncode, *said)


def graded_in(out: Path) -> int:
    """How many answers a grading that is not done has graded."""
    try:
        return (out / "unfinished.log").read_bytes().count(b"\n") - 1
    except FileNotFoundError:
        return -1


def results(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert found.pop("timings")
    return found


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_grading_that_was_broken_off_goes_on_and_finds_the_same(  # noqa: PLR0917 - fixtures
    kit: Kit,
    grading: Callable[..., list[str]],
    tiny: Path,
    tmp_path: Path,
    temporary: Path,
    number: int,
) -> None:
    env, out = environment(kit, temporary), tmp_path / "out"
    ended = broken_off(grading("out", "--seed", "5"), number=number, cwd=tiny, env=env)
    assert ended.out == ""
    if number == signal.SIGINT:
        assert ended.code == 130
        assert "What was graded is kept. To go on, give the same command with --res" in ended.err
        assert [path.name for path in out.iterdir()] == ["unfinished.log"]
    kept = graded_in(out)
    assert 2 <= kept < STUDENTS

    ended = kit.run(grading("out", "--resume"), cwd=tiny, **env)
    assert ended.code == 0
    assert f"Going on: {kept} of {STUDENTS} answers are graded already." in ended.err
    assert not [path for path in out.iterdir() if "unfinished" in path.name]

    ended = kit.run(grading("whole", "--seed", "5"), cwd=tiny, **env)
    assert ended.code == 0
    assert results(out) == results(tmp_path / "whole")
    for name in ("gradebook.csv", "students/student1.html"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.sandbox
def test_what_the_kit_failed_at_is_kept_open_and_alone_done_again(
    kit: Kit,
    grading: Callable[..., list[str]],
    tiny: Path,
    tmp_path: Path,
    temporary: Path,
) -> None:
    env, out = environment(kit, temporary), tmp_path / "out"
    once = f"""
    import pathlib
    try:
        pathlib.Path({str(tmp_path / "tired")!r}).unlink()
    except FileNotFoundError:
        pass
    else:
        raise OSError("the machine is tired")
"""
    hidden = tiny / "solutions" / EXERCISE / "test_hidden.py"
    signature = "(student, db):\n"
    text = hidden.read_text(encoding="utf-8")
    hidden.write_text(text.replace(signature, signature + once.lstrip("\n")), encoding="utf-8")
    (tmp_path / "tired").touch()
    ended = kit.run(grading(), cwd=tiny, **env)
    assert ended.code == 3
    assert "give the same command with --resume" in ended.err
    assert {"results.json", "unfinished.log"} <= {path.name for path in out.iterdir()}
    assert graded_in(out) == STUDENTS - 1
    ended = kit.run(grading("out", "--resume"), cwd=tiny, **env)
    assert ended.code == 0
    assert f"Going on: {STUDENTS - 1} of {STUDENTS} answers" in ended.err
    assert [s["earned"] for s in results(out)["submissions"]][:3] == [4, 1, 4]
    assert not (out / "unfinished.log").exists()


@pytest.mark.slow
@pytest.mark.sandbox
def test_another_assignment_is_wrong_usage_and_nothing_is_lost(
    kit: Kit,
    grading: Callable[..., list[str]],
    tiny: Path,
    tmp_path: Path,
    temporary: Path,
) -> None:
    env, out = environment(kit, temporary), tmp_path / "out"
    broken_off(grading("out", "--seed", "5"), number=signal.SIGKILL, cwd=tiny, env=env)
    before = (out / "unfinished.log").read_bytes()
    (tiny / "course.toml").write_text(
        f'title = "tiny"\n[assignment.week1]\nexercises = ["{EXERCISE}"]\n', encoding="utf-8"
    )
    for words, told in (
        (("--assignment", "week1"), "of no assignment, not of the assignment 'week1'"),
        (("--seed", "6"), "its seed is 5, not 6"),
    ):
        ended = kit.run(grading("out", "--resume", *words), cwd=tiny, **env)
        assert ended.code == 2
        assert told in ended.err
        assert "Name the folder of the one that was broken off" in ended.err
    assert (out / "unfinished.log").read_bytes() == before


@pytest.mark.slow
@pytest.mark.sandbox
def test_beginning_anew_says_what_is_given_up(
    kit: Kit,
    grading: Callable[..., list[str]],
    tiny: Path,
    temporary: Path,
) -> None:
    env = environment(kit, temporary)
    broken_off(grading("out", "--seed", "5"), number=signal.SIGKILL, cwd=tiny, env=env)
    ended = kit.run(grading("out", "--seed", "6"), cwd=tiny, **env)
    assert ended.code == 0
    assert "It is begun anew; --resume would go on with it." in ended.err
