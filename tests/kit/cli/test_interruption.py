"""Ctrl-C and its like in the middle of the work: an exit code, a word, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.kit.conftest import Ended, Kit
from tests.kit.tiny_course import ENDLESS, answer_own, hand_in, make_course

PATIENCE_S = 120.0


@dataclass
class Left:
    """How an interrupted command ended, and what there still is of it."""

    ended: Ended
    processes: list[psutil.Process]
    data_directories: list[Path]
    temporary_files: list[Path]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    course = make_course(tmp_path / "tiny")
    answer_own(course, ENDLESS)
    for student in ("ana", "eve", "eva"):  # none of them is ever graded, so nothing can be kept
        hand_in(tmp_path / "class", student, ENDLESS)
    return course


def interrupted(command: list[str], *, number: int, cwd: Path, env: dict[str, str]) -> Left:
    """Run a command until a student's statement runs, send a signal to its process group, as a
    terminal does, and look at what is left.
    """
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
        family = wait_for_students_statement(process)
        directories = [d for p in family if (d := data_directory(p))]
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert directories
    _, alive = psutil.wait_procs(family, timeout=10)
    return Left(
        Ended(process.returncode, out, err),
        [p for p in alive if p.status() != psutil.STATUS_ZOMBIE],
        [directory for directory in directories if directory.exists()],
        list(Path(env["TMPDIR"]).iterdir()),
    )


def wait_for_students_statement(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """All descendants of the process, as soon as one is a server process that runs a SELECT."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        family = psutil.Process(process.pid).children(recursive=True)
        titles = [title for p in family if (title := title_of(p))]
        if any(title.startswith("postgres: kit_") and " SELECT" in title for title in titles):
            return family
        time.sleep(0.02)
    process.kill()
    pytest.fail(f"no student's statement was seen: {process.communicate()}")


def title_of(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline()).strip()
    return ""


def data_directory(process: psutil.Process) -> Path | None:
    words = title_of(process).split()
    return Path(words[words.index("-D") + 1]) if "-D" in words else None


@pytest.mark.sandbox
@pytest.mark.parametrize("jobs", ["2", pytest.param("1", marks=pytest.mark.slow)])
def test_ctrl_c_in_the_middle_of_grading_leaves_nothing(
    kit: Kit, tiny: Path, tmp_path: Path, temporary: Path, jobs: str
) -> None:
    out = tmp_path / "new" / "out"
    left = interrupted(
        kit.command("grade", str(tmp_path / "class"), "--out", str(out), "--jobs", jobs,
                    "--database", "embedded"),
        number=signal.SIGINT, cwd=tiny, env=environment(kit, temporary),
    )  # fmt: skip
    assert left.ended.code == 130
    said = "Nothing is kept: not one answer was graded to its last check.\nStopped.\n"
    assert left.ended.err.endswith(said)
    assert "Traceback" not in left.ended.err
    assert left.ended.out == ""
    assert left.processes == []
    assert left.data_directories == []
    assert left.temporary_files == []
    assert not out.parent.exists()


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_terminated_grading_leaves_the_earlier_reports_whole(
    kit: Kit, tiny: Path, tmp_path: Path, temporary: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "results.json").write_text('{"format": 1, "submissions": []}', encoding="utf-8")
    (out / "report.html").write_text("earlier", encoding="utf-8")
    left = interrupted(
        kit.command("grade", str(tmp_path / "class"), "--out", str(out), "--jobs", "1",
                    "--database", "embedded"),
        number=signal.SIGTERM, cwd=tiny, env=environment(kit, temporary),
    )  # fmt: skip
    assert left.ended.code == 128 + signal.SIGTERM
    assert left.processes == []
    assert left.data_directories == []
    assert left.temporary_files == []
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "results.json"]
    assert (out / "report.html").read_text(encoding="utf-8") == "earlier"


@pytest.mark.sandbox
def test_ctrl_c_in_the_middle_of_a_check_leaves_nothing(
    kit: Kit, tiny: Path, temporary: Path
) -> None:
    left = interrupted(
        kit.command("check"), number=signal.SIGINT, cwd=tiny, env=environment(kit, temporary)
    )
    assert left.ended.code == 130
    assert left.ended.err.endswith("Stopped.\n")
    assert "Traceback" not in left.ended.err
    assert left.processes == []
    assert left.data_directories == []
    assert left.temporary_files == []


def environment(kit: Kit, temporary: Path) -> dict[str, str]:
    home = temporary.parent / "home"
    return kit.environment | {"TMPDIR": str(temporary), "KIT_HOME": str(home)}


TWICE = """
import os, signal, sys, time
from kit.cli import running
import kit.doctor

def patient():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        os.kill(os.getpid(), signal.SIGINT)   # the impatient user, during the clean-up
        print("clean", flush=True)
    yield

kit.doctor.examine = patient
sys.exit(running.run(["doctor", "--json"]))
"""


@pytest.fixture
def impatient(kit: Kit) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*kit.command()[:1], "-c", TWICE],
        env=kit.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def test_a_second_ctrl_c_does_not_break_off_the_clean_up(
    impatient: subprocess.Popen[str],
) -> None:
    impatient.send_signal(signal.SIGINT)
    out, err = impatient.communicate()
    assert out == "clean\n"
    assert err == "\nTidying up. Once more to leave at once.\nStopped.\n"
    assert impatient.returncode == 130


def test_a_signal_that_the_parent_ignores_stays_ignored(kit: Kit) -> None:
    ignoring = (
        "import signal, os, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "from kit.cli.running import orderly_stop\n"
        "with orderly_stop(): os.kill(os.getpid(), signal.SIGHUP); print('lives')"
    )
    ended = kit.run([*kit.command()[:1], "-c", ignoring])
    assert (ended.code, ended.out) == (0, "lives\n")


def test_a_reader_that_leaves_ends_the_command_quietly(kit: Kit) -> None:
    shell = f"{' '.join(kit.command('doctor', '--json'))} | head -c 1; echo ${{PIPESTATUS[0]}}"
    ended = kit.run(["bash", "-c", shell])
    assert ended.err == ""
    assert ended.out in {"{0\n", "{141\n"}


FLOOD = """
import sys
import kit.doctor
from kit.cli import running
from kit.doctor import Finding, Status

def many():
    for number in range(10_000):
        yield Finding(f"finding {number}", Status.OK, "x" * 100)

kit.doctor.examine = many
sys.exit(running.run(sys.argv[1:]))
"""


@pytest.mark.parametrize("words", ["doctor", "doctor --json"])
def test_a_reader_that_leaves_in_the_middle_is_exit_code_141_as_for_any_program(
    kit: Kit, tmp_path: Path, words: str
) -> None:
    script = tmp_path / "flood.py"
    script.write_text(FLOOD, encoding="utf-8")
    shell = f"{kit.command()[0]} {script} {words} | head -n 1 >&2; echo ${{PIPESTATUS[0]}}"
    ended = kit.run(["bash", "-c", shell])
    assert ended.out == "141\n"
    assert len(ended.err.splitlines()) == 1
