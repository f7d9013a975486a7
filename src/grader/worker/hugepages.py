"""Memory in pieces of two megabytes: quicker to share with a forked process, and to give back.

A fork copies an entry for each page that its parent has. The zygote is forked for each submission
and each check, and hardly writes to what it has by then.

Source: MADV_COLLAPSE in madvise(2), since Linux 6.1.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

_BYTES = 2 * 1024 * 1024
_MADV_COLLAPSE = 25


def collapse() -> None:
    """Have what this process allocated in huge pages, as far as the system can and will."""
    if sys.platform != "linux":
        return
    madvise = ctypes.CDLL(None).madvise
    with contextlib.suppress(OSError):
        for start, end in list(_allocated()):
            # It refuses, and leaves everything as it is, where the kernel is older or has no room.
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_COLLAPSE)


def _allocated() -> Iterator[tuple[int, int]]:
    """First and last address of each piece of anonymous memory, in whole huge pages."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, access, _offset, _device, inode, *name = line.split()
        if access != "rw-p" or inode != "0" or (name and name != ["[heap]"]):
            continue
        first, last = (int(address, 16) for address in span.split("-"))
        start, end = -(-first // _BYTES) * _BYTES, last // _BYTES * _BYTES
        if start < end:
            yield start, end
