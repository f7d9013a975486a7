"""The journal of what a learner did: a file that only grows, whole lines only."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.journal import (
    Attempt,
    CannotRecord,
    Check,
    Event,
    Finished,
    Hint,
    Journal,
    Prediction,
)

words = st.text(min_size=1, max_size=20)
shared = {
    "course": words,
    "at": st.datetimes(timezones=st.just(UTC)),
    "id": st.uuids(),
}
checks = st.builds(
    Check,
    name=words,
    title=words,
    points=st.floats(0, 100),
    earned=st.floats(0, 100),
    outcome=st.sampled_from(["passed", "failed", "error"]),
    misconception=st.none() | words,
    question=words | st.just(""),
)
events = st.one_of(
    st.builds(
        Attempt,
        **shared,
        exercise=words,
        title=words,
        checks=st.lists(checks, max_size=3).map(tuple),
        seed=st.integers(0, 2**31),
        kit_version=words,
        work_sha256=words,
    ),
    st.builds(
        Hint, **shared, exercise=words, title=words, misconception=words, rung=st.integers(1, 3)
    ),
    st.builds(
        Prediction,
        **shared,
        question=words,
        kind=st.sampled_from(["choice", "number", "text"]),
        answer=words,
        confidence=st.none() | st.integers(0, 100),
        is_correct=st.none() | st.booleans(),
    ),
    st.builds(Finished, **shared, notebook=words),
)


def hint(rung: int = 1) -> Hint:
    return Hint(course="Course", exercise="04_repository", title="T", misconception="m", rung=rung)


@given(st.lists(st.lists(events, min_size=1, max_size=4), max_size=4))
def test_what_is_added_is_read_in_that_order(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Event]]
) -> None:
    journal = Journal(tmp_path_factory.mktemp("home"))
    assert journal.read() == []
    for batch in batches:
        journal.add(*batch)
    assert journal.read() == [event for batch in batches for event in batch]


def test_a_line_that_was_cut_short_is_passed_over_and_what_comes_next_is_whole(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path)
    journal.add(hint(1))
    whole = journal.path.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 1):
        journal.path.write_bytes(whole + whole[:cut])
        assert [event.rung for event in journal.of(Hint)] == [1]
        journal.add(hint(2))
        # A cut that took nothing but the end of the line left a whole event.
        between = [1] if cut == len(whole) - 1 else []
        assert [event.rung for event in journal.of(Hint)] == [1, *between, 2]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"\x00\x00\x00",
        b"\xff\xfe",
        b'{"type": "hint"}',
        b'{"type": "dance", "v": 1}',
        json.dumps({"v": 2, "type": "finished", "notebook": "05", "course": "C"}).encode(),
        json.dumps({"v": 1, "type": "finished", "id": 1, "at": "yesterday"}).encode(),
    ],
)
def test_a_line_that_tells_nothing_known_hides_no_other(tmp_path: Path, line: bytes) -> None:
    journal = Journal(tmp_path)
    journal.add(hint(1))
    with journal.path.open("ab") as file:
        file.write(line + b"\n")
    journal.add(hint(2))
    assert [event.rung for event in journal.of(Hint)] == [1, 2]


WRITER = """
import sys
from pathlib import Path
from kit.journal import Finished, Journal
journal = Journal(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    journal.add(Finished(course="C" * 3000, notebook=f"{sys.argv[3]}-{number}"))
"""


def writer(home: Path, count: int, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(home), str(count), name])


def test_of_several_processes_that_write_at_once_no_line_is_lost_or_mixed(tmp_path: Path) -> None:
    processes = [writer(tmp_path, 100, name) for name in "abc"]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    told = [event.notebook for event in Journal(tmp_path).of(Finished)]
    assert len(told) == 300
    for name in "abc":
        assert [one for one in told if one[0] == name] == [f"{name}-{n}" for n in range(100)]


def test_a_writer_that_is_killed_leaves_whole_events_and_no_lock(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    process = writer(tmp_path, 1_000_000, "a")
    deadline = time.monotonic() + 60
    while len(journal.read()) < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    before = list(journal.of(Finished))
    assert [event.notebook for event in before] == [f"a-{n}" for n in range(len(before))]
    journal.add(hint())
    assert len(list(journal.of(Hint))) == 1


def test_where_the_disk_is_full_nothing_is_left_of_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.add(hint(1))
    whole, write = journal.path.read_bytes(), os.write
    room = [30]

    def full(descriptor: int, data: memoryview) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(descriptor, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CannotRecord, match="No space left"):
        journal.add(hint(2), hint(3))
    monkeypatch.undo()
    assert journal.path.read_bytes() == whole


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(hint())
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_a_folder_in_the_journals_place_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.path.mkdir()
    with pytest.raises(CannotRecord, match=r"journal\.jsonl"):
        journal.add(hint())
    with pytest.raises(CannotRecord, match=r"journal\.jsonl"):
        journal.read()


def test_events_are_of_now_and_have_identifiers_that_sort() -> None:
    first, second = hint(), hint()
    assert datetime.now(UTC) - first.at < timedelta(minutes=1)
    assert isinstance(first.id, UUID)
    assert first.id < second.id
    assert dataclasses.replace(first, rung=2).id == first.id
