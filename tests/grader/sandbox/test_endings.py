"""However a sandbox, a cell or the judge ends, no process, file or directory is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil
import pytest

from grader.errors import SandboxError
from grader.results import Reason
from grader.sandbox import (
    Answer,
    BubblewrapSandbox,
    ContainerSandbox,
    Ended,
    ProcessSandbox,
    Sandbox,
    base,
    bubblewrap,
    open_sandbox,
)
from grader.sandbox.zygote import ZygoteSandbox
from pglab.servers import Server
from tests.grader.laboratory import Laboratory, Submission, containers_of, processes_of

Submit = Callable[..., Submission]
WHERE = "import os\ndef where(session): return [os.getpid(), os.getcwd()]\n"


def come_true(holds: Callable[[], bool]) -> bool:
    """Whether it holds within a minute: what ends behind our back takes its time."""
    deadline = time.monotonic() + 60
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def are_gone(pids: Iterable[int]) -> bool:
    def is_alive(pid: int) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        return False

    return come_true(lambda: not any(map(is_alive, pids)))


def zygote_of(lab: Laboratory) -> psutil.Process:
    """The zygote is the first Python process of a sandbox."""
    return next(p for p in processes_of(lab.sandbox) if runs_python(p))


def runs_python(process: psutil.Process) -> bool:
    """One that has ended has no command line: then it runs nothing."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return any("python" in Path(word).name for word in process.cmdline()[:1])
    return False


def leads_session(process: psutil.Process) -> bool:
    """A runner does, and neither a cell nor one that is still being made."""
    with contextlib.suppress(ProcessLookupError):
        return os.getsid(process.pid) == process.pid
    return False


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def are_closed_again(before: int, sandbox: Sandbox) -> bool:
    """Whether no descriptor is left of what was opened since there were so many.

    The engine's client keeps a connection for each of the last 25 addresses that it asked.
    """
    kept = 25 if isinstance(sandbox, ContainerSandbox) else 0
    return come_true(lambda: open_descriptors() <= before + kept)


def test_a_closed_sandbox_leaves_nothing(fresh_lab: Laboratory) -> None:
    fresh_lab.submit(WHERE).close()  # from now on a cell is ready ahead
    before = open_descriptors()
    ones = [fresh_lab.submit(WHERE) for _ in range(3)]
    folders = [Path(one.value("where")[1]) for one in ones]
    pids = [process.pid for process in processes_of(fresh_lab.sandbox)]
    assert len(pids) >= 2 * len(ones)
    for one in ones:
        one.close()
    assert are_closed_again(before, fresh_lab.sandbox)
    fresh_lab.sandbox.close()
    assert are_gone(pids)
    if not fresh_lab.sandbox.isolated:
        assert come_true(lambda: not any(folder.exists() for folder in folders))
    fresh_lab.sandbox.close()


def test_a_sandbox_that_is_closed_at_once_leaves_nothing(fresh_lab: Laboratory) -> None:
    before = open_descriptors()
    sessions = set()
    is_container = isinstance(fresh_lab.sandbox, ContainerSandbox)
    for milliseconds in range(0, 400, 100) if is_container else range(20):
        sandbox = type(fresh_lab.sandbox)(fresh_lab.server.socket_dir).start()
        if isinstance(sandbox, ZygoteSandbox):
            assert sandbox._process is not None
            sessions.add(sandbox._process.pid)
        time.sleep(milliseconds / 1000)
        folder = sandbox._directory if isinstance(sandbox, ContainerSandbox) else None
        sandbox.close()
        assert folder is None or not (folder.exists() or containers_of(folder))
    assert come_true(lambda: not sessions & {session_of(pid) for pid in psutil.pids()})
    assert are_closed_again(before, fresh_lab.sandbox)


def session_of(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError):
        return os.getsid(pid)
    return 0


