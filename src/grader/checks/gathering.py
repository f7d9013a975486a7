"""Waits until requests that were sent at the same time have come as far as they can.

A request has when it was answered or waits for a lock. One that does neither is waited for as long
as the submission does anything at all: runs a statement, or uses processor time. Where nothing
moves, the request stands behind another one, in a server that takes one at a time. This is told by
what the server and the kernel count, so that a slow machine changes how long it takes, and not what
comes of it. Only a statement that waits for a lock cannot wait for ever: the server ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_LOOK_S = 0.002
_STRETCH_S = 0.05
_STRETCHES = 10
"""So many in a row must be quiet."""
_IDLE_S = 0.002
"""Processor time of a stretch in which an application only ticks: that takes less than half a
millisecond, and the smallest share of a processor that anybody gets who wants one more.
"""


def gather(
    pending: Callable[[], int],
    sessions: Callable[[], tuple[int, int]],
    spent: Callable[[], float],
    *,
    seconds: float,
    held: float,
) -> None:
    """Wait until each request has been answered, waits for a lock, or stands behind one that does.

    Args:
        pending: how many requests have not been answered.
        sessions: how many sessions of the submission wait for a lock, and how many others run a
            statement.
        spent: processor time that the application has used so far, in seconds; where that cannot
            be told, always the same.
        seconds: how long to wait at most; and
        held: for how long of these a session may be kept waiting.
    """
    limit, is_held = time.monotonic() + seconds, False
    quiet, before, moved, end = 0, spent(), False, time.monotonic() + _STRETCH_S
    while (left := pending()) and (now := time.monotonic()) < limit:
        waiting, working = sessions()
        if waiting >= left:
            return
        if waiting and not is_held:
            limit, is_held = min(limit, now + held), True
        moved = moved or not waiting or working > 0
        if now >= end:
            after = spent()
            quiet = 0 if moved or after - before >= _IDLE_S else quiet + 1
            if quiet == _STRETCHES:
                return
            before, moved, end = after, False, time.monotonic() + _STRETCH_S
        time.sleep(_LOOK_S)
