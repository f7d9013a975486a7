"""The few Linux system calls that a cell is made of, which Python 3.11 does not offer.

Sources: clone(2), mount(2), umount2(2), prctl(2), capset(2), user_namespaces(7).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from pathlib import Path
from signal import SIGCHLD

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MNT_DETACH = 2

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_LAST_CAPABILITY = 40
_CAPABILITY_VERSION_3 = 0x20080522

_SYS_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220}

_libc = ctypes.CDLL(None, use_errno=True)
_holding = ctypes.PyDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def fork_into(flags: int) -> int:
    """Like `os.fork`, with the child in new namespaces; of pid namespaces it is the first process.

    In a process with one thread only.

    Raises:
        OSError: the kernel makes no such namespaces for this user.
    """
    number = _SYS_CLONE.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"clone: its number on {platform.machine()} is not known")
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    # Holding the interpreter's lock, so that the child has it.
    pid: int = _holding.syscall(*map(ctypes.c_long, (number, flags | SIGCHLD, 0, 0, 0, 0)))
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    problem = ctypes.get_errno()
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(problem, f"clone: {os.strerror(problem)}")
    return pid


def map_user(inside: int, user: int, group: int) -> None:
    """In a new user namespace: make the outer ``user`` and ``group`` known as ``inside``."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{inside} {group} 1")


def mount_tmpfs(target: str, *, size_bytes: int, inodes: int, mode: str) -> None:
    """A fresh, bounded, empty file system over ``target``."""
    _mount_tmpfs(target, f"size={size_bytes},nr_inodes={inodes},mode={mode}", 0)


def hide(target: str) -> None:
    """Show nothing at ``target``, where nothing can be put either."""
    _mount_tmpfs(target, "size=4096,nr_inodes=2,mode=0555", MS_RDONLY)


def _mount_tmpfs(target: str, options: str, more: int) -> None:
    flags = ctypes.c_ulong(MS_NOSUID | MS_NODEV | more)
    _call("mount", b"tmpfs", target.encode(), b"tmpfs", flags, options.encode())


def unmount(target: str) -> None:
    """Take the topmost file system off ``target`` at once, whoever still uses it."""
    _call("umount2", target.encode(), ctypes.c_int(MNT_DETACH))


def set_dumpable(dumpable: bool) -> None:
    """Whether other processes of the same user may trace this one or open its ``/proc`` files."""
    _call("prctl", _PR_SET_DUMPABLE, ctypes.c_ulong(dumpable), 0, 0, 0)


def die_with_parent(signal: int) -> None:
    """Have ``signal`` sent to this process when the thread that started it ends."""
    _call("prctl", _PR_SET_PDEATHSIG, ctypes.c_ulong(signal), 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none is out of reach."""
    _call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up every capability in this user namespace for good, bounding set included."""
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in range(_LAST_CAPABILITY + 1):
        _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0)
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _call("capset", header, struct.pack("6I", *[0] * 6))
