"""Takes system calls away from student code that reach past what namespaces and limits bound.

Memory that no process maps (``memfd_create``, System V shared memory, file systems mounted in user
namespaces of one's own) is bounded by nothing else, and some interfaces of the kernel (``bpf``,
``io_uring``, ``userfaultfd``, keys) serve no exercise. A message queue would outlive its check, and
so would limits that a process sets for its cell: each sets its own. Of sockets only those of Unix
are left: not every other family (``AF_VSOCK``, ``AF_ALG``) knows of network namespaces.

Sources: seccomp(2), syscall(2), ``linux/filter.h``, ``linux/seccomp.h``; numbers from the kernel's
``syscall_64.tbl`` and ``asm-generic/unistd.h``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
from dataclasses import dataclass

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_CLONE_NEWUSER = 0x10000000
_MYSELF = 0
"""A process's name for itself."""

_LOAD = 0x20
_IF_EQUAL = 0x15
_IF_GREATER_OR_EQUAL = 0x35
_IF_ANY_BIT = 0x45
_RETURN = 0x06
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_AT_NUMBER, _AT_MACHINE, _AT_FIRST_ARGUMENT = 0, 4, 16


@dataclass(frozen=True)
class _Machine:
    audit: int
    clone: int
    clone3: int
    socket: int
    prlimit64: int
    denied: tuple[int, ...]
    """memfd_create, memfd_secret, shmget, semget, msgget, mq_open, unshare, setns, add_key,
    request_key, keyctl, bpf, perf_event_open, userfaultfd, io_uring_setup, ptrace,
    process_vm_readv, process_vm_writev"""
    other_calls_from: int | None = None
    """Where the numbers of a second calling convention begin."""


_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        56,
        435,
        41,
        302,
        (319, 447, 29, 64, 68, 240, 272, 308, 248, 249, 250, 321, 298, 323, 425, 101, 310, 311),
        other_calls_from=0x40000000,
    ),
    "aarch64": _Machine(
        0xC00000B7,
        220,
        435,
        198,
        261,
        (279, 447, 194, 190, 186, 180, 97, 268, 217, 218, 219, 280, 241, 282, 425, 117, 270, 271),
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def restrict() -> None:
    """Apply the filter to this process and all that it starts; it cannot be taken off again.

    Needs ``PR_SET_NO_NEW_PRIVS``. On a machine whose numbers are not known nothing is filtered.

    Raises:
        OSError: the kernel has no filters.
    """
    if _PROGRAM is None:
        return
    mode = ctypes.c_ulong(_MODE_FILTER)
    if _libc.prctl(_PR_SET_SECCOMP, mode, ctypes.byref(_PROGRAM), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl(PR_SET_SECCOMP): {os.strerror(number)}")


def _program() -> _Program | None:
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return None
    instructions = _filter(machine)
    return _Program(len(instructions) // 8, instructions)


def _filter(machine: _Machine) -> bytes:
    """The program: each instruction is a code, how far to jump if it holds and if not, a value."""
    allow, deny = _step(_RETURN, _ALLOW), _step(_RETURN, _ERRNO | errno.EPERM)
    steps = [
        _step(_LOAD, _AT_MACHINE),
        _step(_IF_EQUAL, machine.audit, then=1),
        deny,
        _step(_LOAD, _AT_NUMBER),
    ]
    if machine.other_calls_from is not None:
        steps += [_step(_IF_GREATER_OR_EQUAL, machine.other_calls_from, otherwise=1), deny]
    for number in machine.denied:
        steps += [_step(_IF_EQUAL, number, otherwise=1), deny]
    # Its flags cannot be looked at; where it is missing, the C library uses clone instead.
    steps += [_step(_IF_EQUAL, machine.clone3, otherwise=1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    steps += [
        _step(_IF_EQUAL, machine.prlimit64, otherwise=4),
        _step(_LOAD, _AT_FIRST_ARGUMENT),
        _step(_IF_EQUAL, _MYSELF, otherwise=1),
        allow,
        deny,
        _step(_IF_EQUAL, machine.socket, otherwise=4),
        _step(_LOAD, _AT_FIRST_ARGUMENT),
        _step(_IF_EQUAL, socket.AF_UNIX, otherwise=1),
        allow,
        _step(_RETURN, _ERRNO | errno.EAFNOSUPPORT),
        _step(_IF_EQUAL, machine.clone, then=1),
        allow,
        _step(_LOAD, _AT_FIRST_ARGUMENT),
        _step(_IF_ANY_BIT, _CLONE_NEWUSER, otherwise=1),
        deny,
        allow,
    ]
    return b"".join(steps)


def _step(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)


_PROGRAM = _program()
"""The filter for this machine: a zygote makes it for all its runners."""