def test_a_closed_cell_ends_all_that_runs_in_it(lab: Laboratory) -> None:
    one = lab.submit(
        "import os, time\n"
        "def f(session):\n"
        "    for _ in range(3):\n"
        "        if os.fork() == 0:\n"
        "            os.setsid()\n"
        "            if os.fork() == 0: os.setsid()\n"
        "            time.sleep(600)\n"
    )
    assert lab.sandbox._ahead is not None
    lab.sandbox._ahead[1].wait_ready()  # the next cell is made meanwhile, and would be counted
    before = {process.pid for process in processes_of(lab.sandbox)}
    assert one.call("f") == Answer(None)

    def made_since() -> set[int]:
        return {process.pid for process in processes_of(lab.sandbox)} - before

    assert come_true(lambda: len(made_since()) == 6)
    made = made_since()
    one.close()
    assert are_gone(made)


def test_between_two_checks_every_process_is_ended(submit: Submit, lab: Laboratory) -> None:
    """Also those that left their process group and whose parents have ended."""
    one = submit(
        "import os, time\n"
        "def f(session):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() > 0: os._exit(0)\n"
        "        open('alive', 'w').write(str(os.getpid()))\n"
        "        time.sleep(600)\n"
        "    while not os.path.exists('alive'): time.sleep(0.001)\n"
    )
    assert lab.sandbox._ahead is not None
    lab.sandbox._ahead[1].wait_ready()  # the next cell is made meanwhile, and would be counted
    before = {process.pid for process in processes_of(lab.sandbox)}
    assert one.call("f") == Answer(None)
    # Below what was there: a cell that is made meanwhile has processes of its own.
    made = {
        process.pid
        for process in processes_of(lab.sandbox)
        if process.pid not in before and before & {parent.pid for parent in process.parents()}
    }
    one.runner.close()
    one.cell.reset()
    assert made
    assert are_gone(made)
    one.runner = one.cell.runner()


def test_a_reset_tells_how_runners_ended(submit: Submit) -> None:
    one = submit("import os\ndef f(session): os._exit(7)")
    one.call("f")
    assert one.cell.reset() == [7]
    assert one.cell.reset() == []


def test_a_zygote_that_was_killed_is_replaced(fresh_lab: Laboratory) -> None:
    one = fresh_lab.submit(WHERE)
    one.close()
    if isinstance(fresh_lab.sandbox, ContainerSandbox):  # the one of the closed cell goes away
        directory = fresh_lab.sandbox._directory
        assert directory is not None
        assert come_true(lambda: len(containers_of(directory)) == 1)
    before = open_descriptors()
    zygote = zygote_of(fresh_lab)
    below = processes_of(fresh_lab.sandbox) if fresh_lab.sandbox.name == "bubblewrap" else []
    zygote.kill()
    assert are_gone([zygote.pid, *(process.pid for process in below)])
    again = fresh_lab.submit(WHERE)
    assert again.value("where")[0] > 0
    again.close()
    assert are_closed_again(before, fresh_lab.sandbox)


def test_a_cell_whose_sandbox_was_killed_is_an_error_that_says_so(fresh_lab: Laboratory) -> None:
    one = fresh_lab.submit("import time\ndef f(session): time.sleep(600)")
    processes = processes_of(fresh_lab.sandbox)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    assert are_gone([process.pid for process in processes])
    assert one.call("f") == Ended(Reason.KILLED, "The process ended before it answered.")
    with pytest.raises(SandboxError, match=r"the cell (ended|is gone): it ended"):
        one.cell.reset()
    before = open_descriptors()
    with pytest.raises(SandboxError, match=r"the cell (ended|is gone)"):
        one.cell.runner()
    assert open_descriptors() == before
    one.close()


