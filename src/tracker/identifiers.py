"""Identifiers that sort by the moment they were made and that nobody can guess.

A UUID of version 7 starts with 48 bits of milliseconds since 1970, so new rows land at the
right-hand end of the primary key's B-tree, as they would with a sequence. Its last 62 bits are
random, so knowing one identifier does not tell a stranger the next one, as it would with a
sequence.

Source: RFC 9562, sections 5.7 and 6.2 (method 3: a finer clock in place of the leftmost random
    bits).
"""

import secrets
import time
import uuid

_NANOSECONDS_PER_MILLISECOND = 1_000_000


def uuid7() -> uuid.UUID:
    """Make a new time-ordered, random identifier for this moment."""
    return uuid7_from(time.time_ns(), secrets.randbits(62))


def uuid7_from(nanoseconds: int, random_bits: int) -> uuid.UUID:
    """Make the identifier that belongs to a given moment and given random bits.

    Arguments:
        nanoseconds: time since 1970-01-01 UTC, as ``time.time_ns()`` gives it.
        random_bits: 62 random bits; higher bits are ignored.

    Returns:
        A UUID of version 7. The same arguments always give the same identifier, which is what
        makes demo data the same on every machine.
    """
    milliseconds, remainder = divmod(nanoseconds, _NANOSECONDS_PER_MILLISECOND)
    fraction = remainder * 4096 // _NANOSECONDS_PER_MILLISECOND  # 12 bits below the millisecond
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76  # version
    value |= fraction << 64
    value |= 0b10 << 62  # variant
    value |= random_bits & (1 << 62) - 1
    return uuid.UUID(int=value)
