"""The filter of system calls, run as the kernel runs it."""

from __future__ import annotations

import platform
import struct

import pytest

from grader.worker import seccomp


def run_filter(machine: seccomp._Machine, number: int, first: int = 0, audit: int = 0) -> int:
    """What the kernel would answer to a system call: the filter, run step by step."""
    data = struct.pack("<IIQ6Q", number, audit or machine.audit, 0, first, 0, 0, 0, 0, 0)
    steps = list(struct.iter_unpack("=HBBI", seccomp._filter(machine)))
    at, loaded = 0, 0
    while True:
        code, then, otherwise, value = steps[at]
        at += 1
        if code == 0x06:
            return int(value)
        if code == 0x20:
            (loaded,) = struct.unpack_from("<I", data, value)
            continue
        holds = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}[code]
        at += then if holds else otherwise


@pytest.mark.parametrize("name", ["x86_64", "aarch64"])
def test_the_filter_refuses_what_it_should_and_nothing_else(name: str) -> None:
    machine = seccomp._MACHINES[name]
    allow, refuse, missing, family = 0x7FFF0000, 0x00050001, 0x00050026, 0x00050061
    assert {run_filter(machine, number) for number in machine.denied} == {refuse}
    assert run_filter(machine, machine.clone3) == missing
    assert run_filter(machine, machine.clone, first=0x10000000 | 17) == refuse
    assert run_filter(machine, machine.clone, first=0x01200011) == allow
    assert run_filter(machine, 1, audit=0x40000003) == refuse
    assert run_filter(machine, machine.socket, first=1) == allow
    assert {run_filter(machine, machine.socket, first=n) for n in (0, *range(2, 50))} == {family}
    known = {*machine.denied, machine.clone3, machine.socket}
    assert {run_filter(machine, n) for n in range(600) if n not in known} == {allow}
    if machine.other_calls_from:
        assert run_filter(machine, machine.other_calls_from + 1) == refuse


def test_the_filter_knows_this_machine() -> None:
    assert platform.machine() in seccomp._MACHINES or platform.system() != "Linux"
