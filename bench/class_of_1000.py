"""A class of a thousand in one run: what the judge's memory does, and what is left of it all.

    python bench/class_of_1000.py [--students N] [--few N] [--jobs N] [--sandbox NAME]

Grades the class by `kit grade` in a process of its own, and looks at the judge's processes when a
tenth of the answers are graded and when nearly all are: memory (resident, in MB) and open files;
and at what else is there at both moments, the sandbox's parent and PostgreSQL's processes.
Then what is left: databases and roles on the server, processes, and folders for temporary files.
The same, with a smaller class, after Ctrl-C, and after `kill -9` of one of the judge's processes,
of the judge, and of PostgreSQL. What a killed judge leaves on a server that others run, the next
grading there drops; so it is looked at after one.

Exit code 1 where a process grows, or anything is left.

A quarter of the answers is right, one is wrong, one cannot be imported, and one leaves processes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from pglab.servers import Server, open_server

COURSE = {
    "exercises/01_note/exercise.toml": (
        'title = "A note"\nnotebook = "00_start"\nminutes = 1\nanswer = ["note.py"]\n'
        'schema = "schema.sql"\n[worker]\nmodule = "note"\n'
    ),
    "exercises/01_note/schema.sql": "CREATE TABLE notes (body text NOT NULL);",
    "exercises/01_note/note.py": "def add(session, body):\n    ...\n",
    "exercises/01_note/test_visible.py": (
        "from grader.checks import check, hint\n\n\n"
        '@check("A note is stored")\ndef test_stored(student, db, data):\n'
        '    student.call("add", data.text())\n'
        '    assert db.count("notes") == 1, hint("Nothing was stored.")\n\n\n'
        '@check("Two notes are stored")\ndef test_stored_twice(student, db, data):\n'
        '    student.call("add", data.text())\n'
        '    student.call("add", data.text())\n'
        '    assert db.count("notes") == 2, hint("There should be two.")\n'
    ),
}
RIGHT = (
    "from sqlalchemy import text\n\n\ndef add(session, body):\n"
    '    session.execute(text("INSERT INTO notes VALUES (:body)"), {"body": body})\n'
)
WRONG = 'def add(session, body):\n    print("stored", body)\n'
BROKEN = "def add(session, body\n"
FORKING = (
    "import os, time\n\nfor _ in range(3):\n    if os.fork() == 0:\n"
    "        os.setsid()\n        time.sleep(600)\n\n\n" + WRONG
)
ANSWERS = (RIGHT, WRONG, BROKEN, FORKING)
_NO_JUDGES = ("bwrap", "grader/worker", "supervisor.py")
"""Stand on the command lines of the judge's other children. Its own processes go by what name
pytest-xdist gives them, which depends on whether the package setproctitle is there."""
_PATIENCE_S = 1800.0
_MOST_KB, _MOST_FILES = 20, 8
"""By which a process may grow: for each student, and during the whole class."""
_REST = "what else stays"


@dataclass(frozen=True, slots=True)
class Process:
    """One of the judge's processes at some moment."""

    megabytes: float
    """Memory."""
    files: int
    """Open file descriptors."""


@dataclass(frozen=True, slots=True)
class Left:
    """What there still is; nothing where all is well."""

    databases: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.databases or self.roles or self.processes or self.folders)


