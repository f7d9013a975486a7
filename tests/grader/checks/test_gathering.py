"""A gate opens when nothing moves any more, and not when some time is over."""

from __future__ import annotations

import time

import pytest

from grader.checks.gathering import gather


def waited(
    pending: int, sessions: tuple[int, int], *, works: bool, seconds: float, held: float = 60
) -> float:
    """How many seconds such a submission is waited for."""
    start = time.monotonic()

    def spent() -> float:
        return time.monotonic() - start if works else 7

    gather(lambda: pending, lambda: sessions, spent, seconds=seconds, held=held)
    return time.monotonic() - start


def test_nobody_is_waited_for_who_has_been_answered_or_waits() -> None:
    assert waited(0, (0, 0), works=True, seconds=60) < 30
    assert waited(2, (2, 0), works=True, seconds=60) < 30


def test_who_stands_behind_another_is_given_up_when_nothing_moves() -> None:
    assert 0.5 <= waited(2, (1, 0), works=False, seconds=60) < 30


@pytest.mark.parametrize(
    ("sessions", "works"), [((1, 0), True), ((1, 1), False), ((0, 0), False), ((0, 1), True)]
)
def test_whoever_works_is_waited_for_until_the_end(sessions: tuple[int, int], works: bool) -> None:
    assert waited(2, sessions, works=works, seconds=1) >= 1


def test_nobody_is_kept_waiting_longer_than_the_server_allows() -> None:
    assert 0.2 <= waited(2, (1, 1), works=True, seconds=60, held=0.2) < 30
    assert waited(2, (0, 1), works=True, seconds=0.5, held=0.2) >= 0.5
