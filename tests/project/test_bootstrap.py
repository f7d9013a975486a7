"""`make` says in one line what a machine lacks, and sets up an environment once."""

import contextlib
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no make: see the README")

TOOLS = ("sh", "make", "awk", "cat", "cksum", "dirname", "mkdir", "rm")


class Machine:
    """A clone of the project's set-up on a machine whose Pythons are of our making."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.clone = folder / "a clone"
        self.clone.mkdir()
        for name in ("Makefile", "bootstrap.sh", "pyproject.toml", "requirements.lock"):
            shutil.copy(root / name, self.clone / name)
        self.bin = folder / "bin"
        self.bin.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)
        self.log = folder / "pip.log"

    def python(self, name: str, version: str = "3.11", *, venv: bool = True) -> Path:
        """Install a Python that answers like one of this version, and notes what pip is told."""
        program = f"""#!{sys.executable} -IS
import os, pathlib, shutil, sys
real = sys.version_info
sys.version_info = tuple(map(int, {version!r}.split("."))) + (0, "final", 0)
words = sys.argv[1:]
if words[:1] == ["-c"]:
    if not {venv!r}:
        sys.modules["ensurepip"] = None
    sys.argv = words
    exec(words[1])
elif words[:2] == ["-m", "venv"]:
    target = pathlib.Path(words[-1]) / "bin"
    target.mkdir(parents=True)
    shutil.copy(__file__, target / "python")
    (target / "kit").write_text("#!/bin/sh\\necho kit $*\\n")
    (target / "kit").chmod(0o755)
elif words[:2] == ["-m", "pip"]:
    if words[2] == "install":
        with open({str(self.log)!r}, "a") as log:
            print(*words[2:], file=log)
        if "-qq" not in words:
            print("Collecting sqlalchemy<2.2,>=2.1 (from kit==1)")
            print("  Downloading https://somewhere/sqlalchemy-2.1.whl (3 MB)")
            print("Installing collected packages: sqlalchemy, kit", flush=True)
            print("WARNING: it is Monday", file=sys.stderr)
        if "PIP_FAILS" in os.environ:
            print("ERROR: the disk is full", file=sys.stderr)
        sys.exit(int(os.environ.get("PIP_FAILS", "0")))
"""
        path = self.bin / name
        path.write_text(program)
        path.chmod(0o755)
        return path

    def script(self, name: str, body: str) -> None:
        """Install a program of one line."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def make(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *words],
            cwd=self.clone,
            env={"PATH": str(self.bin), **env},
            capture_output=True,
            text=True,
            check=False,
        )

    def installs(self) -> list[str]:
        """The extras that pip was asked to install, in order."""
        if not self.log.exists():
            return []
        return [line.split()[-1] for line in self.log.read_text().splitlines()]


@pytest.fixture
def machine(tmp_path, root):
    return Machine(tmp_path, root)


