"""The protocol between judge and worker: length-prefixed JSON frames of plain, tagged values.

The judge trusts nothing that comes over the wire. `decode` re-creates every value from text by a
fixed list of tags, so an object with a clever ``__eq__`` can only arrive as what its sender wrote:
text. There is no pickle, no ``eval`` and no import of a name that the other side chose. Frames are
bounded in bytes, values in depth, numbers in digits.

Standard library only: the worker imports this module inside the sandbox.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import math
import struct
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

MAX_FRAME_BYTES = 8 * 1024 * 1024
"""The largest frame that either side accepts, in bytes."""
MAX_DEPTH = 24
"""How deeply values may be nested."""
HEADER = struct.Struct(">I")

_TAG = "$"
_MAX_DIGITS = 4_000
_TOO_LONG = f"a number of more than {_MAX_DIGITS:,} digits cannot be sent"
_MAX_COLLISIONS = 64
"""How many keys of one set or dict may have the same hash."""


class WireError(Exception):
    """What came over the wire is not a frame, or not a value, of this protocol."""


class FrameBuffer:
    """Collects bytes as they arrive and gives back whole frames.

    Raises `WireError` as soon as a header announces more than `MAX_FRAME_BYTES`, before anything is
    stored.
    """

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._bytes = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._bytes += chunk
        self._announced()

    def next(self) -> dict[str, Any] | None:
        """The next whole message, or None where more bytes are needed."""
        length = self._announced()
        if length is None or len(self._bytes) < HEADER.size + length:
            return None
        body = bytes(self._bytes[HEADER.size : HEADER.size + length])
        del self._bytes[: HEADER.size + length]
        return parse(body)

    @property
    def is_empty(self) -> bool:
        return not self._bytes

    def _announced(self) -> int | None:
        if len(self._bytes) < HEADER.size:
            return None
        (length,) = HEADER.unpack_from(self._bytes)
        if length > self._limit:
            msg = f"a frame of {length} bytes was announced; the limit is {self._limit}"
            raise WireError(msg)
        return int(length)


def frame(message: Mapping[str, Any], limit: int = MAX_FRAME_BYTES) -> bytes:
    """The bytes of one message.

    Raises:
        WireError: the message is larger than ``limit`` bytes, or holds something that is not plain
            JSON.
    """
    try:
        body = json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"not a plain message: {error}"
        raise WireError(msg) from error
    if len(body) > limit:
        msg = f"a message of {len(body):,} bytes; the limit is {limit:,}"
        raise WireError(msg)
    return HEADER.pack(len(body)) + body


def parse(body: bytes) -> dict[str, Any]:
    """The message that a frame's body holds: always a JSON object."""
    try:
        message = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        msg = f"not JSON: {type(error).__name__}"
        raise WireError(msg) from error
    if not isinstance(message, dict):
        msg = f"a message must be an object, not {type(message).__name__}"
        raise WireError(msg)
    return message


def encode(value: Any, fallback: Callable[[Any], Any] | None = None, _depth: int = 0) -> Any:
    """A value as tagged plain JSON.

    Args:
        value: None, bool, int, float, str, bytes, Decimal, UUID, the types of `datetime`, list,
            tuple, set, frozenset or dict, nested at most `MAX_DEPTH` deep. A tuple arrives as a
            list and a frozenset as a set, except in a set or as a key.
        fallback: turns a value of any other type into one of these.

    Raises:
        WireError: no such type and no fallback, or nested too deeply.
    """
    if _depth > MAX_DEPTH:
        msg = f"nested more than {MAX_DEPTH} levels deep"
        raise WireError(msg)
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind in _SCALARS:
        return _SCALARS[kind](value)
    if kind in (list, tuple):
        return [encode(item, fallback, _depth + 1) for item in value]
    if kind in (set, frozenset):
        return {_TAG: "set", "v": [encode(item, fallback, _depth + 1) for item in value]}
    if kind is dict:
        pairs = [
            [encode(k, fallback, _depth + 1), encode(v, fallback, _depth + 1)]
            for k, v in value.items()
        ]
        return {_TAG: "dict", "v": pairs}
    if fallback is None:
        msg = f"a value of type {kind.__name__} cannot be sent"
        raise WireError(msg)
    return encode(fallback(value), fallback, _depth + 1)


