"""Progress of long work: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import itertools
import os
import pty
import subprocess
import sys

import pytest

from kit.cli import progress_bar
from kit.cli.progress_bar import progress
from tests.kit.conftest import Kit

COUNT = """
from kit.cli.progress_bar import progress

with progress("checks") as told:
    for done in range(1, 101):
        told(done, 100)
"""


def test_elsewhere_there_is_a_line_for_each_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("checks") as told:
        for done in range(1, 101):
            told(done, 100)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in lines] == [
        "25 of 100 checks done",
        "50 of 100 checks done",
        "75 of 100 checks done",
        "100 of 100 checks done",
    ]


@pytest.mark.parametrize(
    ("seconds_each", "expected"),
    [
        (0.05, ["20 a second, about 4 s left", "20 a second, about 2 s left", "20 a second"]),
        (2.0, ["0.5 a second, about 3 min left", "0.5 a second, about 80 s left", "0.5 a second"]),
    ],
)
def test_a_line_tells_the_rate_and_the_time_left(
    seconds_each: float, expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    moments = itertools.count()
    show = progress_bar._lines("checks", lambda: next(moments) * seconds_each)
    for done in range(1, 161):
        show(done, 160)
    first, *others = capsys.readouterr().err.splitlines()
    assert first.startswith("40 of 160 checks done, ")
    assert [line.partition("done, ")[2] for line in others] == [f"{end}." for end in expected]


def test_what_was_done_before_says_nothing_of_the_rate(capsys: pytest.CaptureFixture[str]) -> None:
    """A grading that goes on begins with much of it done."""
    moments = itertools.count()
    show = progress_bar._lines("checks", lambda: float(next(moments)))
    show(70, 100)
    show(75, 100)
    assert capsys.readouterr().err.splitlines() == [
        "70 of 100 checks done.",
        "75 of 100 checks done, 5.0 a second, about 5 s left.",
    ]


def test_short_work_needs_no_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("checks") as told:
        for done in range(1, 7):
            told(done, 6)
    assert capsys.readouterr().err == ""


def test_a_terminal_shows_a_bar_and_leaves_none_behind(kit: Kit) -> None:
    shown = on_a_terminal(kit, {"TERM": "xterm"})
    assert "100/100" in shown
    assert "a second" in shown
    assert "done." not in shown
    assert shown.endswith("\x1b[1A\x1b[2K")


@pytest.mark.parametrize("environment", [{"CI": "true"}, {"TERM": "dumb"}])
def test_a_terminal_that_is_none_gets_lines(kit: Kit, environment: dict[str, str]) -> None:
    shown = on_a_terminal(kit, environment)
    assert "\x1b" not in shown
    assert shown.splitlines()[-1].startswith("100 of 100 checks done")


def test_no_color_is_respected(kit: Kit) -> None:
    assert "\x1b[3" not in on_a_terminal(kit, {"TERM": "xterm", "NO_COLOR": "1"})


def on_a_terminal(kit: Kit, environment: dict[str, str]) -> str:
    """What a terminal receives from work of a hundred checks."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", COUNT],
        env=kit.environment | environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        received = b""
        try:
            while chunk := os.read(ours, 4096):
                received += chunk
        except OSError:  # Linux: the other end is closed
            pass
        finally:
            os.close(ours)
    return received.decode()
