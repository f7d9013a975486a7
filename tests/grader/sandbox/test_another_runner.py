"""A cell runs several processes of a submission, and can end one of them alone."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from grader.results import Reason
from grader.sandbox import Answer, Ended, Runner
from tests.grader.laboratory import Laboratory, Submission

Submit = Callable[..., Submission]
WHO = "import os\ndef who(session): return os.getpid()\n"


def call(lab: Laboratory, runner: Runner, source: str = WHO) -> object:
    """Call ``who`` in a further runner."""
    lab.connect(runner)
    request = {
        "op": "drive",
        "source": f"{source}\ndef driver(session, module): return who(session)",
        "function": "driver",
        "args": [],
        "kwargs": {"$": "dict", "v": []},
        "commit": False,
    }
    return runner.ask(request, 60)


def test_one_runner_can_be_ended_and_the_others_go_on(submit: Submit, lab: Laboratory) -> None:
    one = submit(WHO)
    first = one.value("who")
    other = one.cell.runner()
    second = call(lab, other)
    assert isinstance(second, Answer)
    assert second.value != first
    one.cell.end(other)
    assert one.value("who") == first
    third = one.cell.runner()
    assert isinstance(call(lab, third), Answer)
    third.close()
    assert one.cell.reset() != []


def test_an_ended_runner_has_ended_with_what_it_started(submit: Submit, lab: Laboratory) -> None:
    one = submit(WHO)
    ours, theirs = socket.socketpair()
    other = one.cell.runner(theirs.fileno())
    theirs.close()
    forks = "import os, time\ndef who(session):\n    return os.fork() or time.sleep(600)"
    assert isinstance(call(lab, other, forks), Answer)
    one.cell.end(other)
    other.close()  # twice does no harm
    ours.settimeout(60)
    assert ours.recv(1) == b""  # nobody has the other end any more
    ours.close()
    assert one.value("who") > 0


def test_a_runner_that_was_begun_and_ended_is_told_as_killed(
    submit: Submit, lab: Laboratory
) -> None:
    one = submit(WHO + "def wait(session):\n    import time; time.sleep(60)")
    request = {"op": "call", "function": "wait", "args": [], "kwargs": {"$": "dict", "v": []}}
    one.runner.begin({**request, "commit": False})
    assert not one.runner.has_answered()
    one.cell.reset()
    outcome = one.runner.finish(60)
    assert isinstance(outcome, Ended)
    assert outcome.reason is Reason.KILLED


@pytest.mark.parametrize("number", [0, 1, 2])
def test_descriptors_are_left_open_under_the_names_that_are_told(
    submit: Submit, lab: Laboratory, number: int
) -> None:
    one = submit(WHO)
    pairs = [socket.socketpair() for _ in range(number)]
    runner = one.cell.runner(*(theirs.fileno() for _, theirs in pairs))
    assert len(runner.descriptors) == number
    writes = "".join(
        f"    os.write({descriptor}, b'hello {descriptor}')\n" for descriptor in runner.descriptors
    )
    call(lab, runner, f"import os\ndef who(session):\n    pass\n{writes}")
    for (ours, theirs), descriptor in zip(pairs, runner.descriptors, strict=True):
        assert ours.recv(100) == f"hello {descriptor}".encode()
        ours.close()
        theirs.close()
    runner.close()


def test_the_processor_time_that_a_runner_uses_is_told(submit: Submit) -> None:
    source = """
import time

def burn(session):
    end = time.process_time() + 0.2
    while time.process_time() < end: pass

def rest(session):
    time.sleep(0.2)
"""
    one = submit(source)
    other = one.cell.runner()
    before = one.cell.processor_seconds(one.runner)
    one.value("rest")
    rested = one.cell.processor_seconds(one.runner)
    one.value("burn")
    assert 0 < before <= rested < before + 0.1
    assert one.cell.processor_seconds(one.runner) >= rested + 0.2
    assert one.cell.processor_seconds(other) < before + 0.2
    one.cell.end(other)
    assert one.cell.processor_seconds(other) == 0
