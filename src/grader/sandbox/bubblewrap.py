"""The bubblewrap sandbox: Linux namespaces, a read-only system, no network, and PostgreSQL's socket
as the only door.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.sandbox.places import (
    HOME,
    SOCKET_DIR,
    nobodys_user,
    readable_places,
    scratch_places,
)
from grader.sandbox.zygote import ZygoteSandbox


class BubblewrapSandbox(ZygoteSandbox):
    """A zygote inside bubblewrap; each cell then takes further namespaces of its own.

    Started as root, the zygote first becomes a user that nobody else is.
    """

    name = "bubblewrap"
    isolated = True

    @property
    def socket_dir_inside(self) -> str:
        return SOCKET_DIR

    def start(self) -> BubblewrapSandbox:
        if not sys.platform.startswith("linux"):
            raise SandboxError("bubblewrap is a Linux program.")
        if problem := _why_it_does_not_work():
            raise SandboxError(problem)
        return super().start()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """End bubblewrap with its whole group: killed right after its start and alone, it leaves a
        child that waits for its word for ever.
        """
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def _worker_options(self) -> dict[str, Any]:
        user = nobodys_user() if os.geteuid() == 0 else None
        return {"isolated": True, "user": user, "scratch": scratch_places(list(readable_places()))}

    def _command(self, worker: Sequence[str], control: int) -> list[str]:
        command = [_bwrap() or "bwrap", "--die-with-parent", *_namespaces()]
        command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", HOME]  # noqa: S108
        readable = list(readable_places())
        scratch = scratch_places(readable)
        command += _parents([*readable, Path(SOCKET_DIR)])
        for path in readable:
            command += _bind(path)
        command += ["--ro-bind", str(self._socket_dir), SOCKET_DIR]
        command += ["--remount-ro", "/dev", "--remount-ro", "/"]
        if "/tmp" not in scratch:  # noqa: S108
            command += ["--remount-ro", "/tmp", "--setenv", "TMPDIR", HOME]  # noqa: S108
        command += ["--setenv", "HOME", HOME, "--chdir", "/", "--hostname", "sandbox"]
        return [*command, "--", *worker]


def _bwrap() -> str | None:
    return shutil.which("bwrap")


def _namespaces() -> list[str]:
    shared = [
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]
    if os.geteuid() == 0:
        # Kept only until the zygote has become another user, which takes every capability away.
        return [*shared, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return ["--unshare-user", "--uid", "1000", "--gid", "1000", *shared]


def _parents(paths: Sequence[Path]) -> list[str]:
    """The folders above, made for everyone: those that bubblewrap makes by itself only their owner
    may enter.
    """
    above = {parent for path in paths for parent in path.parents} - {Path("/")}
    inside = {p for p in above if any(p != q and p.is_relative_to(q) for q in paths)}
    return [word for parent in sorted(above - inside) for word in ("--dir", str(parent))]


def _bind(path: Path) -> list[str]:
    """The arguments that show ``path`` inside, read-only; a symbolic link stays one."""
    if path.is_symlink() and path.parent == Path("/"):
        return ["--symlink", os.readlink(path), str(path)]
    return ["--ro-bind", str(path), str(path)]


@functools.cache
def _why_it_does_not_work() -> str:
    """Empty where bubblewrap can make namespaces here, else what to tell people."""
    bwrap = _bwrap()
    if bwrap is None:
        return "bubblewrap (bwrap) is not installed."
    nested = ["unshare", "--user", "--net", "--pid", "--fork", "--mount", "true"]
    command = [bwrap, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", *_namespaces()]
    probe = nested if shutil.which("unshare") and os.geteuid() != 0 else ["true"]
    try:
        done = subprocess.run(
            [*command, "--", *probe], capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap could not be tried: {error}."
    if done.returncode == 0:
        return ""
    words = done.stderr.decode(errors="replace").strip().splitlines()
    reason = words[-1][:200] if words else f"it ended with code {done.returncode}"
    return f"bubblewrap cannot make namespaces on this machine ({reason})."
