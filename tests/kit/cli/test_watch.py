"""``kit watch`` as a person uses it: a terminal, an editor, and at the end Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kit.journal import Attempt, journal
from kit.standby import client
from tests.kit.conftest import Kit
from tests.kit.tiny_course import ENDLESS, EXERCISE, RIGHT, WRONG, answer_own, make_course

PATIENCE_S = 90.0
CLEAR = "\x1b[2J"


class Screen:
    """What a command writes to a terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.text = ""

    def shows(self, *wanted: str) -> str:
        """Wait until all of it has been written since the last call; what was written till then."""
        until = time.monotonic() + PATIENCE_S
        while not all(words in self.text for words in wanted):
            assert time.monotonic() < until, f"{wanted} not in {self.text!r}"
            if select.select([self._descriptor], [], [], 0.1)[0]:
                try:
                    new = os.read(self._descriptor, 65_536)
                except OSError:
                    new = b""
                assert new, f"{wanted} not in {self.text!r} when it ended"
                self.text += new.decode().replace("\r\n", "\n")
        shown, self.text = self.text, ""
        return shown


@pytest.fixture
def home(kit_home_for_servers: Path) -> Iterator[Path]:
    home = kit_home_for_servers / "home"
    home.mkdir()
    yield home
    client.end(home)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return make_course(tmp_path / "tiny")


@contextlib.contextmanager
def on_a_terminal(
    kit: Kit, *words: str, cwd: Path, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], Screen]]:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        kit.command("watch", *words),
        cwd=cwd,
        env=kit.environment | {"TERM": "xterm-256color", "KIT_WARM": "5"} | environment,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    try:
        yield process, Screen(leader)
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def save_as_editors_do(course: Path, answer: str) -> None:
    """Beside the file, and then in its place."""
    file = course / "exercises" / EXERCISE / "greetings.py"
    new = file.with_name(".greetings.py.tmp")
    new.write_text(answer, encoding="utf-8")
    new.replace(file)