def complaint(answer: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failed make wrote."""
    assert answer.returncode != 0
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    return line


def test_a_machine_without_python_is_told_so_in_one_line(machine):
    line = complaint(machine.make("grade"))
    assert "needs Python 3.11 to 3.14, and none was found" in line
    assert not (machine.clone / ".venv").exists()


@pytest.mark.parametrize("version", ["2.7", "3.10", "3.15"])
def test_an_unfit_python_is_named_with_its_version_in_one_line(machine, version):
    machine.python("python3", version)
    line = complaint(machine.make("grade"))
    assert f"needs Python 3.11 to 3.14, and python3 is Python {version}" in line
    assert not (machine.clone / ".venv").exists()


def test_a_missing_venv_module_is_named_with_its_package_in_one_line(machine):
    machine.python("python3", "3.12", venv=False)
    line = complaint(machine.make("test"))
    assert "python3 has no venv module" in line
    assert "python3.12-venv" in line
    assert not (machine.clone / ".venv").exists()


def test_a_python_that_does_not_run_is_named_in_one_line(machine):
    machine.python("python3")
    line = complaint(machine.make("grade", "PYTHON=/no/such/python"))
    assert "PYTHON=/no/such/python does not run" in line


def test_a_fit_python_is_found_behind_unfit_ones(machine):
    machine.python("python3.13", "3.13", venv=False)
    machine.python("python3.12", "3.12")
    machine.python("python3", "3.9")
    answer = machine.make("setup-grade")
    assert answer.returncode == 0, answer.stderr
    assert machine.installs() == [".[grade]"]


def test_the_named_python_is_taken_and_a_change_of_mind_sets_up_anew(machine):
    machine.python("python3.13", "3.13")
    other = machine.python("other", "3.12")
    assert machine.make("setup-grade").returncode == 0
    assert "with Python" in machine.make("setup-grade", f"PYTHON={other}").stdout
    assert machine.make("setup-grade", f"PYTHON={other}").stdout == ""
    assert machine.make("setup-grade").stdout == ""
    assert machine.installs() == [".[grade]", ".[grade]"]


def test_grading_installs_only_what_grading_needs_and_only_once(machine):
    machine.python("python3")
    first, second = machine.make("setup-grade").stdout.splitlines()
    assert first.startswith('Setting up .venv for "grade" with Python')
    assert second.startswith("Installing packages with pip.")
    assert machine.make("setup-grade").stdout == ""
    assert machine.installs() == [".[grade]"]
    assert "-c requirements.lock" in machine.log.read_text()


def test_a_higher_level_is_added_to_the_same_environment_and_holds_the_lower_ones(machine):
    machine.python("python3")
    machine.make("setup-grade")
    made = (machine.clone / ".venv/bin/python").stat().st_ino
    for level in ("dev", "grade", "lab", "dev"):
        assert machine.make(f"setup-{level}").returncode == 0
    assert machine.installs() == [".[grade]", ".[dev]"]
    assert (machine.clone / ".venv/bin/python").stat().st_ino == made


def test_a_changed_requirement_is_installed(machine):
    machine.python("python3")
    machine.make("setup-grade")
    with (machine.clone / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    machine.make("setup-grade")
    assert machine.installs() == [".[grade]", ".[grade]"]


def test_an_interrupted_set_up_is_begun_anew(machine):
    machine.python("python3")
    failed = machine.make("setup-grade", PIP_FAILS="1")
    assert failed.returncode != 0
    assert "pip could not install the kit" in failed.stderr
    half = machine.clone / ".venv/half-written"
    half.touch()

    assert machine.make("setup-grade").returncode == 0

    assert not half.exists()
    assert machine.installs() == [".[grade]", ".[grade]"]
    assert machine.make("setup-grade").stdout == ""


def test_a_moved_project_is_set_up_anew(machine):
    machine.python("python3")
    machine.make("setup-grade")
    moved = machine.clone.with_name("elsewhere")
    machine.clone = machine.clone.rename(moved)
    assert machine.make("setup-grade").returncode == 0
    assert machine.installs() == [".[grade]", ".[grade]"]


def on_a_terminal(machine: Machine, **env: str) -> tuple[int, str]:
    """How `make setup-grade` ends, and what a terminal gets of it."""
    ours, theirs = pty.openpty()
    command = ["make", "setup-grade"]
    env = {"PATH": str(machine.bin), "TERM": "xterm", **env}
    with subprocess.Popen(command, cwd=machine.clone, env=env, stdout=theirs, stderr=theirs) as it:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal that nobody writes to any more
            while more := os.read(ours, 4096):
                shown += more
    os.close(ours)
    return it.returncode, shown.decode()


def test_on_a_terminal_one_sees_what_pip_is_busy_with(machine):
    machine.python("python3")
    code, shown = on_a_terminal(machine)
    assert code == 0
    for said in ("package 1: sqlalchemy", "downloading sqlalchemy-2.1.whl", "unpacking 1 packages"):
        assert f"\r\033[K  {said}" in shown or f": {said}" in shown
    assert shown.endswith("\r\033[K"), "the line is gone at the end"
    assert "Monday" not in shown
    assert machine.installs() == [".[grade]"]
    assert on_a_terminal(machine) == (0, "")


def test_in_ci_the_terminal_is_no_terminal(machine):
    machine.python("python3")
    code, shown = on_a_terminal(machine, CI="true")
    assert code == 0
    assert shown.splitlines()[1].startswith("Installing packages with pip.")
    assert "package 1" not in shown


def test_on_a_terminal_too_a_failure_of_pip_is_told_and_tried_again(machine):
    machine.python("python3")
    code, shown = on_a_terminal(machine, PIP_FAILS="1")
    assert code != 0
    assert "ERROR: the disk is full" in shown
    assert "pip could not install the kit, for the reason above" in shown
    assert on_a_terminal(machine)[0] == 0
    assert machine.installs() == [".[grade]", ".[grade]"]


def test_an_environment_of_somebody_elses_making_is_used_and_never_deleted(machine):
    python = machine.python("python3")
    bin_ = machine.clone / ".venv/bin"
    bin_.mkdir(parents=True)
    shutil.copy(python, bin_ / "python")
    mine = machine.clone / ".venv/mine"
    mine.touch()
    machine.make("setup-grade", PIP_FAILS="1")
    assert machine.make("setup-grade").returncode == 0
    assert mine.exists()

    old = machine.python("old", "3.9")
    shutil.copy(old, bin_ / "python")
    line = complaint(machine.make("setup-grade"))
    assert "did not make is in .venv" in line
    assert mine.exists()


ASKED_FOR = "--assignment samples"


def students(machine: Machine, root: Path) -> set[str]:
    """Copy the folders of the sample class, and return their names."""
    names = {path.name for path in (root / "samples/class").iterdir()}
    for name in names:
        (machine.clone / "samples/class" / name).mkdir(parents=True)
    return names


def test_the_sample_class_is_graded_whole_where_bubblewrap_works(machine, root):
    machine.python("python3")
    students(machine, root)
    machine.script("bwrap", "exit 0")
    answer = machine.make("grade")
    assert answer.stdout.splitlines()[-1] == f"kit grade {ASKED_FOR} samples/class --out out"


def test_the_attacking_sample_never_runs_as_a_mere_process(machine, root):
    machine.python("python3")
    names = students(machine, root)
    machine.script("bwrap", "exit 1")
    words = machine.make("grade", "ARGS=--json").stdout.splitlines()[-1].split()
    assert words[:2] == ["kit", "grade"]
    assert words[4:6] == ["--sandbox", "process"]
    assert words[-3:] == ["--out", "out", "--json"]
    graded = {Path(word).name for word in words[4:-3]}
    assert names - graded == {"mateo"}


@pytest.mark.parametrize("answer", [0, 1])
def test_submissions_of_others_are_never_run_without_a_sandbox(machine, answer):
    machine.python("python3")
    machine.script("bwrap", f"exit {answer}")
    said = machine.make("grade", "SUBMISSIONS=my class", "OUT=a b").stdout.splitlines()
    assert said[-1] == "kit grade my class --out a b"


def test_make_alone_lists_every_target_and_sets_nothing_up(machine):
    answer = machine.make()
    assert answer.returncode == 0
    listed = {line.split()[1] for line in answer.stdout.splitlines()}
    assert {"grade", "test", "lab", "bench", "lint", "clean"} <= listed
    assert not (machine.clone / ".venv").exists()


def test_clean_leaves_work_progress_and_the_environment_alone(machine):
    kept = ("exercises/04/answer.py", ".kit/progress", ".venv/kept", "samples/one.py")
    for name in (*kept, "out/results.json", "src/kit.egg-info/x", "src/kit/__pycache__/x.pyc"):
        path = machine.clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for folder in ("tests", "bench", "solutions", "migrations"):
        (machine.clone / folder).mkdir()
    (machine.bin / "find").symlink_to(shutil.which("find") or "")

    answer = machine.make("clean")

    assert answer.returncode == 0, answer.stderr
    left = {str(path.relative_to(machine.clone)) for path in machine.clone.rglob("*")}
    assert set(kept) <= left
    assert not {name for name in left if "__pycache__" in name or "egg-info" in name}
    assert "out" not in left
