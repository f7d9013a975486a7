"""``results.json``: nothing is lost in it, its schema describes it, its bytes are stable."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from grader.reports import results_json
from grader.results import (
    CheckResult,
    Evidence,
    ExerciseResult,
    Failure,
    Grading,
    Misconception,
    Outcome,
    Reason,
    SentStatement,
    SubmissionResult,
    from_json,
    to_json,
)

from .demo import check, demo_class, grading
from .strategies import gradings

SCHEMA = Path(__file__).parents[3] / "docs" / "results.schema.json"


def written(grading: Grading) -> bytes:
    return b"".join(results_json.encoded(grading))


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@given(gradings(surrogates=True))
@settings(deadline=None, max_examples=30)
def test_from_json_is_the_inverse_of_to_json(grading: Grading) -> None:
    assert from_json(to_json(grading)) == grading


@given(gradings())
@settings(deadline=None, max_examples=30)
def test_a_grading_is_read_back_from_its_file_as_it_was(grading: Grading) -> None:
    assert from_json(json.loads(written(grading))) == grading


@given(grading=gradings(surrogates=True))
@settings(deadline=None, max_examples=30)
def test_every_file_is_utf8_and_meets_its_schema(
    grading: Grading, validator: jsonschema.Draft202012Validator
) -> None:
    content = written(grading)
    assert content.endswith(b"}\n")
    validator.validate(json.loads(content.decode("utf-8")))


def test_a_class_meets_the_schema(validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(json.loads(written(demo_class())))


@pytest.mark.parametrize(
    ("definition", "kind", "derived"),
    [
        ("evidence", Evidence, set()),
        ("misconception", Misconception, set()),
        ("submission", SubmissionResult, {"points", "earned"}),
        ("exercise", ExerciseResult, {"points", "earned", "misconceptions"}),
        ("check", CheckResult, set()),
        ("failure", Failure, set()),
        ("statement", SentStatement, set()),
    ],
)
def test_the_schema_names_every_field_and_no_other(
    validator: jsonschema.Draft202012Validator, definition: str, kind: Any, derived: set[str]
) -> None:
    described = validator.schema["$defs"][definition]
    fields = {field.name for field in dataclasses.fields(kind)} | derived
    assert set(described["properties"]) == set(described["required"]) == fields


def test_the_schema_knows_every_outcome_and_reason(
    validator: jsonschema.Draft202012Validator,
) -> None:
    defs = validator.schema["$defs"]
    assert defs["check"]["properties"]["outcome"]["enum"] == list(Outcome)
    assert defs["failure"]["properties"]["reason"]["enum"] == list(Reason)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], 2),
        (["submissions", 0, "earned"], -1),
        (["submissions", 0, "exercises", 0, "checks", 0, "outcome"], "skipped"),
        (["submissions", 0, "exercises", 0, "checks", 0, "surprise"], True),
        (["evidence", "seed"], "7"),
    ],
)
def test_the_schema_refuses_what_is_no_grading(
    validator: jsonschema.Draft202012Validator, path: list[str | int], value: object
) -> None:
    data = to_json(grading(check(Outcome.PASSED)))
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not validator.is_valid(data)


def test_each_submission_is_a_line_that_others_do_not_change() -> None:
    whole = demo_class()
    less = dataclasses.replace(whole, submissions=whole.submissions[:4] + whole.submissions[5:])
    lines, fewer = written(whole).splitlines(), written(less).splitlines()
    gone = [line for line in lines if line.rstrip(b",") not in {f.rstrip(b",") for f in fewer}]
    assert [json.loads(line.rstrip(b","))["student"] for line in gone] == [
        whole.submissions[4].student
    ]
    assert len(fewer) == len(lines) - 1


def test_the_bytes_depend_on_nothing_but_the_results() -> None:
    assert written(demo_class()) == written(demo_class())
    shuffled = demo_class()
    reordered = dict(reversed(shuffled.misconceptions.items()))
    assert written(dataclasses.replace(shuffled, misconceptions=reordered)) == written(shuffled)


def test_timings_stand_on_the_last_line_alone() -> None:
    timed = demo_class()
    untimed = dataclasses.replace(timed, timings={})
    assert written(timed).splitlines()[:-1] == written(untimed).splitlines()[:-1]


def test_an_exercise_that_nobody_lists_for_a_student_still_counts() -> None:
    one = grading(check(Outcome.PASSED, points=3)).submissions[0]
    none = SubmissionResult("bob", (), problem="bob.zip is not a ZIP archive.")
    both = dataclasses.replace(grading(), submissions=(one, none))
    assert [s["points"] for s in to_json(both)["submissions"]] == [3, 3]


def test_ten_tenths_of_a_point_are_one_point() -> None:
    tenths = grading(*[check(Outcome.PASSED, points=0.1, name=f"test_{i}") for i in range(10)])
    assert to_json(tenths)["submissions"][0]["earned"] == 1.0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "does not say its format"),
        ([], "does not say its format"),
        ({"format": 99}, "this kit reads 1"),
        ({"format": 1}, "damaged"),
        ({**to_json(grading()), "misconceptions": []}, "damaged"),
        ({**to_json(grading()), "submissions": [{"student": "ada"}]}, "damaged"),
        ({**to_json(grading()), "evidence": {"seed": 1}}, "damaged"),
    ],
)
def test_a_file_that_is_no_grading_is_refused_with_the_reason(data: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        from_json(data)
