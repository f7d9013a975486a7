"""The documents for other systems: each meets its specification, whatever a submission says."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from grader.reports import (
    Options,
    check50,
    exercism,
    gradescope,
    lti,
    prairielearn,
    write_reports,
    xapi,
)
from grader.reports.documents import encoded
from grader.reports.items import KIT_FAILED, Asked, items
from grader.results import Grading, Outcome, SubmissionResult

from . import schemas
from .demo import KIT, RAISED, SYNTAX, UPDATE, check, demo_class, grading
from .strategies import gradings

EACH = {
    "gradescope": (gradescope.document, schemas.GRADESCOPE),
    "exercism": (exercism.document, schemas.EXERCISM),
    "prairielearn": (prairielearn.document, schemas.PRAIRIELEARN),
    "check50": (check50.document, schemas.CHECK50),
}
WHOLE = {
    "lti": (lti.documents, schemas.LTI),
    "xapi": (lambda grading: list(xapi.statements(grading, Options())), schemas.XAPI),
}
ODD = {"\ud800", "\x00", "\x1b", "\x9b", "\u202e", "\u2028"}


def one(*checks: Any) -> tuple[SubmissionResult, Asked]:
    graded = grading(*checks)
    return graded.submissions[0], Asked.of(graded)


def texts_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [*value, *(text for inner in value.values() for text in texts_in(inner))]
    return [t for inner in value for t in texts_in(inner)] if isinstance(value, list) else []


def assert_valid(document: Any, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema).validate(document)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    for text in texts_in(document):
        assert not set(text) & ODD


@pytest.mark.parametrize("kind", EACH)
def test_the_schema_is_a_schema_and_refuses_what_it_should(kind: str) -> None:
    document, schema = EACH[kind]
    jsonschema.Draft202012Validator.check_schema(schema)
    good = document(*one(check(Outcome.FAILED, UPDATE)))
    for key in schema["required"]:
        bad = {name: value for name, value in good.items() if name != key}
        assert not jsonschema.Draft202012Validator(schema).is_valid(bad)
    assert not jsonschema.Draft202012Validator(schema).is_valid(good | {"surprise": 1})


@pytest.mark.parametrize("kind", EACH)
@given(grading=gradings(surrogates=True))
@settings(deadline=None, max_examples=30)
def test_every_submission_makes_a_valid_document(kind: str, grading: Grading) -> None:
    document, schema = EACH[kind]
    for submission in grading.submissions:
        assert_valid(document(submission, Asked.of(grading)), schema)


@pytest.mark.parametrize("kind", WHOLE)
@given(grading=gradings(surrogates=True))
@settings(deadline=None, max_examples=50)
def test_every_class_makes_a_valid_document(kind: str, grading: Grading) -> None:
    documents, schema = WHOLE[kind]
    assert_valid(documents(grading), schema)


@given(grading=gradings(surrogates=True))
@settings(deadline=None, max_examples=30)
def test_where_the_kit_failed_nobody_gets_a_score(grading: Grading) -> None:
    for submission in grading.submissions:
        if not submission.has_errors:
            continue
        graded = gradescope.document(submission, Asked.of(grading))
        assert "score" not in graded
        assert not [test for test in graded["tests"] if {"score", "max_score"} & set(test)]
        assert exercism.document(submission, Asked.of(grading))["status"] == "error"
        assert prairielearn.document(submission, Asked.of(grading))["gradable"] is False
        results = check50.document(submission, Asked.of(grading))["results"]
        assert None in {result["passed"] for result in results}


@given(grading=gradings())
@settings(deadline=None, max_examples=30)
def test_items_add_up_to_what_the_submission_earned(grading: Grading) -> None:
    for submission in grading.submissions:
        found = items(submission, Asked.of(grading))
        assert math.isclose(sum(i.earned for i in found), submission.earned, abs_tol=1e-4)
        assert len({item.number for item in found}) == len(found)


@pytest.mark.parametrize("kind", EACH)
def test_a_single_submission_is_a_file_and_a_class_is_a_folder(kind: str, tmp_path: Path) -> None:
    whole = demo_class(3)
    alone = dataclasses.replace(whole, submissions=whole.submissions[:1])
    (path,) = write_reports(alone, tmp_path, [kind])
    assert path == tmp_path / f"results.{kind}.json"
    assert json.loads(path.read_bytes())
    paths = write_reports(whole, tmp_path, [kind])
    assert [p.relative_to(tmp_path).as_posix() for p in paths] == [
        f"{kind}/{submission.student}.json" for submission in whole.submissions
    ]


def test_gradescope_shows_a_hidden_check_after_the_due_date() -> None:
    tests = gradescope.document(
        *one(
            check(Outcome.PASSED, name="test_a"),
            check(Outcome.FAILED, UPDATE, name="test_b", visible=False, output="hello"),
        )
    )["tests"]
    assert [test["visibility"] for test in tests] == ["visible", "after_due_date"]
    assert [test["status"] for test in tests] == ["passed", "failed"]
    assert [test["number"] for test in tests] == ["1.1", "1.2"]
    assert tests[1]["tags"] == ["truthy-update"]
    assert "Expected: bio is NULL" in tests[1]["output"]
    assert tests[1]["output"].endswith("Your code printed:\nhello")


def test_gradescopes_score_is_what_was_earned() -> None:
    checks = (
        check(Outcome.PASSED, points=1.5, name="test_a"),
        check(Outcome.FAILED, UPDATE, points=2, name="test_b"),
    )
    found = gradescope.document(*one(*checks))
    assert found["score"] == sum(test["score"] for test in found["tests"]) == 1.5
    assert [test["max_score"] for test in found["tests"]] == [1.5, 2]


def test_exercism_cuts_what_is_too_long_and_says_so() -> None:
    failure = dataclasses.replace(UPDATE, **dict.fromkeys(("message", "actual"), "x" * 80_000))
    (test,) = exercism.document(*one(check(Outcome.FAILED, failure, output="y" * 501)))["tests"]
    assert len(test["output"]) == 500
    assert test["output"].endswith("… (cut)")
    assert len(test["message"]) <= 65_535


def test_exercism_says_pass_only_where_all_passed() -> None:
    passed = check(Outcome.PASSED, name="test_a")
    assert exercism.document(*one(passed))["status"] == "pass"
    mixed = exercism.document(*one(passed, check(Outcome.FAILED, SYNTAX, name="test_b")))
    assert (mixed["status"], [t["status"] for t in mixed["tests"]]) == ("fail", ["pass", "fail"])


@pytest.mark.parametrize("kind", ["exercism", "prairielearn"])
def test_a_submission_that_cannot_be_read_is_told_so(kind: str) -> None:
    document, _ = EACH[kind]
    submission = SubmissionResult("eve", (), problem="eve.zip is not a ZIP archive.")
    graded = dataclasses.replace(grading(), submissions=(submission,))
    said = document(submission, Asked.of(graded))["message"]
    assert said == "The submission could not be read: eve.zip is not a ZIP archive."


def test_prairielearn_gets_a_share_of_the_points() -> None:
    checks = (
        check(Outcome.PASSED, points=1, name="test_a"),
        check(Outcome.FAILED, RAISED, points=3, name="test_b"),
    )
    found = prairielearn.document(*one(*checks))
    assert (found["gradable"], found["score"]) == (True, 0.25)
    assert [(test["points"], test["max_points"]) for test in found["tests"]] == [(1, 1), (0, 3)]


def test_prairielearn_gets_shorter_texts_rather_than_too_much() -> None:
    long = dataclasses.replace(
        RAISED, **dict.fromkeys(("message", "expected", "actual"), "ü" * 4000)
    )
    names = [f"test_{i}" for i in range(100)]
    checks = [check(Outcome.FAILED, long, name=name, output="o" * 9000) for name in names]
    found = prairielearn.document(*one(*checks))
    assert 200_000 < len(encoded(found)) <= prairielearn.MAX_BYTES < 1024**2
    assert len(found["tests"]) == 100
    assert found["tests"][0]["output"].endswith("… (cut)")


def test_check50_tells_failed_from_not_carried_out() -> None:
    checks = (
        check(Outcome.PASSED, name="test_a"),
        check(Outcome.FAILED, UPDATE, name="test_b"),
        check(Outcome.ERROR, KIT, name="test_c"),
    )
    a, b, c = check50.document(*one(*checks))["results"]
    assert [a["passed"], b["passed"], c["passed"]] == [True, False, None]
    assert a["cause"] is None
    assert (b["cause"]["expected"], b["cause"]["help"]) == (UPDATE.expected, UPDATE.question)
    assert c["cause"]["rationale"] == KIT_FAILED
    assert c["cause"]["error"]["value"] == KIT.message


def test_a_statement_that_is_sent_twice_is_the_same_statement() -> None:
    first = list(xapi.statements(demo_class(), Options()))
    assert first == list(xapi.statements(demo_class(), Options()))
    assert len({statement["id"] for statement in first}) == len(first) > 50


def test_xapi_names_the_site_and_tells_nothing_of_what_was_not_handed_in() -> None:
    graded = demo_class()
    found = list(xapi.statements(graded, Options(site="https://school.example/")))
    handed_in = [e for s in graded.submissions for e in s.exercises if e.handed_in]
    assert len(found) == len(handed_in)
    assert found[0]["actor"]["account"]["homePage"] == "https://school.example"
    assert found[0]["object"]["id"] == "https://school.example/exercises/04_repository"


def test_xapi_has_no_result_where_the_kit_failed() -> None:
    graded = grading(check(Outcome.ERROR, KIT))
    (statement,) = xapi.statements(graded, Options())
    assert statement["verb"]["id"].endswith("/attempted")
    assert "result" not in statement
