"""What differs between two runs has the same name in both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.results import Failure, Reason
from grader.steady import steady

NOW = datetime.now(UTC)
ZONES = [UTC, timezone(timedelta(hours=5, minutes=30)), ZoneInfo("Europe/Berlin"), None]


def test_ids_are_numbered_in_the_order_in_which_they_appear() -> None:
    first, second = uuid4(), uuid4()
    said = (f"{second}", f"{first!r} and {str(second).upper()}")
    assert steady(said, {}) == ("<uuid 1>", "UUID('<uuid 2>') and <uuid 1>")


def test_times_are_numbered_in_the_order_of_time() -> None:
    later = NOW + timedelta(milliseconds=7)
    failure = Failure(Reason.ASSERTION, f"{later!r}", expected=f"{NOW!r}", actual=f"at {later}")
    told = steady(failure, {})
    assert (told.message, told.expected, told.actual) == ("<time 2>", "<time 1>", "at <time 2>")


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_is_known_in_every_shape(zone: ZoneInfo | None) -> None:
    when = NOW.astimezone(zone) if zone else NOW.replace(tzinfo=None)
    for shape in (repr(when), when.isoformat(), str(when), str(when.replace(microsecond=0))):
        assert steady(f"[{shape}]", {}) == "[<time 1>]"
    assert steady(f"{NOW:%Y-%m-%d %H:%M:%S}+00, x", {}) == "<time 1>, x"
    assert steady(f"{NOW:%Y-%m-%dT%H:%M:%S}Z", {}) == "<time 1>"


def test_times_that_no_clock_gave_stay() -> None:
    text = "2024-02-29 10:00:00+00, datetime.datetime(2024, 2, 29, 10, 0), 2026-99-99 00:00:00"
    assert steady(text, {}) == text


def test_roles_databases_and_folders_have_plain_names() -> None:
    names = {"kit1_r12": "student", "kit1_r1": "judge"}
    text = 'role kit1_r12, not kit1_r1, in "/tmp/kit-student-ab_3/repository.py"'
    assert steady(text, names) == 'role student, not judge, in "repository.py"'


def test_places_in_memory_are_numbered_in_the_order_in_which_they_appear() -> None:
    one, other = object(), object()
    said = (f"{other!r}, {one!r}", f"<function f at {hex(id(other)).upper().replace('X', 'x')}>")
    assert steady(said, {}) == (
        "<object object at <address 1>>, <object object at <address 2>>",
        "<function f at <address 1>>",
    )
    assert steady("0x7f09c7879790 at 0x1f", {}) == "0x7f09c7879790 at 0x1f"


@given(st.text())
def test_any_other_text_stays(text: str) -> None:
    if not any(character.isdigit() for character in text):
        assert steady((text,), {}) == (text,)
    steady(text, {})
