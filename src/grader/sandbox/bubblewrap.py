"""The bubblewrap sandbox: Linux namespaces, a read-only system, no network, and PostgreSQL's socket
as the only door.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import signal
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.sandbox.base import WORKER, Sandbox

_SOCKET_DIR = "/run/postgresql"
_HOME = "/student"
# S108 warns of names in a shared /tmp that others can guess: in the sandbox /tmp is nobody else's.
_WRITABLE = (_HOME, "/tmp", "/dev/shm")  # noqa: S108
_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/alternatives")
# Far above the identifiers that people and services have, so that no file or process is shared with
# any of them.
_FIRST_USER = 1_800_000_000
_USERS = 100_000_000


class BubblewrapSandbox(Sandbox):
    """A zygote inside bubblewrap; each cell then takes further namespaces of its own.

    Started as root, the zygote first becomes a user that nobody else is.
    """

    name = "bubblewrap"
    isolated = True

    @property
    def socket_dir_inside(self) -> str:
        return _SOCKET_DIR

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
        user = _FIRST_USER + secrets.randbelow(_USERS) if os.geteuid() == 0 else None
        return {"isolated": True, "user": user, "scratch": _scratch(list(_readable()))}

    def _command(self, worker: Sequence[str], control: int) -> list[str]:
        command = [_bwrap() or "bwrap", "--die-with-parent", *_namespaces()]
        command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", _HOME]  # noqa: S108
        readable = list(_readable())
        scratch = _scratch(readable)
        command += _parents([*readable, Path(_SOCKET_DIR)])
        for path in readable:
            command += _bind(path)
        command += ["--ro-bind", str(self._socket_dir), _SOCKET_DIR]
        command += ["--remount-ro", "/dev", "--remount-ro", "/"]
        if "/tmp" not in scratch:  # noqa: S108
            command += ["--remount-ro", "/tmp", "--setenv", "TMPDIR", _HOME]  # noqa: S108
        command += ["--setenv", "HOME", _HOME, "--chdir", "/", "--hostname", "sandbox"]
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


def _readable() -> Iterator[Path]:
    """What student code may read: the system's libraries, this Python, its packages, and the
    worker.
    """
    yield from (Path(p) for p in _SYSTEM if os.path.lexists(p))
    seen: list[Path] = []
    places = [sys.base_prefix, sys.prefix, *site.getsitepackages(), sysconfig.get_path("stdlib")]
    for place in map(Path, places):
        if place.exists() and not any(place.is_relative_to(p) for p in [*seen, Path("/usr")]):
            seen.append(place)
            yield place
    package = WORKER.parent
    if not any(package.is_relative_to(p) for p in seen):
        yield from (package / "__init__.py", package / "wire.py", WORKER)


def _scratch(readable: Sequence[Path]) -> list[str]:
    """Where each cell gets a fresh file system: not over a place that holds something to read, as
    the temporary directory does for a course that was cloned into it.
    """
    return [p for p in _WRITABLE if not any(path.is_relative_to(p) for path in readable)]


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
