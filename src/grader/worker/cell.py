"""A cell: everything that one submission runs in, made by forking the zygote.

With ``isolated`` the cell is the init process of namespaces of its own (user, pid, mount, network,
IPC), with fresh file systems over every place that could be written to and no ``/proc``. It runs no
student code itself: it forks a runner per check, and between checks kills whatever is left and
replaces the file systems. When its control socket closes it exits, and the kernel ends every
process of the cell with it. With ``contained`` too it is the init process of a container: the same,
but it may mount nothing, and empties the file systems that the container has.

Without ``isolated`` (the process sandbox) a runner is only a process group of its own.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.worker import control, emptying, given, runner
from grader.worker.groupmemory import GroupMemory
from grader.worker.limits import Limits

HOME = "/student"
_INSIDE_ID = 1000
_DYING_SECONDS = 1.0
"""How long a runner that has hung up may take to end."""


def fork(*, isolated: bool) -> int:
    """Like `os.fork`, with ``isolated`` into namespaces of the child's own.

    Raises:
        OSError: there can be no further process, or no such namespaces.
    """
    if not isolated:
        return os.fork()
    from grader.worker import namespaces as ns

    return ns.fork_into(
        ns.CLONE_NEWUSER
        | ns.CLONE_NEWPID
        | ns.CLONE_NEWNS
        | ns.CLONE_NEWNET
        | ns.CLONE_NEWIPC
        | ns.CLONE_NEWUTS
    )


def start(
    channel: socket.socket,
    limits: Limits,
    *,
    isolated: bool,
    contained: bool = False,
    user: int = 0,
    group: int = 0,
    scratch: Sequence[str] = (),
) -> None:
    """Become the cell, in a process that `fork` has made, and serve until the judge hangs up.

    Args:
        channel: to the judge.
        limits: of the submission.
        isolated: whether nothing but the cell is to be seen: it has namespaces of its own.
        contained: with ``isolated``: they are a container's, whose first process it is.
        user: with ``isolated``, who it is outside.
        group: likewise.
        scratch: with ``isolated``, the directories that are fresh for every check; `HOME` is one.
    """
    if not isolated:
        if sys.platform == "linux":
            from grader.worker import namespaces

            namespaces.adopt_orphans()
        _Cell(channel, limits, isolated=False, mounts=False, scratch=()).serve()
        return
    from grader.worker import namespaces as ns

    if contained:
        ns.set_dumpable(False)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _Cell(channel, limits, isolated=True, mounts=False, scratch=scratch).serve()
        return
    ns.set_dumpable(True)  # which makes the files its own that say who is who
    ns.map_user(_INSIDE_ID, user, group)
    # Inside the user namespace, where only the cell's own processes count: what one submission
    # starts must not keep another from starting anything.
    _apply(resource.RLIMIT_NPROC, limits.processes)
    ns.set_dumpable(False)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ns.hide("/proc")
    _Cell(channel, limits, isolated=True, mounts=True, scratch=scratch).serve()


class _Cell:
    def __init__(
        self,
        channel: socket.socket,
        limits: Limits,
        *,
        isolated: bool,
        mounts: bool,
        scratch: Sequence[str],
    ) -> None:
        self._channel = channel
        self._scratch = scratch
        self._limits = limits
        self._isolated = isolated
        self._mounts = mounts
        self._memory = GroupMemory()
        self._runners: set[int] = set()
        self._exits: dict[int, int] = {}
        self._home = HOME
        self._fresh = False

    def serve(self) -> None:
        """Obey the judge until it hangs up, however it ends, and leave nothing behind."""
        try:
            self._reset()
            control.send(self._channel, {"ready": True, "cell": os.getpid()})
            while (received := control.receive(self._channel)) is not None:
                request, descriptors = received
                control.send(self._channel, self._obey(request, descriptors))
        except ConnectionError:
            pass  # the judge has gone while it was being answered
        finally:
            self._kill()
            if not self._isolated:
                shutil.rmtree(self._home, ignore_errors=True)

    def _obey(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        if request["op"] == "run":
            pid = self._run(*descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            return {"pid": pid, "descriptors": descriptors[2:]}
        if request["op"] == "end":
            self._end(request["pid"])
            return {}
        if request["op"] == "preload":
            self._fresh = False
            given.preload(Path(self._home), request["files"])
            return {}
        if request["op"] == "spent":
            return {"processor_seconds": _spent(request["pid"])}
        if request["op"] == "why":
            seconds = self._processor_seconds(request["pid"])
            return {
                "processor_seconds": seconds,
                "exit": self._exits.get(request["pid"], 0),
                "killed_for_memory": self._memory.has_killed_again(),
            }
        self._reset()
        exits = {str(pid): code for pid, code in self._exits.items()}
        self._exits.clear()
        return {"exits": exits}

    def _end(self, pid: int) -> None:
        """Kill one runner with its group, and no other process."""
        if pid not in self._runners:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        self._runners.discard(pid)

    def _processor_seconds(self, pid: int) -> float:
        """What a runner used that has hung up, once it has ended; 0 for one that still runs."""
        deadline = time.monotonic() + _DYING_SECONDS
        while pid in self._runners and time.monotonic() < deadline:
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                self._exits[pid] = os.waitstatus_to_exitcode(status)
                return usage.ru_utime + usage.ru_stime
            time.sleep(0.002)
        return 0.0

    def _run(self, channel: int, output: int, *_left_open: int) -> int:
        self._fresh = False
        pid = os.fork()
        if pid > 0:
            self._runners.add(pid)
            return pid
        try:
            self._channel.close()
            self._become_runner(output)
            runner.serve(channel, Path(self._home), self._limits)
        except BaseException:  # the last frame of a forked child: nothing may unwind into the cell
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
            os._exit(0)

    def _become_runner(self, output: int) -> None:
        os.setsid()
        devnull = os.open(os.devnull, os.O_RDONLY)
        os.dup2(devnull, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(devnull)
        os.close(output)
        os.chdir(self._home)
        limits = self._limits
        _apply(resource.RLIMIT_CORE, 0)
        _apply(resource.RLIMIT_AS, limits.address_space_bytes)
        _apply(resource.RLIMIT_FSIZE, limits.file_bytes)
        _apply(resource.RLIMIT_NOFILE, limits.open_files)
        _apply(resource.RLIMIT_CPU, limits.cpu_seconds)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._isolated:
            from grader.worker import namespaces, seccomp

            namespaces.drop_capabilities()
            namespaces.set_dumpable(True)
            seccomp.restrict()
        elif sys.platform == "linux":
            from grader.worker import namespaces

            namespaces.die_with_parent(signal.SIGKILL)

    def _reset(self) -> None:
        """End every process that is left and give the next runner empty file systems."""
        self._kill()
        if self._fresh:
            return
        if self._mounts:
            from grader.worker import namespaces as ns

            for place in self._scratch:
                with contextlib.suppress(OSError):
                    ns.unmount(place)
                ns.mount_tmpfs(
                    place,
                    size_bytes=self._limits.disk_bytes,
                    inodes=self._limits.disk_files,
                    mode="0700",
                )
        elif self._isolated:
            for place in self._scratch:
                emptying.empty(place)
            self._memory.has_killed_again()  # what was killed just now says nothing of what comes
        else:
            self._home = _empty_again(self._home) or tempfile.mkdtemp(prefix="kit-student-")
        self._fresh = True

    def _kill(self) -> None:
        if self._isolated:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        else:
            for pid in self._runners:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:
                for orphan in self._orphans():
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(orphan, signal.SIGKILL)
                pid, status = os.waitpid(-1, 0)
                if pid in self._runners:
                    self._exits[pid] = os.waitstatus_to_exitcode(status)
        self._runners.clear()

    def _orphans(self) -> list[int]:
        """Processes that left their runner's group and outlived it (Linux); elsewhere none."""
        if self._isolated or sys.platform != "linux":
            return []
        me = os.getpid()
        try:
            return [int(pid) for pid in Path(f"/proc/{me}/task/{me}/children").read_text().split()]
        except OSError:  # a kernel built without CONFIG_PROC_CHILDREN
            return []


def _spent(pid: int) -> float:
    """Processor time that a process has used so far, in seconds; 0 where that is not told.

    Source: ``CPUCLOCK_SCHED`` of ``include/linux/posix-timers.h``; clock_getcpuclockid(3).
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:  # it has ended, or this is not Linux
        return 0.0


def _empty_again(home: str) -> str | None:
    """A cell's own directory under the same name, for the modules that were imported from there;
    None where there is none yet, or it cannot be had again.
    """
    if home == HOME:
        return None
    shutil.rmtree(home, ignore_errors=True)
    try:
        os.mkdir(home, 0o700)
    except OSError:
        return None
    return home


def _apply(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    # The hard limit of processor time kills; the soft one before it says what for.
    highest = value + 1 if limit == resource.RLIMIT_CPU else value
    if hard != resource.RLIM_INFINITY:
        value, highest = min(value, hard), min(highest, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses some of them
        resource.setrlimit(limit, (value, highest))
