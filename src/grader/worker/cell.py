"""A cell: everything that one submission runs in, made by forking the zygote.

With ``isolated`` the cell is the init process of namespaces of its own (user, pid, mount, network,
IPC), with fresh file systems over every place that could be written to and no ``/proc``. It runs no
student code itself: it forks a runner per check, and between checks kills whatever is left and
replaces the file systems. When its control socket closes it exits, and the kernel ends every
process of the cell with it.

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
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.worker import control, runner
from grader.worker.limits import Limits

HOME = "/student"
_INSIDE_ID = 1000


def start(
    channel: socket.socket, limits: Limits, *, isolated: bool, scratch: Sequence[str] = ()
) -> None:
    """Become the cell, in a fork of the zygote, and serve until the judge hangs up.

    Args:
        channel: to the judge.
        limits: of the submission.
        isolated: whether to take namespaces of its own.
        scratch: with ``isolated``, the directories that get fresh file systems; `HOME` is one.
    """
    if not isolated:
        if sys.platform == "linux":
            from grader.worker import namespaces

            namespaces.adopt_orphans()
        _Cell(channel, limits, isolated=False, scratch=()).serve()
        return
    from grader.worker import namespaces as ns

    user, group = os.getuid(), os.getgid()
    ns.set_dumpable(True)
    ns.unshare(
        ns.CLONE_NEWUSER
        | ns.CLONE_NEWPID
        | ns.CLONE_NEWNS
        | ns.CLONE_NEWNET
        | ns.CLONE_NEWIPC
        | ns.CLONE_NEWUTS
    )
    ns.map_user(_INSIDE_ID, user, group)
    # Inside the user namespace, where only the cell's own processes count: what one submission
    # starts must not keep another from starting anything.
    _apply(resource.RLIMIT_NPROC, limits.processes)
    if os.fork() > 0:
        os._exit(0)
    ns.set_dumpable(False)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ns.mount_tmpfs("/proc", size_bytes=4096, inodes=2, mode="0555")
    _Cell(channel, limits, isolated=True, scratch=scratch).serve()


class _Cell:
    def __init__(
        self, channel: socket.socket, limits: Limits, *, isolated: bool, scratch: Sequence[str]
    ) -> None:
        self._channel = channel
        self._scratch = scratch
        self._limits = limits
        self._isolated = isolated
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

    def _run(self, channel: int, output: int, *_left_open: int) -> int:
        self._fresh = False
        pid = os.fork()
        if pid > 0:
            self._runners.add(pid)
            return pid
        try:
            self._channel.close()
            self._become_runner(output)
            runner.serve(channel, Path(self._home))
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
        if self._isolated:
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
        else:
            if self._home != HOME:
                shutil.rmtree(self._home, ignore_errors=True)
            self._home = tempfile.mkdtemp(prefix="kit-student-")
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


def _apply(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses some of them
        resource.setrlimit(limit, (value, value))