class Run:
    """One `kit grade` in folders of its own.

    Args:
        folder: that other accounts may enter, as a server started by root needs it.
        students: how many there are.
        server: that the databases are on; an embedded one of its own where None is given.
    """

    def __init__(
        self,
        folder: Path,
        students: int,
        *,
        server: Server | None = None,
        jobs: int = 2,
        sandbox: str = "auto",
    ) -> None:
        self.students = students
        self.out = folder / "out"
        self._server = server
        self._temporary = folder / "temporary"
        self._temporary.mkdir(exist_ok=True)
        self._temporary.chmod(0o1777)
        self._course = folder / "course"
        for name, content in COURSE.items():
            _write(self._course / name, content)
        for number in range(students):
            answer = ANSWERS[number % len(ANSWERS)]
            _write(folder / "class" / f"student{number:04}" / "01_note" / "note.py", answer)
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self._environment = kept | {
            "TMPDIR": str(self._temporary),
            "KIT_HOME": str(folder / "home"),
        }
        database = server.admin_url if server else "embedded"
        options = ("--database", database, "--jobs", str(jobs), "--sandbox", sandbox)
        words = ("grade", str(folder / "class"), "--out", str(self.out), "--seed", "7", *options)
        self._command = [sys.executable, "-m", "kit", *words]
        self._seen: set[psutil.Process] = set()

    @contextlib.contextmanager
    def started(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """While inside, it grades."""
        process = subprocess.Popen(
            [*self._command, *options],
            cwd=self._course,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            self.wait(process)

    def wait(self, process: subprocess.Popen[str]) -> int:
        """Wait for its end and return its exit code."""
        with contextlib.suppress(ValueError):  # that was done already
            process.communicate(timeout=_PATIENCE_S)
        return process.returncode

    def until_graded(self, process: subprocess.Popen[str], answers: int) -> None:
        """Wait until so many answers are graded.

        Raises:
            RuntimeError: it ended before.
        """
        until = time.monotonic() + _PATIENCE_S
        while self.graded() < answers:
            if process.poll() is not None or time.monotonic() > until:
                said = process.communicate()[1]
                raise RuntimeError(f"{self.graded()} of {self.students} were graded: {said}")
            time.sleep(0.02)
        with contextlib.suppress(psutil.NoSuchProcess):
            self._seen |= {*psutil.Process(process.pid).children(recursive=True)}

    def graded(self) -> int:
        """How many answers are graded so far."""
        try:
            return (self.out / "unfinished.log").read_bytes().count(b"\n") - 1
        except FileNotFoundError:
            return 0

    def measured(self, process: subprocess.Popen[str]) -> list[Process]:
        """The judge's processes as they are now."""
        return [Process(one.memory_info().rss / 1e6, one.num_fds()) for one in judges(process)]

    def company(self, process: subprocess.Popen[str]) -> dict[psutil.Process, Process]:
        """What else runs for the grading: the zygote, cells, and PostgreSQL's processes."""
        others = {*psutil.Process().children(recursive=True)} - {*judges(process)}
        found = {}
        for one in others:
            with contextlib.suppress(psutil.Error):
                # Apart from what they share: PostgreSQL's buffers are in each of its processes.
                found[one] = Process(one.memory_full_info().uss / 1e6, one.num_fds())
        return found

    def postmaster(self, process: subprocess.Popen[str]) -> psutil.Process:
        """The embedded server of the grading."""
        [found] = servers_among(psutil.Process(process.pid).children(recursive=True))
        return found

    def left(self) -> Left:
        """What there still is of it a moment after it has ended."""
        _, alive = psutil.wait_procs(self._seen, timeout=30)
        processes = [_told(p) for p in alive if p.status() != psutil.STATUS_ZOMBIE]
        until = time.monotonic() + 30
        while (found := sorted(p.name for p in self._temporary.iterdir())) and (
            time.monotonic() < until
        ):
            time.sleep(0.1)
        databases, roles = _on(self._server) if self._server else ([], [])
        return Left(databases, roles, processes, found)


def judges(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The judge's processes: the one that was started, and those that share its work."""
    main = psutil.Process(process.pid)
    workers = []
    for child in main.children():
        with contextlib.suppress(psutil.Error):
            if not any(word in " ".join(child.cmdline()) for word in _NO_JUDGES):
                workers.append(child)
    return [main, *sorted(workers, key=lambda p: p.pid)]


def servers_among(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """The PostgreSQL servers among processes, any of which may end meanwhile."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and "-D" in process.cmdline():
                found.append(process)
    return found


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def _told(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())[:80]
    return str(process.pid)


def _on(server: Server) -> tuple[list[str], list[str]]:
    """Databases and roles of the kit on a server, apart from templates and its two groups."""
    with psycopg.connect(server.admin_url) as connection:
        found = [
            [row[0] for row in connection.execute(query)]
            for query in (
                "SELECT datname FROM pg_database WHERE datname ~ '^kit_c_' ORDER BY 1",
                "SELECT rolname FROM pg_roles WHERE rolname ~ '^kit_r_' ORDER BY 1",
            )
        ]
    return found[0], found[1]


Break = Callable[[Run, "subprocess.Popen[str]"], None]


def interrupt(run: Run, process: subprocess.Popen[str]) -> None:
    """Ctrl-C, which a terminal sends to all processes of its foreground."""
    os.killpg(process.pid, signal.SIGINT)


def kill_a_process_of_the_judge(run: Run, process: subprocess.Popen[str]) -> None:
    judges(process)[-1].kill()


def kill_the_judge(run: Run, process: subprocess.Popen[str]) -> None:
    process.kill()


def kill_postgresql(run: Run, process: subprocess.Popen[str]) -> None:
    run.postmaster(process).kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--few", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sandbox", default="auto")
    options = parser.parse_args()
    how = {"jobs": options.jobs, "sandbox": options.sandbox}
    with tempfile.TemporaryDirectory(prefix="kit-bench-") as name:
        root = Path(name)
        root.chmod(0o755)
        with open_server("embedded", home=root, disposable=True) as server:
            run = Run(folder(root, "all"), options.students, server=server, **how)
            grown = whole_class(run)
            print(
                f"\n{'what is left':44}{'databases':>10}{'roles':>8}{'processes':>11}{'folders':>9}"
            )
            clean = [told("after the whole class", run.left())]
            for title, break_off in (
                ("after Ctrl-C", interrupt),
                ("after kill -9 of a process of the judge", kill_a_process_of_the_judge),
                ("after kill -9 of the judge, and one grading", kill_the_judge),
            ):
                place = folder(root, break_off.__name__)
                left = broken_off(Run(place, options.few, server=server, **how), break_off)
                clean.append(told(title, left))
        left = broken_off(Run(folder(root, "postgresql"), options.few, **how), kill_postgresql)
        clean.append(told("after kill -9 of PostgreSQL", left))
    if grown or not all(clean):
        sys.exit("\n".join([*grown, *([] if all(clean) else ["Something is left."])]))


def folder(root: Path, name: str) -> Path:
    place = root / name
    place.mkdir()
    return place


def whole_class(run: Run) -> list[str]:
    """Grade everybody, print what the judge takes meanwhile, and return what of it grew."""
    first, last = run.students // 10, run.students - 5
    began = time.perf_counter()
    with run.started() as process:
        run.until_graded(process, first)
        early, company = run.measured(process), run.company(process)
        run.until_graded(process, last)
        late, still = run.measured(process), run.company(process)
    seconds = time.perf_counter() - began
    assert process.returncode == 0, process.returncode
    print(f"{run.students} students graded in {seconds:.0f} s by {len(late)} processes")
    print(f"{'':28}{f'after {first}':>14}{f'after {last}':>14}{'for each':>12}")
    names = ["the judge", *(f"its process {number}" for number in range(1, len(late)))]
    stayed = [one for one in company if one in still]
    looks = [*zip(names, early, late, strict=True)]
    looks.append((_REST, together(company, stayed), together(still, stayed)))
    grown = []
    for name, one, other in looks:
        each = (other.megabytes - one.megabytes) * 1000 / (last - first)
        taken = f"{one.megabytes:11.1f} MB{other.megabytes:11.1f} MB{each:9.1f} kB"
        print(f"{name + ', memory':28}{taken}")
        print(f"{name + ', open files':28}{one.files:14}{other.files:14}")
        if each > _MOST_KB or other.files > one.files + _MOST_FILES * (
            len(stayed) if name == _REST else 1
        ):
            grown.append(f"{name} grew by {each:.1f} kB and {other.files - one.files} open files")
    return grown


def together(company: Mapping[psutil.Process, Process], those: Iterable[psutil.Process]) -> Process:
    """What some processes take, added up."""
    found = [company[one] for one in those]
    return Process(sum(one.megabytes for one in found), sum(one.files for one in found))


def broken_off(run: Run, break_off: Break) -> Left:
    """Grade a third of a class, break it off, and look at what is left."""
    with run.started() as process:
        run.until_graded(process, run.students // 3)
        break_off(run, process)
    if break_off is kill_the_judge:
        with run.started("--resume") as process:
            pass
        assert process.returncode == 0, process.returncode
    return run.left()


def told(title: str, left: Left) -> bool:
    """Print what is left; whether it is nothing."""
    counts = (left.databases, left.roles, left.processes, left.folders)
    databases, roles, processes, folders = map(len, counts)
    print(f"{title:44}{databases:>10}{roles:>8}{processes:>11}{folders:>9}")
    for name in (name for found in counts for name in found):
        print(f"    {name}")
    return not left


if __name__ == "__main__":
    main()