def test_a_cell_that_does_not_answer_is_given_up(
    fresh_lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "CONTROL_SECONDS", 1.0)
    one = fresh_lab.submit("")
    ahead = fresh_lab.sandbox._ahead
    assert ahead is not None
    ahead[1].wait_ready()
    before = open_descriptors()
    processes = processes_of(fresh_lab.sandbox)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()
    with pytest.raises(SandboxError, match="the cell does not answer"):
        one.cell.runner()
    with pytest.raises(SandboxError, match="the cell does not answer"):
        one.cell.reset()
    made_ahead = fresh_lab.sandbox.cell()
    with pytest.raises(SandboxError, match="the cell does not answer"):
        made_ahead.runner()
    made_ahead.close()
    if isinstance(fresh_lab.sandbox, ZygoteSandbox):  # another container is not concerned
        with pytest.raises(SandboxError, match="the cell does not answer"):
            fresh_lab.sandbox.cell()
    assert are_closed_again(before, fresh_lab.sandbox)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()
    one.close()


@pytest.mark.skipif(sys.platform != "linux", reason="parents' deaths are told by Linux alone")
def test_a_runner_does_not_outlive_its_cell(fresh_lab: Laboratory) -> None:
    one = fresh_lab.submit("import time\ndef f(session): time.sleep(600)")
    runner = next(p for p in reversed(processes_of(fresh_lab.sandbox)) if leads_session(p))
    parent = runner.parent()
    assert parent is not None
    parent.kill()
    assert are_gone([runner.pid])
    one.close()