def attempts(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[Attempt]:
    monkeypatch.setenv("KIT_HOME", str(home))
    return list(journal().of(Attempt))


def test_a_learners_session(
    kit: Kit, tiny: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_own(tiny, WRONG)
    with on_a_terminal(kit, "01", cwd=tiny, KIT_HOME=str(home)) as (process, screen):
        first = screen.shows("Which statement stores a row?", "Nothing else is stored")
        assert CLEAR in first
        assert "Now right" not in first
        keeper = client.status(home)

        save_as_editors_do(tiny, RIGHT)
        shown = screen.shows("Now right: A greeting is stored", "2 of 2 points", "Nothing else")
        assert "All 2 checks are right. Well done!" in shown
        assert "They bring 2 of 4 points." in shown
        assert "No longer right" not in shown
        assert shown.count(CLEAR) == 2  # the first verdict, and the report

        save_as_editors_do(tiny, RIGHT)  # nothing new, so nothing happens
        save_as_editors_do(tiny, RIGHT + "\n# a remark\n")
        shown = screen.shows("2 of 2 points", "Nothing else is stored")
        assert "Well done" not in shown
        assert shown.count(CLEAR) == 1

        save_as_editors_do(tiny, "def greet(session, words:\n    pass\n")
        shown = screen.shows("No longer right: A greeting", "is not valid Python")
        assert "Traceback" not in shown

        (tiny / "exercises" / EXERCISE / "greetings.py").unlink()
        screen.shows("There is no greetings.py")

        save_as_editors_do(tiny, RIGHT)
        screen.shows("Now right: A greeting is stored", "Well done!", "Nothing else is stored")

        now = client.status(home)
        assert keeper is not None
        assert now is not None
        assert now["pid"] == keeper["pid"]
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
        assert "Traceback" not in screen.shows("Stopped.")
    assert len(attempts(home, monkeypatch)) == 6


WAITS = """
from pathlib import Path
import time


@check("Comes late", points=1)
def test_comes_late(student):
    while not Path({path!r}).exists():
        time.sleep(0.01)
"""


def test_what_was_wrong_before_is_told_while_other_checks_still_run(
    kit: Kit, tiny: Path, home: Path
) -> None:
    over = tiny / "over"
    over.touch()
    visible = tiny / "exercises" / EXERCISE / "test_visible.py"
    before, rest = visible.read_text("utf-8").split("\n\n\n", 1)
    late = WAITS.format(path=str(over))
    visible.write_text(f"{before}\n{late}\n\n{rest}", encoding="utf-8")
    answer_own(tiny, WRONG)
    with on_a_terminal(kit, "01", cwd=tiny, KIT_HOME=str(home)) as (_, screen):
        assert "still running" not in screen.shows("2 of 3 points", "Nothing else is stored")
        over.unlink()
        save_as_editors_do(tiny, WRONG + "\n# a remark\n")
        shown = screen.shows("Which statement stores a row?", "still running")
        assert "of 3 points" not in shown
        over.touch()
        shown = screen.shows("2 of 3 points", "Nothing else is stored")
        assert "still running" not in shown
        assert "No longer right" not in shown

        over.unlink()
        save_as_editors_do(tiny, RIGHT)
        shown = screen.shows("Now right: A greeting is stored", "still running")
        assert "of 3 points" not in shown
        over.touch()
        screen.shows("Now right: A greeting is stored", "3 of 3 points", "Nothing else is stored")


@pytest.mark.slow
def test_what_is_saved_while_a_check_runs_is_checked_instead(
    kit: Kit, tiny: Path, home: Path
) -> None:
    answer_own(tiny, RIGHT)
    with on_a_terminal(kit, "01", cwd=tiny, KIT_HOME=str(home)) as (_, screen):
        screen.shows("2 of 2 points", "Nothing else is stored")
        save_as_editors_do(tiny, ENDLESS.replace("pg_sleep(600)", "pg_sleep(3)"))
        until = time.monotonic() + PATIENCE_S
        while not (client.status(home) or {"busy": 0})["busy"]:
            assert time.monotonic() < until
        save_as_editors_do(tiny, WRONG)
        shown = screen.shows("No longer right: A greeting is stored", "Nothing else is stored")
        assert shown.count(CLEAR) == 2
        assert shown.count("stored:") == 2  # what the second one prints


@pytest.mark.slow
def test_what_is_wrong_with_the_course_is_told_and_may_get_better(
    kit: Kit, tiny: Path, home: Path
) -> None:
    answer_own(tiny, RIGHT)
    settings = tiny / "exercises" / EXERCISE / "exercise.toml"
    whole = settings.read_text("utf-8")
    with on_a_terminal(kit, "01", cwd=tiny, KIT_HOME=str(home)) as (_, screen):
        screen.shows("2 of 2 points", "Nothing else is stored")
        settings.write_text("title = ", encoding="utf-8")
        screen.shows("exercise.toml is not valid TOML")
        settings.write_text(whole, encoding="utf-8")
        answer_own(tiny, WRONG)
        screen.shows("No longer right: A greeting is stored")


@pytest.mark.parametrize("warm", ["0", "5"])
def test_elsewhere_than_on_a_terminal_it_writes_plain_lines(
    kit: Kit, tiny: Path, home: Path, warm: str
) -> None:
    answer_own(tiny, WRONG)
    with subprocess.Popen(
        kit.command("watch"),
        cwd=tiny / "exercises" / EXERCISE,
        env=kit.environment | {"KIT_HOME": str(home), "KIT_WARM": warm},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        screen = Screen(process.stdout.fileno())
        shown = screen.shows("Which statement stores a row?", "Nothing else is stored")
        answer_own(tiny, RIGHT)
        shown += screen.shows("Well done!", "Nothing else is stored")
        process.send_signal(signal.SIGTERM)
        shown += screen.shows("Stopped.")
        assert process.wait(PATIENCE_S) == 128 + signal.SIGTERM
    assert "\x1b" not in shown
    assert len(re.findall(rf"^\d\d:\d\d:\d\d  {EXERCISE}$", shown, re.MULTILINE)) == 2


def test_without_an_exercise_the_one_that_is_saved_is_checked(
    kit: Kit, tiny: Path, home: Path
) -> None:
    folder = tiny / "exercises" / EXERCISE
    other = tiny / "exercises" / "02_more"
    other.mkdir()
    for file in folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    with on_a_terminal(kit, cwd=tiny, KIT_HOME=str(home)) as (_, screen):
        assert CLEAR not in screen.shows("Save a file in one of your exercises")
        (other / "greetings.py").write_text(RIGHT, encoding="utf-8")
        shown = screen.shows("Well done!", "Nothing else is stored")
        assert "02_more" in shown
        assert EXERCISE not in shown
        answer_own(tiny, WRONG)
        assert EXERCISE in screen.shows("Which statement stores a row?")


def test_no_such_exercise_is_wrong_usage(inside: Callable[..., object], tiny: Path) -> None:
    ended = inside("watch", "09", "--course", str(tiny))
    assert (ended.code, ended.out) == (2, "")
