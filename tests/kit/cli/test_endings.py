"""Every ending has one clear message and the right exit code."""

from __future__ import annotations

import errno
import importlib
import os
import re
from pathlib import Path

import click
import psycopg
import pytest
import sqlalchemy.exc

from grader.errors import CatalogError, SubmissionError
from kit.cli import endings
from kit.errors import Declined, KitError, WrongUsage
from pglab.errors import ServerStartError
from tracker.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KIT_DEBUG", raising=False)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KitError("The disk is gone."), 3),
        (WrongUsage("There is no exercise."), 2),
        (Declined("Nothing was changed."), 1),
        (ServerStartError("The server did not start."), 3),
        (CatalogError("exercise.toml has no title."), 3),
        (SubmissionError("No such submission."), 2),
        (ConfigurationError("DATABASE_URL is wrong."), 3),
    ],
)
def test_an_expected_error_is_its_own_message(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert endings.tell(error) == code
    captured = capsys.readouterr()
    assert captured.err == f"Error: {error}\n"
    assert captured.out == ""


def test_every_error_that_is_known_by_name_exists() -> None:
    for name in endings.EXPECTED:
        module, _, cls = name.rpartition(".")
        assert issubclass(getattr(importlib.import_module(module), cls), Exception)


def test_wrong_usage_shows_how_to_get_help(capsys: pytest.CaptureFixture[str]) -> None:
    context = click.Context(click.Command("grade"), info_name="kit grade")
    assert endings.tell(click.UsageError("No such option.", context)) == 2
    err = capsys.readouterr().err
    assert "Error: No such option." in err
    assert "Usage: kit grade" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (endings.Stopped(2), 130),
        (endings.Stopped(15), 143),
        (KeyboardInterrupt(), 130),
        (SystemExit(0), 0),
        (SystemExit(5), 5),
        (SystemExit(None), 0),
        (SystemExit("text"), 3),
        (click.exceptions.Exit(4), 4),
    ],
)
def test_a_run_that_was_ended_keeps_the_code_of_what_ended_it(
    error: BaseException, code: int
) -> None:
    assert endings.tell(error) == code


def test_ctrl_c_at_a_question_is_a_stop_and_a_missing_answer_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for raised, code in ((KeyboardInterrupt, 130), (EOFError, 2)):

        def read(_prompt: str, kind: type[BaseException] = raised) -> str:
            raise kind

        monkeypatch.setattr("click.termui.visible_prompt_func", read)
        with pytest.raises(click.Abort) as info:
            click.confirm("Sure?")
        assert endings.tell(info.value) == code
    assert "nobody is there to answer" in capsys.readouterr().err


def test_postgresqls_own_words_are_shown_without_the_statement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cause = psycopg.OperationalError("server closed the connection unexpectedly")
    error = sqlalchemy.exc.OperationalError("SELECT secret", {}, cause)
    assert endings.tell(error) == 3
    err = capsys.readouterr().err
    assert "server closed the connection" in err
    assert "SELECT secret" not in err
    assert "sqlalche.me" not in err


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "out/x"),
            r"No space left on device \(out/x\)",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), r"Permission denied \(/x\)"),
        (MemoryError(), "no memory left"),
        (
            ModuleNotFoundError("No module named 'pytest'", name="pytest"),
            r"pip install 'kit\[grade\]'",
        ),
        (ModuleNotFoundError("No module", name="jupyterlab.x"), "make lab"),
    ],
)
def test_what_the_machine_lacks_is_said_in_a_sentence(
    error: Exception, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert endings.tell(error) == 3
    err = capsys.readouterr().err
    assert err.count("Error: ") == 1
    assert re.search(says, err)


def test_an_unforeseen_error_is_written_down_and_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyError) as info:
        {}["postgresql://me:hunter2@db/x"]
    assert endings.tell(info.value) == 3
    err = capsys.readouterr().err
    assert "KeyError" in err
    assert "Traceback" not in err
    (report,) = (tmp_path / "home" / "crashes").iterdir()
    assert str(report) in err
    text = report.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "test_endings.py" in text
    assert "hunter2" not in text + err


def test_where_no_report_can_be_written_the_message_still_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    assert endings.tell(ValueError("odd")) == 3
    assert "KIT_DEBUG=1" in capsys.readouterr().err


def test_only_the_latest_reports_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "crashes"
    folder.mkdir(parents=True)
    for number in range(30):
        (folder / f"20200101-0000{number:02}-1.txt").touch()
    endings.tell(ValueError())
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 20
    assert not names[-1].startswith("2020")


def test_kit_debug_shows_the_whole_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KIT_DEBUG", "1")
    assert endings.tell(KitError("It broke.")) == 3
    err = capsys.readouterr().err
    assert "KitError: It broke." in err
    assert err.endswith("Error: It broke.\n")


def test_a_message_cannot_bring_control_characters_or_passwords_to_the_terminal() -> None:
    shown = endings.plain("\x1b[31mred\x07 postgresql://me:pa:ss@db/x?password\u202e\nnext")
    assert shown == "�[31mred� postgresql://me:***@db/x?password�\nnext"


def test_a_system_error_without_a_cure_of_its_own_is_unforeseen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert endings.tell(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "x")) == 3
    assert "nobody foresaw" in capsys.readouterr().err