def decode(plain: Any, _depth: int = 0) -> Any:
    """The value that `encode` turned into plain JSON; the exact built-in types only.

    Raises:
        WireError: an unknown tag, a malformed value, or nesting that is too deep.
    """
    if _depth > MAX_DEPTH:
        msg = f"nested more than {MAX_DEPTH} levels deep"
        raise WireError(msg)
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    if isinstance(plain, list):
        return [decode(item, _depth + 1) for item in plain]
    if not isinstance(plain, dict) or plain.keys() != {_TAG, "v"}:
        raise WireError("an object without a tag")
    tag, inner = plain[_TAG], plain["v"]
    try:
        if tag == "dict":
            pairs = [(_as_key(decode(k, _depth + 1)), decode(v, _depth + 1)) for k, v in inner]
            _refuse_collisions(key for key, _ in pairs)
            return dict(pairs)
        if tag == "set":
            items = [_as_key(decode(item, _depth + 1)) for item in inner]
            _refuse_collisions(items)
            return set(items)
        if isinstance(tag, str) and tag in _RESTORE and isinstance(inner, str):
            return _RESTORE[tag](inner)
    except (ValueError, TypeError, InvalidOperation, OverflowError, binascii.Error) as error:
        msg = f"a malformed {tag}: {type(error).__name__}"
        raise WireError(msg) from error
    msg = f"an unknown tag {str(tag)[:40]!r}"
    raise WireError(msg)


def _as_key(value: Any) -> Any:
    """A value in the form that can be hashed."""
    if type(value) is list:
        return tuple(map(_as_key, value))
    return frozenset(value) if type(value) is set else value


def _refuse_collisions(keys: Iterable[Any]) -> None:
    """Numbers can be chosen so that all have one hash; with many, each look-up takes seconds."""
    most = Counter(map(hash, keys)).most_common(1)
    if most and most[0][1] > _MAX_COLLISIONS:
        raise WireError("the hashes of too many keys collide")


def _refuse_constant(name: str) -> None:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


def _encode_int(value: int) -> Any:
    if value.bit_length() > 53:
        if value.bit_length() > _MAX_DIGITS * 3:
            raise WireError(_TOO_LONG)
        return {_TAG: "int", "v": str(value)}
    return value


def _encode_decimal(value: Decimal) -> Any:
    if _is_too_long(value):
        raise WireError(_TOO_LONG)
    return {_TAG: "decimal", "v": str(value)}


def _is_too_long(value: Decimal) -> bool:
    """Whether the number, written out, has too many digits; an exponent says that in few bytes."""
    digits, exponent = value.as_tuple()[1:]
    return len(digits) > _MAX_DIGITS or (isinstance(exponent, int) and abs(exponent) > _MAX_DIGITS)


def _encode_float(value: float) -> Any:
    return value if math.isfinite(value) else {_TAG: "float", "v": repr(value)}


def _encode_timedelta(value: dt.timedelta) -> Any:
    return {_TAG: "timedelta", "v": f"{value.days} {value.seconds} {value.microseconds}"}


def _restore_timedelta(text: str) -> dt.timedelta:
    days, seconds, microseconds = (int(part) for part in text.split(" "))
    return dt.timedelta(days, seconds, microseconds)


def _restore_int(text: str) -> int:
    if len(text) > _MAX_DIGITS + 1:
        raise ValueError("too many digits")
    return int(text)


def _restore_float(text: str) -> float:
    if text not in {"nan", "inf", "-inf"}:
        raise ValueError(text)
    return float(text)


def _restore_decimal(text: str) -> Decimal:
    value = Decimal(text)
    if _is_too_long(value) or value.is_snan():
        raise ValueError("too many digits, or a signal")
    return value


def _tagged(tag: str, text: Callable[[Any], str]) -> Callable[[Any], Any]:
    return lambda value: {_TAG: tag, "v": text(value)}


_SCALARS: dict[type, Callable[[Any], Any]] = {
    int: _encode_int,
    float: _encode_float,
    Decimal: _encode_decimal,
    uuid.UUID: _tagged("uuid", str),
    bytes: _tagged("bytes", lambda value: base64.b64encode(value).decode()),
    dt.datetime: _tagged("datetime", dt.datetime.isoformat),
    dt.date: _tagged("date", dt.date.isoformat),
    dt.time: _tagged("time", dt.time.isoformat),
    dt.timedelta: _encode_timedelta,
}

_RESTORE: dict[str, Callable[[str], Any]] = {
    "int": _restore_int,
    "float": _restore_float,
    "decimal": _restore_decimal,
    "uuid": uuid.UUID,
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": _restore_timedelta,
}
