"""Reading statements out of any bytes that may stand in a log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pglab.statements import StatementReader, parse_parameters

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def line(**fields: Any) -> bytes:
    """A line as the server writes it: not ASCII only, no line break inside."""
    entry = {
        "timestamp": "2026-01-31 12:00:00.000 UTC",
        "user": "ada",
        "dbname": "school",
        "session_id": "1.1",
        "ps": "idle",
        "error_severity": "LOG",
        "message": "statement: SELECT 1",
        "backend_type": "client backend",
    } | fields
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def quoted(value: str | None) -> str:
    """A parameter as the server writes it in a detail."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def detail(values: list[str | None]) -> str:
    return ", ".join(f"${number} = {quoted(v)}" for number, v in enumerate(values, start=1))


@given(
    st.lists(st.one_of(st.none(), texts), max_size=8), st.sampled_from(["Parameters", "parameters"])
)
@example(["', $2 = 'x", None, "'"], "Parameters")
def test_parameters_come_back_as_they_were(values: list[str | None], head: str) -> None:
    assert parse_parameters(f"{head}: {detail(values)}") == tuple(values)


@given(texts)
def test_a_detail_that_is_not_about_parameters_has_none(text: str) -> None:
    assert parse_parameters("prepare: " + text) == ()


@pytest.mark.parametrize("quote", ["$1 = '", "$1 = 'x', $2 = '"])
def test_a_detail_that_was_cut_is_read_in_linear_time(quote: str) -> None:
    # With a pattern that goes back at each quote this would take days.
    assert len(parse_parameters("Parameters: " + quote * 200_000)) <= 2


@given(st.lists(texts, max_size=12), st.data())
def test_however_the_bytes_are_cut_the_statements_are_the_same(
    sent: list[str], data: st.DataObject
) -> None:
    log = b"".join(line(message=f"statement: {text}") for text in sent)
    cuts = data.draw(st.lists(st.integers(0, len(log)), max_size=20).map(sorted))
    reader = StatementReader(role="ada")
    for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True):
        reader.feed(log[start:end])
    assert [statement.text for statement in reader.finish()] == sent


@given(st.lists(st.one_of(st.binary(max_size=80), texts.map(str.encode)), max_size=10))
@example([b'{"user":"ada","backend_type":"client backend","error_severity":"LOG","message":null}'])
@example([b'{"user":"ada","backend_type":"client backend","error_severity":"ERROR"}'])
@example([b'["user":"ada"]', b"[]", b"null", b'{"user":"\xff"}', b"[" * 100_000])
def test_lines_that_are_not_about_statements_are_passed_over(noise: list[bytes]) -> None:
    reader = StatementReader()
    for each in noise:
        reader.feed(each.replace(b"\n", b"") + b"\n")
        reader.feed(line())
    assert [statement.text for statement in reader.finish()] == ["SELECT 1"] * len(noise)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            key: st.one_of(st.none(), st.booleans(), st.integers(), texts, st.lists(st.none()))
            for key in ("user", "dbname", "session_id", "ps", "detail", "statement", "context")
        }
        | {"message": st.one_of(st.none(), st.integers(), texts, texts.map("execute x: {}".format))}
        | {"error_severity": st.sampled_from(["LOG", "ERROR", "FATAL", "WARNING", "PANIC"])},
    )
)
def test_no_shape_of_a_line_breaks_the_reader(fields: dict[str, Any]) -> None:
    reader = StatementReader()
    reader.feed(line(**fields))
    assert len(reader.finish()) <= 1


@given(st.text(max_size=30), st.text(max_size=30))
@example("\x7f", "")  # a character of ASCII that the server writes as it is
def test_only_the_role_itself_is_found_whatever_others_are_called(role: str, other: str) -> None:
    reader = StatementReader(role=role)
    reader.feed(line(user=other, message=f"statement: SELECT '\"user\":{json.dumps(role)}'"))
    reader.feed(line(user=role))
    found = [statement.role for statement in reader.finish()]
    assert found == ([role, role] if role == other else [role])


@given(texts, st.integers(-6, 6), st.sampled_from(["\\", "é", "\x01", '"', "x", "🐘"]))
def test_a_line_that_is_too_long_is_cut_wherever_the_limit_falls(
    tail: str, shift: int, filling: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        prefix = len(line(message="")) - 50
        patch.setattr("pglab.statements._LINE_LIMIT", prefix + 200 + shift)
        reader = StatementReader(role="ada")
        reader.feed(line(message="statement: SELECT 1 -- " + filling * 500 + tail))
        reader.feed(line(message="statement: SELECT 2"))
    first, second = reader.finish()
    assert first.truncated
    assert first.text.startswith("SELECT 1 -- " + filling * 10)
    assert set(first.text.removeprefix("SELECT 1 -- ")) <= set(filling)
    assert (second.text, second.truncated) == ("SELECT 2", False)


def test_more_rows_of_a_statement_are_not_the_statement_again() -> None:
    reader = StatementReader()
    reader.feed(line(message="execute s/c: SELECT 1", ps="SELECT"))
    reader.feed(line(message="execute fetch from s/c: SELECT 1", ps="SELECT"))
    assert [(s.kind, s.text) for s in reader.finish()] == [
        ("SELECT", "SELECT 1"),
        ("FETCH", "SELECT 1"),
    ]


def test_others_do_not_belong_to_a_client() -> None:
    reader = StatementReader()
    reader.feed(line(backend_type="parallel worker"))
    reader.feed(line(backend_type="autovacuum worker"))
    assert reader.finish() == []


def test_a_line_that_is_not_finished_is_not_read() -> None:
    reader = StatementReader()
    reader.feed(line()[:-1])
    assert reader.finish() == []
    reader.feed(b"\n")
    assert len(reader.finish()) == 1
