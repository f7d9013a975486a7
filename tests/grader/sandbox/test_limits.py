"""What a submission uses is bounded, and going over a bound is the submission's own failure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.results import Reason
from grader.sandbox import Answer, Ended, Raised
from tests.grader.laboratory import Laboratory, Submission

Submit = Callable[..., Submission]
MB = 1024 * 1024
OVER = Ended(Reason.LIMIT, "It used more than 400 MB of memory.")


@pytest.mark.parametrize(
    "hoard",
    [
        "hoard.append(bytearray(b'x' * MB))",
        "hoard.append(bytearray(b'x' * MB)); print('.', flush=True)",
        "hoard.append(mmap.mmap(-1, MB)); hoard[-1].write(b'x' * MB)",
        "os.fork(); hoard.append(bytearray(b'x' * 10 * MB))",
        "threading.Thread(target=child).start(); time.sleep(0.01)",
    ],
    ids=["heap", "while it prints", "shared", "children", "children of threads"],
)
def test_memory_is_bounded_for_all_processes_together(submit: Submit, hoard: str) -> None:
    one = submit(
        "import mmap, os, threading, time\n"
        f"MB = {MB}\n"
        "hoard = []\n"
        "def child():\n"
        "    if os.fork() == 0:\n"
        "        kept = bytearray(b'x' * 20 * MB)\n"
        "        time.sleep(60)\n"
        "def f(session):\n"
        f"    while True: {hoard}\n",
        memory_bytes=400 * MB,
    )
    outcome = one.call("f")
    assert outcome == OVER or (isinstance(outcome, Ended) and "fork" in hoard), outcome
    assert one.again() == Answer(None)


def test_memory_of_another_submission_is_not_counted(submit: Submit) -> None:
    code = f"import time\nheld = b'x' * (250 * {MB})\ndef f(session): time.sleep(0.3)\n"
    ones = [submit(code, memory_bytes=400 * MB) for _ in range(3)]
    assert [one.call("f") for one in ones] == [Answer(None)] * 3


def test_an_address_space_that_is_used_up_is_an_exception(submit: Submit) -> None:
    one = submit("def f(session): return len(bytearray(3 * 1024 ** 3))")
    outcome = one.call("f")
    assert getattr(outcome, "type", "") == "MemoryError"


def test_files_are_bounded(submit: Submit) -> None:
    one = submit(
        "def f(session):\n"
        "    import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    with open('large', 'wb') as file:\n"
        "        for _ in range(100): file.write(b'x' * 1024 ** 2)\n",
        file_bytes=4 * MB,
    )
    assert getattr(one.call("f"), "type", "") == "OSError"


def test_open_files_are_bounded(submit: Submit) -> None:
    one = submit(
        "def f(session):\n"
        "    kept = []\n"
        "    try:\n"
        "        while True: kept.append(open('/dev/null'))\n"
        "    except OSError as error: return [len(kept), error.errno]\n",
        open_files=64,
    )
    kept, number = one.value("f")
    assert number == 24  # EMFILE
    assert 40 < kept < 64


def test_processor_time_is_bounded(submit: Submit) -> None:
    one = submit("def f(session):\n    while True: pass", cpu_seconds=1)
    told = "It used more than 1 second of processor time."
    assert one.call("f") == Ended(Reason.LIMIT, told)
    assert one.again() == Answer(None)


def test_ending_by_oneself_is_no_limit(submit: Submit) -> None:
    one = submit("import os\ndef f(session): os.kill(os.getpid(), 9)", cpu_seconds=1)
    assert one.call("f") == Ended(Reason.KILLED, "The process ended before it answered.")


SPENDS = {
    "memory": ("bytearray(3 * 1024 ** 3)", "a process has 1536 MB of memory"),
    "files": ("[open('/dev/null') for _ in range(100)]", "64 files may be open at a time"),
    "file": ("open('x', 'wb').write(b'x' * 5 * 1024 ** 2)", "a file may have 4 MB"),
}


@pytest.mark.parametrize("spends", SPENDS)
def test_an_exception_of_a_limit_names_it(submit: Submit, spends: str) -> None:
    source, words = SPENDS[spends]
    one = submit(f"def f(session): {source}", open_files=64, file_bytes=4 * MB)
    outcome = one.call("f")
    assert isinstance(outcome, Raised)
    assert outcome.message.endswith(f"(a limit of the sandbox: {words})")


def test_an_exception_of_a_limit_of_the_whole_group_names_it(walled: Laboratory) -> None:
    one = walled.submit(
        "import os, threading, time\n"
        "def forks(session):\n"
        "    while True:\n"
        "        if os.fork() == 0: time.sleep(60)\n"
        "def threads(session):\n"
        "    while True: threading.Thread(target=time.sleep, args=[60], daemon=True).start()\n"
        "def fills(session):\n"
        "    for n in range(100): open(str(n), 'wb').write(b'x' * 1024 ** 2)\n",
        processes=12,
        disk_bytes=8 * MB,
        memory_bytes=4096 * MB,
    )
    for function, words in (
        ("forks", "12 processes and threads may run at a time"),
        ("threads", "12 processes and threads may run at a time"),
        ("fills", "its folders hold 8 MB and 4096 files each"),
    ):
        outcome = one.call(function)
        assert isinstance(outcome, Raised), outcome
        assert outcome.message.endswith(f"(a limit of the sandbox: {words})")
        one.again()
    one.close()


FORKS = (
    "import os, time\n"
    "def f(session):\n"
    "    children = 0\n"
    "    try:\n"
    "        while True:\n"
    "            if os.fork() == 0: time.sleep(60)\n"
    "            children += 1\n"
    "    except OSError as error: return [children, error.errno]\n"
)


def test_processes_are_bounded(walled: Laboratory) -> None:
    one = walled.submit(FORKS, processes=12, memory_bytes=4096 * MB)
    children, number = one.value("f")
    assert number == 11  # EAGAIN
    assert 5 < children < 12
    assert one.again() == Answer(None)
    assert one.value("f")[0] > 5
    one.close()


def test_one_submissions_processes_are_not_counted_to_another(walled: Laboratory) -> None:
    ones = [walled.submit(FORKS, processes=12, memory_bytes=4096 * MB) for _ in range(2)]
    (first, _), (second, _) = (one.value("f") for one in ones)
    assert first == second
    for one in ones:
        one.close()


@pytest.mark.parametrize("place", ["/student", "/tmp", "/dev/shm"])
def test_disk_space_is_bounded(walled: Laboratory, place: str) -> None:
    one = walled.submit(
        "import os\n"
        "def fill(session, place):\n"
        "    written = 0\n"
        "    try:\n"
        "        for n in range(100):\n"
        "            with open(f'{place}/{n}', 'wb') as file:\n"
        "                file.write(b'x' * 1024 ** 2)\n"
        "            written += 1\n"
        "    except OSError as error: return [written, error.errno]\n"
        "def scatter(session, place):\n"
        "    made = 0\n"
        "    try:\n"
        "        while True: open(f'{place}/f{made}', 'x').close(); made += 1\n"
        "    except OSError as error: return [made, error.errno]\n",
        disk_bytes=8 * MB,
        disk_files=100,
    )
    written, number = one.value("fill", place)
    assert number == 28  # ENOSPC
    assert 5 <= written <= 8
    one.again()
    made, number = one.value("scatter", place)
    assert number == 28
    assert 80 < made <= 100
    one.close()
