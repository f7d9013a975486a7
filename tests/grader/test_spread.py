"""Work is spread over processes so that each item is done once, whichever processes die when."""

from __future__ import annotations

import types
from collections import deque
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grader.spread import OneDeskOneProcess

_TOO_LONG = 10_000


class Process:
    """A process as pytest-xdist has it: it begins an item when it knows the next, or the end."""

    def __init__(self, items: list[str]) -> None:
        self.items = items
        self.queue: deque[int | None] = deque()
        self.shutting_down = False
        self.gateway = types.SimpleNamespace(id="gw")

    def send_runtest_some(self, indices: list[int]) -> None:
        self.queue.extend(indices)

    def shutdown(self) -> None:
        self.queue.append(None)
        self.shutting_down = True

    @property
    def can_begin(self) -> bool:
        return len(self.queue) > 1 and self.queue[0] is not None

    @property
    def is_over(self) -> bool:
        return bool(self.queue) and self.queue[0] is None


@given(
    units=st.lists(st.integers(1, 3), min_size=1, max_size=8),
    processes=st.integers(2, 4),
    choices=st.lists(st.integers(0, 11), max_size=60),
    deadly=st.sets(st.integers(0, 23), max_size=4),
)
def test_every_item_is_done_once_but_those_that_kill_their_process(
    units: list[int], processes: int, choices: list[int], deadly: set[int]
) -> None:
    items = [f"plan::{unit}::e::{n}" for unit, size in enumerate(units) for n in range(size)]
    kills = {items[number] for number in deadly if number < len(items)}
    config: Any = types.SimpleNamespace(
        option=types.SimpleNamespace(loadscopereorder=False),
        getvalue=lambda name: ["popen"] * processes,
        hook=None,
    )
    scheduler = OneDeskOneProcess(config)
    alive: list[Any] = [Process(items) for _ in range(processes)]
    coming: deque[Any] = deque()
    for process in alive:
        scheduler.add_node(process)
    for process in alive:
        scheduler.add_node_collection(process, items)
    scheduler.schedule()
    done: list[str] = []
    lost: list[str] = []
    chosen = iter(choices)
    for _ in range(_TOO_LONG):
        able = [("work", p) for p in alive if p.can_begin]
        able += [("end", p) for p in alive if p.is_over] + [("come", p) for p in coming]
        if not able:
            break
        what, process = able[next(chosen, 0) % len(able)]
        if what == "come":
            coming.remove(process)
            alive.append(process)
            scheduler.add_node(process)
            scheduler.add_node_collection(process, items)
            scheduler.schedule()
        elif what == "end":
            alive.remove(process)
            if process in scheduler.nodes:
                assert scheduler.remove_node(process) is None
        elif items[process.queue[0]] in kills:
            alive.remove(process)
            lost.append(scheduler.remove_node(process))
            coming.append(Process(items))
        else:
            number = process.queue.popleft()
            done.append(items[number])
            scheduler.mark_test_complete(process, number)
    assert not alive
    assert sorted(done + lost) == items
    assert set(lost) == kills
    for unit in range(len(units)):
        of_unit = [item for item in done + lost if item.startswith(f"plan::{unit}::")]
        assert len(of_unit) == units[unit]