JUDGE = """
import json, sys, time
from pathlib import Path
from grader.sandbox import open_sandbox
from pglab.databases import Database
from pglab.roles import Role
from tests.grader.laboratory import Laboratory, processes_of

class Server:
    socket_dir, port = Path(sys.argv[2]), int(sys.argv[3])

sandbox = open_sandbox(sys.argv[1], socket_dir=Server.socket_dir, own_work=True)
role, database = Role(sys.argv[4], sys.argv[5]), Database(sys.argv[6], "", lambda name: None)
one = Laboratory(Server(), sandbox, role, database).submit('''
import os, time
def f(session):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    return os.getcwd()
''')
folder = one.value("f")
if sandbox._ahead is not None:
    sandbox._ahead[1].wait_ready()  # the next cell is made meanwhile
pids = [process.pid for process in processes_of(sandbox)]
print(json.dumps([pids, folder, str(getattr(sandbox, "_directory", ""))]), flush=True)
one.call("f", seconds=600) if sys.argv[7] == "busy" else time.sleep(600)
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_nothing_outlives_a_judge_that_was_killed(lab: Laboratory, state: str, root: Path) -> None:
    arguments = [
        lab.sandbox.name,
        str(lab.server.socket_dir),
        str(lab.server.port),
        lab.role.name,
        lab.role.password,
        lab.database.name,
        state,
    ]
    judge = subprocess.Popen(
        [sys.executable, "-c", JUDGE, *arguments], stdout=subprocess.PIPE, text=True, cwd=root
    )
    assert judge.stdout is not None
    pids, folder, directory = json.loads(judge.stdout.readline())
    assert len(pids) >= 4
    judge.send_signal(signal.SIGKILL)
    judge.wait()
    judge.stdout.close()
    assert are_gone(pids)
    if not lab.sandbox.isolated:
        assert come_true(lambda: not Path(folder).exists())
    if isinstance(lab.sandbox, ContainerSandbox):
        assert come_true(lambda: not containers_of(Path(directory)))
        ContainerSandbox(lab.server.socket_dir).start().close()  # which sweeps
        assert not Path(directory).exists()


def test_a_worker_that_cannot_start_says_why(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    before = open_descriptors()
    with (
        ProcessSandbox(server.socket_dir).start() as sandbox,
        pytest.raises(SandboxError, match="process did not start: no such library"),
    ):
        sandbox.cell()
    assert open_descriptors() == before


def test_a_program_that_is_not_there_says_so(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    before = open_descriptors()
    with pytest.raises(SandboxError, match="process could not be started: No such file"):
        ProcessSandbox(server.socket_dir).start()
    assert open_descriptors() == before


def test_a_system_without_fork_is_told_what_to_do(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fork")
    monkeypatch.setattr(sys, "platform", "win32")
    for choice in ("auto", "process"):
        with pytest.raises(SandboxError, match="on Windows, inside WSL"):
            open_sandbox(choice, socket_dir=server.socket_dir, own_work=True)


def test_there_is_no_sandbox_by_another_name(server: Server) -> None:
    with pytest.raises(SandboxError, match=r"no sandbox called 'jail'. Choose auto, bubblewrap"):
        open_sandbox("jail", socket_dir=server.socket_dir, own_work=True)


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    monkeypatch.setattr(bubblewrap, "_why_it_does_not_work", lambda: "bubblewrap is missing.")


@pytest.mark.usefixtures("without_bubblewrap")
def test_ones_own_work_may_run_in_a_process(server: Server) -> None:
    with open_sandbox("auto", socket_dir=server.socket_dir, own_work=True) as sandbox:
        assert sandbox.name == "process"


@pytest.mark.container
def test_other_peoples_code_may_run_in_containers(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "_why_it_does_not_work", lambda: "bubblewrap is missing.")
    with open_sandbox("auto", socket_dir=server.socket_dir, own_work=False) as sandbox:
        assert sandbox.name == "container"
        sandbox.cell().close()


@pytest.mark.usefixtures("without_bubblewrap")
def test_a_container_needs_an_engine(server: Server) -> None:
    with pytest.raises(SandboxError, match=r"The container engine is not running\. Start it\."):
        open_sandbox("container", socket_dir=server.socket_dir, own_work=False)


@pytest.mark.container
def test_a_container_that_cannot_start_says_why(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/false")
    with (
        ContainerSandbox(server.socket_dir).start() as ends,
        pytest.raises(SandboxError, match="container did not start: it ended without a word"),
    ):
        ends.wait_ready()
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    with (
        ContainerSandbox(server.socket_dir).start() as missing,
        pytest.raises(SandboxError, match=r"the container engine refuses the sandbox: .*nonex"),
    ):
        missing.cell()


@pytest.mark.usefixtures("without_bubblewrap")
@pytest.mark.parametrize("choice", ["auto", "bubblewrap"])
def test_other_peoples_code_needs_a_real_sandbox(server: Server, choice: str) -> None:
    with pytest.raises(SandboxError, match=r"bubblewrap is missing\.") as told:
        open_sandbox(choice, socket_dir=server.socket_dir, own_work=False)
    assert choice == "bubblewrap" or "ask for --sandbox process" in str(told.value)


@pytest.mark.usefixtures("without_bubblewrap")
def test_a_process_serves_for_other_peoples_code_where_it_is_asked_for(server: Server) -> None:
    with open_sandbox("process", socket_dir=server.socket_dir, own_work=False) as sandbox:
        assert sandbox.name == "process"


def test_bubblewrap_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.setattr(
        bubblewrap, "_why_it_does_not_work", bubblewrap._why_it_does_not_work.__wrapped__
    )
    monkeypatch.setattr(bubblewrap, "_bwrap", lambda: None)
    with pytest.raises(SandboxError, match=r"bubblewrap \(bwrap\) is not installed"):
        BubblewrapSandbox(server.socket_dir).start()


def test_bubblewrap_that_may_not_make_namespaces_is_told_in_its_words(
    monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path
) -> None:
    refusing = tmp_path / "bwrap"
    refusing.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    refusing.chmod(0o755)
    monkeypatch.setattr(
        bubblewrap, "_why_it_does_not_work", bubblewrap._why_it_does_not_work.__wrapped__
    )
    monkeypatch.setattr(bubblewrap, "_bwrap", lambda: str(refusing))
    with pytest.raises(SandboxError, match="No permissions to create new namespace"):
        BubblewrapSandbox(server.socket_dir).start()
