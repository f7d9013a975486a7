"""Nothing reaches a submission that is not its own, and nothing of it stays."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox import Answer, ProcessSandbox, Raised
from pglab.scratch import Database, Role
from pglab.servers import Server
from tests.grader.laboratory import Laboratory, Submission, processes_of

Submit = Callable[..., Submission]
KNOWN = {"PATH", "LANG", "HOME", "PWD", "LC_CTYPE", "PYTHONUTF8", "PYTHONHASHSEED"}


def open_files(pid: int) -> set[str]:
    """What a process has open, without what it closes meanwhile; nothing where it has ended."""
    found = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found.add(os.readlink(descriptor))
    return found


def test_the_environment_is_not_inherited(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    with type(lab.sandbox)(lab.server.socket_dir).start() as sandbox:
        own = Laboratory(lab.server, sandbox, lab.role, lab.database)
        one = own.submit("import os\ndef f(session): return dict(os.environ)")
        environment = one.value("f")
        one.close()
    # The one that the submission is told is its own.
    assert lab.database.name in environment.pop("DATABASE_URL")
    assert "secret" not in str(environment)
    assert set(environment) <= KNOWN


def test_no_open_file_of_the_judge_is_inherited(lab: Laboratory, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    with secret.open("w") as file, socket.socket() as listening:
        for descriptor in (file.fileno(), listening.fileno()):
            os.set_inheritable(descriptor, True)
        secrets = {str(secret), os.readlink(f"/proc/self/fd/{listening.fileno()}")}
        assert secrets <= open_files(os.getpid())
        with type(lab.sandbox)(lab.server.socket_dir).start() as sandbox:
            one = Laboratory(lab.server, sandbox, lab.role, lab.database).submit("")
            held: list[set[str]] = []
            deadline = time.monotonic() + 20
            while len(held) < 3 and time.monotonic() < deadline:  # the next cell is being made
                held = [files for p in processes_of(sandbox) if (files := open_files(p.pid))]
            one.close()
    assert len(held) >= 3
    assert not secrets & set().union(*held)


def test_student_code_holds_only_what_it_needs(lab: Laboratory) -> None:
    """Standard streams, the channel to the judge, the connection to PostgreSQL."""
    one = lab.submit(
        "import os, stat\n"
        "def f(session):\n"
        "    kinds = []\n"
        "    for d in range(256):\n"
        "        try: kinds.append(stat.filemode(os.fstat(d).st_mode)[0])\n"
        "        except OSError: pass\n"
        "    return kinds\n"
    )
    assert one.value("f") == ["c", "p", "p", "s", "s"]
    one.close()


def test_a_new_runner_knows_nothing_of_the_last_one(submit: Submit) -> None:
    one = submit(
        "import os, builtins, string\n"
        "counter = []\n"
        "def spoil(session):\n"
        "    counter.append(1); builtins.spoiled = True; string.digits = None\n"
        "    os.environ['SPOILED'] = '1'\n"
        "    open('left.txt', 'w').write('x'); os.makedirs('a/b/c'); os.chmod('a', 0)\n"
        "    os.chdir('/')\n"
        "def look(session):\n"
        "    return [counter, hasattr(builtins, 'spoiled'), string.digits,\n"
        "            'SPOILED' in os.environ, sorted(os.listdir())]\n"
    )
    assert one.call("spoil") == Answer(None)
    assert one.again() == Answer(None)
    assert one.value("look") == [[], False, "0123456789", False, ["m.py"]]


def test_every_place_that_can_be_written_to_is_emptied(walled: Laboratory) -> None:
    one = walled.submit(
        "import os\n"
        "PLACES = ('/student', '/tmp', '/dev/shm')\n"
        "def fill(session):\n"
        "    for place in PLACES: open(place + '/left', 'w').write('x')\n"
        "def look(session): return [sorted(os.listdir(place)) for place in PLACES]\n"
    )
    assert one.call("fill") == Answer(None)
    one.again()
    assert one.value("look") == [["m.py"], [], []]
    one.close()


def test_two_submissions_see_nothing_of_each_other(walled: Laboratory) -> None:
    source = (
        "import os\n"
        "def put(session, text):\n"
        "    for place in ('.', '/tmp', '/dev/shm'): open(place + '/x', 'w').write(text)\n"
        "    return os.getpid()\n"
        "def look(session):\n"
        "    alive = []\n"
        "    for pid in range(1, 400):\n"
        "        try: os.kill(pid, 0); alive.append(pid)\n"
        "        except ProcessLookupError: pass\n"
        "        except PermissionError: alive.append(-pid)\n"
        "    return [open(place + '/x').read() for place in ('.', '/tmp', '/dev/shm')], alive\n"
    )
    ada, bob = walled.submit(source), walled.submit(source)
    pids = {one.value("put", name) for one, name in ((ada, "ada"), (bob, "bob"))}
    for one, name in ((ada, "ada"), (bob, "bob")):
        texts, alive = one.value("look")
        assert texts == [name] * 3
        assert {abs(pid) for pid in alive} <= pids | {1}
        one.close()


@pytest.mark.parametrize(
    "attempt",
    [
        "libc.unshare(0x10000000)",
        "libc.unshare(0x10000000 | 0x20000)",
        "libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)",
        "libc.syscall(319, b'x', 0)",
        "libc.shmget(0, 1 << 20, 0o1600)",
        "libc.msgget(0, 0o1600)",
        "libc.semget(0, 1, 0o1600)",
        "libc.syscall(240, b'x', 0o102, 0o600, 0)",
        "libc.prlimit(1, 7, (ctypes.c_ulong * 2)(64, 64), None)",
        "libc.syscall(250, 0, -3, 1)",
        "libc.syscall(425, 8, 0)",
        "libc.ptrace(0, 0, 0, 0)",
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "libc.syscall(0x40000000 | 39)",
    ],
)
def test_calls_that_reach_past_the_limits_are_refused(walled: Laboratory, attempt: str) -> None:
    if os.uname().machine != "x86_64" and "syscall" in attempt:
        attempt = "libc.unshare(0x10000000)"
    one = walled.submit(
        "import ctypes\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "libc.ptrace.restype = ctypes.c_long\n"
        f"def f(session):\n    return [{attempt}, ctypes.get_errno()]\n"
    )
    assert one.value("f") == [-1, 1]
    one.close()


def test_threads_and_child_processes_work_in_the_sandbox(walled: Laboratory) -> None:
    one = walled.submit(
        "import subprocess, sys, threading, concurrent.futures as cf, multiprocessing\n"
        "def double(n): return 2 * n\n"
        "def f(session):\n"
        "    said = subprocess.check_output([sys.executable, '-c', 'print(1)'])\n"
        "    with cf.ThreadPoolExecutor(4) as pool: threads = list(pool.map(double, range(4)))\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        forks = pool.map(double, range(4))\n"
        "    return [said, threads, forks]\n"
    )
    assert one.value("f") == [b"1\n", [0, 2, 4, 6], [0, 2, 4, 6]]
    one.close()


def test_the_system_cannot_be_written_to(walled: Laboratory) -> None:
    one = walled.submit(
        "import contextlib, os, sys\n"
        "def write(session, path):\n"
        "    with contextlib.suppress(OSError): os.chmod(os.path.dirname(path), 0o755)\n"
        "    open(path, 'w')\n"
        "def where(session): return [sys.prefix, sys.modules['sqlalchemy'].__file__]\n"
    )
    prefix, library = one.value("where")
    fixed = ("/x", "/usr/x", "/dev/x", "/proc/x", "/run/postgresql/x")
    for path in (*fixed, f"{prefix}/x", library):
        outcome = one.call("write", path)
        assert isinstance(outcome, Raised), path
        assert outcome.type in {"PermissionError", "OSError", "FileNotFoundError"}, path
    one.close()


def test_neither_checks_nor_solutions_can_be_read(walled: Laboratory, root: Path) -> None:
    places = [str(root / name) for name in ("exercises", "solutions", "tests", ".git", "src/kit")]
    one = walled.submit(
        "import os\ndef f(session, places): return [p for p in places if os.path.lexists(p)]"
    )
    assert one.value("f", [*places, str(Path.home() / ".bashrc"), "/etc/passwd"]) == []
    one.close()


def test_nothing_can_be_learned_of_the_cell_itself(walled: Laboratory) -> None:
    one = walled.submit(
        "def f(session):\n"
        "    told = []\n"
        "    for name in ('environ', 'maps', 'mem', 'root', 'fd/0', 'cwd'):\n"
        "        try: told.append(open('/proc/1/' + name, 'rb').read(100))\n"
        "        except OSError: pass\n"
        "    return told\n"
    )
    assert one.value("f") == []
    one.close()


@pytest.mark.parametrize("family", ["INET", "INET6", "NETLINK", "PACKET", "VSOCK", "ALG"])
def test_no_socket_but_those_of_unix_can_be_made(walled: Laboratory, family: str) -> None:
    one = walled.submit(
        "import socket\n"
        "def f(session, family):\n"
        "    left, right = socket.socketpair(); left.send(b'x')\n"
        "    socket.socket(socket.AF_UNIX).close()\n"
        "    try: socket.socket(getattr(socket, 'AF_' + family), socket.SOCK_RAW)\n"
        "    except OSError as error: first = error.errno\n"
        "    try: socket.socket(getattr(socket, 'AF_' + family))\n"
        "    except OSError as error: return [first, error.errno, right.recv(1)]\n"
    )
    assert one.value("f", family) == [97, 97, b"x"]  # EAFNOSUPPORT
    one.close()


DEEP = """
import os
def leave(session):
    for place in ("/student", "/tmp", "/dev/shm"):
        os.chdir(place)
        for _ in range(300):
            os.mkdir("d" * 200); os.chdir("d" * 200)
        os.symlink("/usr", "link"); os.symlink("nowhere", "dangling"); os.mkfifo("pipe")
        os.mkdir("closed"); open("closed/file", "w").close(); os.chmod("closed", 0)
        os.mkdir(b"\\xff\\n"); os.chmod(".", 0)
        os.chmod(place, 0)
def look(session): return [os.listdir(p) for p in ("/student", "/tmp", "/dev/shm", "/usr/bin")]
"""


def test_places_are_emptied_whatever_was_left_in_them(walled: Laboratory) -> None:
    one = walled.submit(DEEP)
    assert one.call("leave") == Answer(None)
    one.again()
    *places, system = one.value("look")
    assert places == [["m.py"], [], []]
    assert system
    one.close()


def test_sets_have_the_order_of_the_seed(
    server: Server, student_role: Role, student_database: Database
) -> None:
    orders = []
    for seed in (1, 1, 2):
        with ProcessSandbox(server.socket_dir, hash_seed=seed).start() as sandbox:
            one = Laboratory(server, sandbox, student_role, student_database).submit(
                "def f(session): return list({str(n) for n in range(50)})"
            )
            orders.append(one.value("f"))
            one.close()
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
