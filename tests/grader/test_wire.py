"""What crosses the wire arrives as the plain value that was sent, or not at all."""

from __future__ import annotations

import datetime as dt
import json
import sys
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader.wire import HEADER, MAX_DEPTH, FrameBuffer, WireError, decode, encode, frame, parse

EXACT = (
    *(type(None), bool, int, float, str, bytes, Decimal, uuid.UUID),
    *(dt.datetime, dt.date, dt.time, dt.timedelta),
)
# Whole seconds, as PostgreSQL has them: time.fromisoformat loses an offset below one.
OFFSETS = st.one_of(
    st.none(),
    st.integers(-23 * 3600, 23 * 3600).map(lambda s: dt.timezone(dt.timedelta(seconds=s))),
)
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.decimals(),
    st.uuids(),
    st.datetimes(timezones=OFFSETS),
    st.dates(),
    st.times(timezones=OFFSETS),
    st.timedeltas(),
).filter(lambda atom: not (isinstance(atom, Decimal) and atom.is_snan()))
HASHABLE = st.recursive(
    ATOMS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=6
)
VALUES = st.recursive(
    ATOMS | st.sets(HASHABLE, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(HASHABLE, inner, max_size=4)
    ),
    max_leaves=15,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["$", "v", "x"]), inner, max_size=3)
        | st.builds(
            lambda tag, value: {"$": tag, "v": value},
            st.sampled_from(["dict", "set", "int", "float", "decimal", "bytes", "uuid", "time"]),
            inner,
        )
    ),
    max_leaves=20,
)


def shape(value: Any, *, as_key: bool = False) -> Any:
    """Type and content of a value in a form that can be compared, whatever it is.

    A tuple arrives as a list and a frozen set as a set, except where only they can stand: among the
    members of a set and the keys of a dictionary.
    """
    if isinstance(value, list | tuple):
        name = "tuple" if as_key else "list"
        return [name, *(shape(item, as_key=as_key) for item in value)]
    if isinstance(value, set | frozenset):
        items = sorted((shape(item, as_key=True) for item in value), key=repr)
        return ["frozenset" if as_key else "set", *items]
    if isinstance(value, dict):
        pairs = [[shape(k, as_key=True), shape(v)] for k, v in value.items()]
        return ["dict", *sorted(pairs, key=lambda pair: repr(pair[0]))]
    if isinstance(value, dt.datetime | dt.time):
        return [type(value).__name__, value.isoformat(), repr(value.utcoffset())]
    return [type(value).__name__, repr(value)]


def types_in(value: Any) -> set[type]:
    if isinstance(value, dict):
        inside = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inside = list(value)
    else:
        inside = []
    return {type(value)}.union(*map(types_in, inside))


def received(value: Any) -> Any:
    """A value after its way over the wire."""
    buffer = FrameBuffer()
    buffer.feed(frame({"value": encode(value)}))
    message = buffer.next()
    assert message is not None
    return decode(message["value"])


@settings(deadline=None)
@given(VALUES)
@example({(1, 2): "a key of two columns"})
@example({frozenset({1}), frozenset({2})})
@example("\ud800 alone")
@example(float("nan"))
@example(Decimal("-0.00"))
def test_every_value_arrives_as_it_was_sent(value: Any) -> None:
    assert shape(received(value)) == shape(value)


@settings(deadline=None)
@given(VALUES)
def test_only_exact_built_in_types_arrive(value: Any) -> None:
    assert types_in(received(value)) <= {*EXACT, list, set, dict, tuple, frozenset}


@settings(deadline=None)
@given(JSON)
def test_whatever_the_other_side_writes_is_a_plain_value_or_refused(plain: Any) -> None:
    try:
        value = decode(plain)
    except WireError:
        return
    assert types_in(value) <= {*EXACT, list, set, dict, tuple, frozenset}


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_arbitrary_bytes_are_frames_or_refused(chunks: list[bytes]) -> None:
    buffer = FrameBuffer()
    try:
        for chunk in chunks:
            buffer.feed(chunk)
            while buffer.next() is not None:
                pass
    except WireError:
        assert b"".join(chunks)


@settings(deadline=None)
@given(st.binary() | JSON.map(json.dumps).map(str.encode))
def test_a_body_is_an_object_or_refused(body: bytes) -> None:
    try:
        message = parse(body)
    except WireError:
        return
    assert type(message) is dict


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nul",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xff"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    ],
    ids=["empty", "list", "word", "nan", "infinity", "latin-1", "digits", "deep"],
)
def test_a_body_that_is_no_plain_object_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        parse(body)


def test_a_frame_may_be_cut_at_every_byte() -> None:
    messages = [{"id": "1", "value": encode(["ä", 2, {"k": None}])}, {"id": "2", "value": None}]
    stream = b"".join(map(frame, messages))
    for cut in range(len(stream) + 1):
        buffer = FrameBuffer()
        found = []
        for part in (stream[:cut], stream[cut:]):
            buffer.feed(part)
            while (message := buffer.next()) is not None:
                found.append(message)
        assert found == messages
        assert buffer.is_empty


def test_a_frame_may_arrive_byte_by_byte() -> None:
    buffer = FrameBuffer()
    stream = frame({"id": "1"})
    for byte in stream[:-1]:
        buffer.feed(bytes([byte]))
        assert buffer.next() is None
        assert not buffer.is_empty
    buffer.feed(stream[-1:])
    assert buffer.next() == {"id": "1"}
    assert buffer.is_empty


def test_a_frame_that_announces_too_much_is_refused_with_its_header() -> None:
    buffer = FrameBuffer(limit=100)
    with pytest.raises(WireError, match="101 bytes was announced; the limit is 100"):
        buffer.feed(HEADER.pack(101))


def test_a_frame_of_exactly_the_limit_passes_both_ways() -> None:
    stream = frame({"a": "x" * 92}, limit=100)
    assert len(stream) == HEADER.size + 100
    buffer = FrameBuffer(limit=100)
    buffer.feed(stream)
    assert buffer.next() == {"a": "x" * 92}
    with pytest.raises(WireError, match="a message of 101 bytes; the limit is 100"):
        frame({"a": "x" * 93}, limit=100)


def test_the_second_of_two_frames_is_held_to_the_limit_too() -> None:
    buffer = FrameBuffer(limit=100)
    buffer.feed(frame({}) + HEADER.pack(2**32 - 1)[:3])
    assert buffer.next() == {}
    with pytest.raises(WireError):
        buffer.feed(HEADER.pack(2**32 - 1)[3:])


def test_a_message_holds_only_plain_json() -> None:
    for unfit in (object(), float("nan"), {1, 2}, b"bytes"):
        with pytest.raises(WireError, match="not a plain message"):
            frame({"value": unfit})


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_values_are_nested_as_deep_as_the_limit_and_no_deeper() -> None:
    assert received(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    with pytest.raises(WireError, match=f"more than {MAX_DEPTH} levels deep"):
        encode(nested(MAX_DEPTH + 1))
    with pytest.raises(WireError, match=f"more than {MAX_DEPTH} levels deep"):
        decode(nested(MAX_DEPTH + 1))


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(WireError, match="levels deep"):
        encode(endless)


@pytest.mark.parametrize("number", [10**3000, -(10**3000), Decimal(10) ** 3000, Decimal("1e-3000")])
def test_long_numbers_arrive_whole(number: int | Decimal) -> None:
    assert received(number) == number


@pytest.mark.parametrize(
    "number",
    [
        10**5000,
        -(10**5000),
        Decimal("1" * 5000),
        Decimal("1e5000"),
        Decimal("1e-5000"),
        Decimal("1e999999999"),
    ],
    ids=["int", "negative", "digits", "large", "small", "enormous"],
)
def test_a_number_that_is_too_long_is_refused_where_it_is_sent(number: int | Decimal) -> None:
    with pytest.raises(WireError, match=r"4,000 digits"):
        encode(number)


@pytest.mark.parametrize("text", ["1e999999999", "-1E+5000", "1e-5000", "9" * 5000, "sNaN", "x"])
def test_a_decimal_that_would_fill_the_memory_is_refused_where_it_arrives(text: str) -> None:
    with pytest.raises(WireError, match="malformed decimal"):
        decode({"$": "decimal", "v": text})


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"$": "int"},
        {"v": 1},
        {"$": "int", "v": "1", "x": 1},
        {"$": "object", "v": "1"},
        {"$": ["dict"], "v": []},
        {"$": None, "v": None},
        {"$": "int", "v": 1},
        {"$": "int", "v": "one"},
        {"$": "int", "v": "9" * 4002},
        {"$": "float", "v": "1.5"},
        {"$": "uuid", "v": "1234"},
        {"$": "bytes", "v": "a"},
        {"$": "datetime", "v": "yesterday"},
        {"$": "date", "v": "2026-02-30"},
        {"$": "time", "v": "25:00"},
        {"$": "timedelta", "v": "1 2"},
        {"$": "timedelta", "v": f"{10**20} 0 0"},
        {"$": "dict", "v": 5},
        {"$": "dict", "v": [[1, 2, 3]]},
        {"$": "dict", "v": [[{"$": "dict", "v": []}, 1]]},
        {"$": "set", "v": [{"$": "dict", "v": []}]},
        {"$": "set", "v": None},
    ],
    ids=lambda plain: json.dumps(plain)[:40],
)
def test_a_malformed_value_is_refused(plain: Any) -> None:
    with pytest.raises(WireError):
        decode(plain)


@pytest.mark.parametrize("tag", ["set", "dict"])
def test_keys_chosen_so_that_their_hashes_collide_are_refused(tag: str) -> None:
    """Hundreds of thousands fit into a frame; a set of so many would take the judge minutes."""
    prime = 2**61 - 1  # the modulus of the hashes of numbers
    colliding = [{"$": "int", "v": str(i * prime)} for i in range(2000)]
    inner = colliding if tag == "set" else [[key, 1] for key in colliding]
    with pytest.raises(WireError, match="collide"):
        decode({"$": tag, "v": inner})


def test_many_keys_arrive() -> None:
    many = {i: {float(i), str(i)} for i in range(5000)}
    assert received(many) == many


class Sly(str):
    """Equal to everything, for whoever believes it."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


def test_a_subclass_of_a_plain_type_is_no_plain_type() -> None:
    with pytest.raises(WireError, match="a value of type Sly cannot be sent"):
        encode(Sly("x"))
    with pytest.raises(WireError, match="a value of type Sly cannot be sent"):
        encode({Sly("x"): 1})


def test_what_has_no_plain_form_goes_through_the_fallback() -> None:
    assert decode(encode([Sly("x"), object()], lambda value: type(value).__name__)) == [
        "Sly",
        "object",
    ]


def test_a_fallback_that_never_comes_to_an_end_is_stopped() -> None:
    with pytest.raises(WireError, match="levels deep"):
        encode(object(), lambda value: value)


def test_the_wire_needs_the_standard_library_alone(run_python: Any) -> None:
    answer = run_python(
        "import sys; before = set(sys.modules); import grader.wire; "
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    assert answer.returncode == 0, answer.stderr
    assert set(answer.stdout.split()) <= {*sys.stdlib_module_names, "grader"}
